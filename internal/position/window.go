package position

import (
	"errors"
	"fmt"
	"time"

	"github.com/karchive/karchive/format"
)

// Window reads a start and an end as the selection of records of an archive, in any of its partitions, that lie between them. Its errors
// begin with "from" or "until", and wrap ErrInvalid for what is no position.
func Window(from, until string, now time.Time) (format.Window, error) {
	var w format.Window
	start, err := Parse(from, now)
	if err != nil {
		return w, fmt.Errorf("from %w", err)
	}
	end, err := Parse(until, now)
	if err != nil {
		return w, fmt.Errorf("until %w", err)
	}
	switch start.Kind {
	case Offset:
		w.FromOffset = start.Offset
	case Time:
		w.FromMs = &start.Ms
	case End:
		return w, errors.New("from end: an archive has no records after its end")
	}
	switch end.Kind {
	case Offset:
		w.UntilOffset = end.Offset
	case Time:
		w.UntilMs = &end.Ms
	}
	if end.Kind == Beginning || end.Kind == Offset && end.Offset == 0 {
		return w, fmt.Errorf("until %s: there are no records before it", until)
	}
	return w, nil
}
