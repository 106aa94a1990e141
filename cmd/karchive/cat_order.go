package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/extsort"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
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
func (o *catOrder) begin(ctx context.Context, s *scan.Scanner, rules *reshape.Pipeline) error {
	s.Backwards = o.reverse
	if o.last == 0 || o.reverse || o.order == timeOrder {
		return nil
	}
	var passes scan.Passes
	if rules != nil {
		passes = applying(rules.Trial())
	}
	return s.FromLast(ctx, o.last, passes)
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
	if err == io.EOF || err == scan.ErrEnough {
		return nil
	}
	return errors.Join(err, context.Cause(ctx))
}
