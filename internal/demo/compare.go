package demo

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/karchive/karchive/format"
)

// ErrDifferent is wrapped by the first difference between two archives.
var ErrDifferent = errors.New("the archives differ")

// Compare walks two archives and returns how many records are equal in both: partition, order, key, value, headers and
// timestamp. Offsets and leader epochs are a log's own and may differ. It ends at the first difference.
func Compare(a, b *format.Archive) (int64, error) {
	partitions := a.Partitions()
	if other := b.Partitions(); !slices.Equal(partitions, other) {
		return 0, fmt.Errorf("%w: partitions %v and %v", ErrDifferent, partitions, other)
	}
	var n int64
	for _, tp := range partitions {
		equal, err := comparePartition(a.Cursor(tp, format.Window{}), b.Cursor(tp, format.Window{}))
		n += equal
		if err != nil {
			return n, fmt.Errorf("%s: %w", tp, err)
		}
	}
	return n, nil
}

func comparePartition(a, b *format.Cursor) (int64, error) {
	defer a.Close()
	defer b.Close()
	left, right := stream{cursor: a}, stream{cursor: b}
	for n := int64(0); ; n++ {
		x, err := left.next()
		if err != nil && err != io.EOF {
			return n, err
		}
		y, err2 := right.next()
		switch {
		case err2 != nil && err2 != io.EOF:
			return n, err2
		case err == io.EOF && err2 == io.EOF:
			return n, nil
		case err == io.EOF || err2 == io.EOF:
			return n, fmt.Errorf("%w: one ends after %d records", ErrDifferent, n)
		case !sameRecord(x, y):
			return n, fmt.Errorf("%w: offset %d against %d", ErrDifferent, x.Offset, y.Offset)
		}
	}
}

// sameRecord compares canonical bytes, which tell null from empty, without what a log sets itself.
func sameRecord(x, y *format.Record) bool {
	a, b := *x, *y
	a.Offset, b.Offset = 0, 0
	a.LeaderEpoch, b.LeaderEpoch = 0, 0
	return slices.Equal(format.AppendCanonical(nil, &a), format.AppendCanonical(nil, &b))
}

// stream hands out a cursor's records one by one.
type stream struct {
	cursor  *format.Cursor
	records []format.Record
}

func (s *stream) next() (*format.Record, error) {
	if len(s.records) == 0 {
		records, err := s.cursor.Next()
		if err != nil {
			return nil, err
		}
		s.records = records
	}
	r := &s.records[0]
	s.records = s.records[1:]
	return r, nil
}
