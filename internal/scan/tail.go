package scan

import (
	"context"
	"io"
	"math"

	"github.com/karchive/karchive/format"
)

// Passes says whether a record counts. It may change the record.
type Passes = func(tp format.TopicPartition, r *format.Record) (bool, error)

// FromLast makes the scanner begin where the last n records begin that pass, or leaves it as it is when there are not so many. With nil all do,
// and row groups need not be decoded to be counted.
func (s *Scanner) FromLast(ctx context.Context, n int64, passes Passes) error {
	return newTail(s, n, passes).find(ctx)
}

// Count is how many records there are, of which only those of row groups that the window cuts are decoded.
func (s *Scanner) Count(ctx context.Context) (int64, error) {
	t := newTail(s, math.MaxInt64, nil)
	err := t.find(ctx)
	return math.MaxInt64 - t.left, err
}

func newTail(s *Scanner, n int64, passes Passes) *tail {
	t := &tail{Scanner: s, left: n, whole: passes == nil, passes: passes}
	if passes == nil {
		t.passes = func(format.TopicPartition, *format.Record) (bool, error) { return true, nil }
	}
	return t
}

// tail looks for where the last records of a selection begin.
type tail struct {
	*Scanner
	left   int64
	whole  bool // row groups need not be decoded to be counted
	passes Passes
	buffer format.Buffer
}

// find makes the scanner begin there, or leaves it as it is when there are not so many.
func (t *tail) find(ctx context.Context) error {
	for i := len(t.Partitions) - 1; i >= 0 && t.left > 0; i-- {
		offset, err := t.partition(ctx, t.Partitions[i])
		if err != nil {
			return err
		}
		if t.left == 0 {
			t.Partitions = t.Partitions[i:]
			start := t.Window
			start.FromOffset = offset
			t.start = &start
		}
	}
	return nil
}

// partition counts from the end of a partition. The offset is that of the last record that it counted.
func (t *tail) partition(ctx context.Context, tp format.TopicPartition) (offset int64, err error) {
	b := &backwards{walk: t.Archive.Walk(tp, t.Window), reader: groupReader{t.Archive.NewGroupReader(1), t.Keys, func(int64) {}}} // which are counted when they are read
	defer b.Close()
	for t.left > 0 {
		p, err := b.place()
		if err == io.EOF {
			return 0, nil
		}
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return 0, err
		}
		if g := p.Group(); t.whole && p.Whole() && g.Records <= t.left {
			t.left, offset = t.left-g.Records, g.FirstOffset
			continue
		}
		records, err := b.reader.Read(p, &t.buffer)
		if err != nil {
			return 0, err
		}
		if offset, err = t.records(tp, records); err != nil {
			return 0, err
		}
	}
	return offset, nil
}

func (t *tail) records(tp format.TopicPartition, records []format.Record) (offset int64, err error) {
	for i := len(records) - 1; i >= 0 && t.left > 0; i-- {
		passes, err := t.passes(tp, &records[i])
		if err != nil {
			return 0, err
		}
		if passes {
			t.left, offset = t.left-1, records[i].Offset
		}
	}
	return offset, nil
}
