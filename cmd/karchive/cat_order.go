package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/extsort"
	"github.com/karchive/karchive/internal/reshape"
)

// catOrder is in which order records are printed, and how many of them.
type catOrder struct {
	limit, last int64 // 0: all
	reverse     bool
	order       string
}

const timeOrder = "time"

func (o *catOrder) flags() []cli.Flag {
	return []cli.Flag{
		countFlag("limit", "at most `N` records", "no limit", &o.limit),
		countFlag("last", "only the last `N` records", "all", &o.last),
		&cli.BoolFlag{Name: "reverse", Usage: "the last record first", Destination: &o.reverse},
		choiceFlag("order", "records by topic, partition and `offset`, or all together by time", &o.order, "offset", timeOrder),
	}
}

func (o *catOrder) given() bool {
	return o.limit > 0 || o.last > 0 || o.reverse || o.order == timeOrder
}

// most is how many records are printed at most when the last N come first; 0: all.
func (o *catOrder) most() int64 {
	if o.reverse && o.last > 0 && (o.limit == 0 || o.last < o.limit) {
		return o.last
	}
	return o.limit
}

// begin makes a scanner begin where the first record that is printed may be.
func (o *catOrder) begin(ctx context.Context, s *scanner, rules *reshape.Pipeline) error {
	s.backwards = o.reverse
	if o.last == 0 || o.reverse || o.order == timeOrder {
		return nil
	}
	passes := func(format.TopicPartition, *format.Record) (bool, error) { return true, nil }
	if rules != nil {
		passes = applying(rules.Trial())
	}
	t := &tail{scanner: s, left: o.last, whole: rules == nil, passes: passes}
	return t.find(ctx)
}

// tail looks for where the last records of a selection begin.
type tail struct {
	*scanner
	left   int64
	whole  bool // row groups need not be decoded to be counted
	passes applyFunc
	buffer format.Buffer
}

// find makes the scanner begin there, or leaves it as it is when there are not so many.
func (t *tail) find(ctx context.Context) error {
	for i := len(t.partitions) - 1; i >= 0 && t.left > 0; i-- {
		offset, err := t.partition(ctx, t.partitions[i])
		if err != nil {
			return err
		}
		if t.left == 0 {
			t.partitions = t.partitions[i:]
			t.start = &format.Window{FromOffset: offset, UntilOffset: t.window.UntilOffset, FromMs: t.window.FromMs, UntilMs: t.window.UntilMs}
		}
	}
	return nil
}

// partition counts from the end of a partition. The offset is that of the last record that it counted.
func (t *tail) partition(ctx context.Context, tp format.TopicPartition) (offset int64, err error) {
	b := &backwards{walk: t.archive.Walk(tp, t.window), reader: groupReader{t.archive.NewGroupReader(1), t.keys, func(int64) {}}} // which are counted when they are read
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

// count is how many records there are, of which only those of row groups that the window cuts are decoded.
func (t *tail) count(ctx context.Context) (n int64, err error) {
	t.left = math.MaxInt64
	t.passes = func(format.TopicPartition, *format.Record) (bool, error) { return true, nil }
	err = t.find(ctx)
	return math.MaxInt64 - t.left, err
}

// byTime sorts lines by the timestamps of their records; those of one time stay in the order in which they come.
type byTime struct {
	sorter *extsort.Sorter
	down   bool // the latest first
	lines  int64
}

// sortMemory is what sorting holds in memory; the rest is in a temporary file.
const sortMemory = 64 << 20

func newByTime(down bool) *byTime { return &byTime{sorter: extsort.New("", sortMemory), down: down} }

func (b *byTime) add(timestampMs int64, line []byte) error {
	at := uint64(timestampMs) ^ 1<<63 // in the order of the signed number
	if b.down {
		at = ^at
	}
	b.lines++
	return b.sorter.Add(binary.BigEndian.AppendUint64(nil, at), line)
}

func (b *byTime) each(ctx context.Context, do func(line []byte) error) error {
	sorted, err := b.sorter.Sorted()
	for err == nil && ctx.Err() == nil {
		var entry extsort.Entry
		if entry, err = sorted.Next(); err == nil {
			err = do(entry.Data)
		}
	}
	if err == io.EOF || err == errEnough {
		return nil
	}
	return errors.Join(err, context.Cause(ctx))
}
