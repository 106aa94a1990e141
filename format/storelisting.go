package format

import (
	"slices"
	"strings"
)

// oneAnswer is how many objects every place lists in one piece.
const oneAnswer = 128

// listObjects lists data/, or a directory in it, in a place that lists all of it at once: a request for each directory would take longer than
// reading. What is added between two pieces of a list may be in it or not, whatever was added after it, so a list of several is made again, as
// readGrowing does.
func listObjects(all lister, dir string) (*listing, error) {
	first, n, err := listOnce(all, dir)
	if err != nil || n <= oneAnswer {
		return first, err
	}
	again, _, err := listOnce(all, dir)
	if err != nil {
		return nil, err
	}
	for tp, list := range again.segments {
		known := first.segments[tp]
		list = slices.DeleteFunc(list, func(s Segment) bool { return len(known) == 0 || compareSegments(s, known[len(known)-1]) > 0 })
		if again.segments[tp] = list; len(list) == 0 {
			delete(again.segments, tp)
		}
	}
	return again, nil
}

// listOnce is listObjects, and how many objects there were.
func listOnce(all lister, dir string) (l *listing, n int, err error) {
	l = &listing{segments: map[TopicPartition][]Segment{}}
	err = all.List(dir, func(name string, size int64) error {
		n++
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
	return l, n, err
}
