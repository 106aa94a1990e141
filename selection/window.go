package selection

import (
	"errors"
	"fmt"
	"time"

	"github.com/karchive/karchive/format"
)

// Window is what lies between from and until in the partitions of archives. Now is what Ago counts back from, the newest timestamp that
// the archives know of what BeforeEnd does; their documents are read only for that. Its errors begin with "from" or "until".
func Window(from, until Position, now time.Time, archives ...*format.Archive) (w format.Selection, err error) {
	if err := CheckWindow(from, until); err != nil {
		return w, err
	}
	if w.From, err = timestamp(from, now, archives); err != nil {
		return w, fmt.Errorf("from %s: %w", from, err)
	}
	if w.Until, err = timestamp(until, now, archives); err != nil {
		return w, fmt.Errorf("until %s: %w", until, err)
	}
	if !w.From.IsZero() && !w.Until.IsZero() && w.Until.Before(w.From) {
		return w, errBefore(from, until)
	}
	w.FromOffset, _ = from.Offset()
	w.UntilOffset, _ = until.Offset()
	return w, nil
}

// CheckWindow refuses a start that no record of an archive can follow, and an end that none can precede.
func CheckWindow(from, until Position) error {
	if from.IsEnd() {
		return errors.New("from end: an archive has no records after its end")
	}
	if n, ok := until.Offset(); until.IsBeginning() || ok && n == 0 {
		return fmt.Errorf("until %s: there are no records before it", until)
	}
	return CheckOrder(from, until)
}

// CheckOrder refuses an end that is before the start. Positions of two kinds have no order before it is known what they stand for.
func CheckOrder(from, until Position) error {
	before := until.n < from.n
	switch {
	case from.kind != until.kind:
		return nil
	case from.kind == ago || from.kind == beforeEnd:
		before = until.back > from.back
	}
	if before {
		return errBefore(from, until)
	}
	return nil
}

func errBefore(from, until Position) error {
	return fmt.Errorf("until %s: it is before %s", until, from)
}

// timestamp is the time that a position stands for; zero: it is none.
func timestamp(p Position, now time.Time, archives []*format.Archive) (time.Time, error) {
	if ms, ok := p.TimestampMs(now); ok {
		return bound(ms), nil
	}
	back, ok := p.BeforeEnd()
	if !ok {
		return time.Time{}, nil
	}
	newest, err := newest(archives)
	if err != nil {
		return time.Time{}, err
	}
	ms, _ := AtTime(time.UnixMilli(newest).Add(-back)).TimestampMs(now)
	return bound(ms), nil
}

// bound is a timestamp as a bound of a selection, of which the zero time is none: that of the year 1 becomes the next one.
func bound(ms int64) time.Time {
	t := time.UnixMilli(ms)
	if t.IsZero() {
		return t.Add(time.Millisecond)
	}
	return t
}

// newest is the latest timestamp of archives.
func newest(archives []*format.Archive) (int64, error) {
	latest, found := int64(0), false
	for _, a := range archives {
		for place, err := range a.Places(format.Selection{}) {
			if err != nil {
				return 0, err
			}
			if ms := place.Group().MaxTimestampMs; ms != format.NoTimestamp && (!found || ms > latest) {
				latest, found = ms, true
			}
		}
	}
	if !found {
		return 0, errors.New("there is no record with a timestamp that it could count back from")
	}
	return latest, nil
}
