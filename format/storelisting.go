package format

import (
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/ondisk"
)

// scanObjects lists data/ in a place that lists all of it at once: a request for each directory would take longer than reading.
func scanObjects(all lister) (*listing, error) {
	l := &listing{segments: map[TopicPartition][]Segment{}}
	return l, l.addObjects(all, ondisk.Data)
}

// addObjects adds what lies beneath a directory in data/, or in data/ itself.
func (l *listing) addObjects(all lister, dir string) error {
	err := all.List(dir, func(name string, size int64) error {
		if strings.Contains(name, "/.") {
			return nil
		}
		s, ok := segmentAt(name)
		if !ok {
			l.foreign = append(l.foreign, name)
			return nil
		}
		s.Size = size
		l.segments[s.TopicPartition] = append(l.segments[s.TopicPartition], s)
		return nil
	})
	for _, list := range l.segments {
		slices.SortFunc(list, compareSegments)
	}
	return err
}
