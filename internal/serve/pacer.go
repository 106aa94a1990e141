package serve

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/budget"
	"github.com/karchive/karchive/internal/merge"
	"github.com/karchive/karchive/replay/timeline"
)

// pacer raises the high watermarks of archived partitions as a schedule says: that of a partition is behind its last record that was due.
// Of a damaged partition everything is there at once from the damage on, so that clients hear of it.
type pacer struct {
	options *Options
	parts   []*partition
	line    *timeline.Timeline
	start   time.Time
	raised  []*partition // that have a new watermark which nobody was told of
}

// The bounds of runs of records, and of how many are released before clients are told.
const (
	runRecords   = 1024
	raisedAtMost = 256
)

// newPacer hides all records until run is called.
func newPacer(o *Options, all *topics) *pacer {
	p := &pacer{options: o, line: timeline.New(o.Schedule)}
	all.each(func(part *partition) {
		if part.start < part.end {
			part.high.Store(part.start)
			part.scheduled.Store(true)
			p.parts = append(p.parts, part)
		}
	})
	return p
}

// run releases records until the schedule ends, or ctx does. The error is that of ctx, or of the disk.
func (p *pacer) run(ctx context.Context) error {
	sequence := merge.New(ctx, p.tracks(), merge.Options{MemoryBytes: p.options.ScheduleBytes, TempDir: p.options.TempDir,
		RunRecords: runRecords, RecordCost: budget.DecodedRecord})
	defer sequence.Close()
	p.begin()
	for {
		pick, err := sequence.Next()
		switch {
		case err == io.EOF:
			p.end()
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			p.damaged(pick.Partition, err)
		default:
			err = p.release(ctx, &pick)
		}
		if ctx.Err() != nil {
			return err
		}
	}
}

func (p *pacer) tracks() []merge.Track {
	var out []merge.Track
	for _, part := range p.parts {
		window := part.source.Window
		window.FromOffset, window.UntilOffset = part.start, part.end
		t := merge.Track{Archive: part.source.Archive, Walk: part.source.Archive.Walk(part.tp, window).Repeat(p.options.Schedule.Rounds()), From: part.start}
		if part.source.Rules != nil {
			t.Reshape = part.reshape
		}
		out = append(out, t)
	}
	return out
}

// begin takes the time from which all is counted. Steps of the wall clock after that change nothing.
func (p *pacer) begin() {
	p.start = time.Now()
	if at := p.options.StartAt; !at.IsZero() {
		p.start = p.start.Add(at.Sub(p.start))
	}
}

// release waits until a record is due, and lets clients read it.
func (p *pacer) release(ctx context.Context, pick *merge.Pick) error {
	part, r := p.parts[pick.Partition], pick.Record()
	for pick.Round > p.line.Round() {
		p.turn()
	}
	due := p.line.Next(pick.TimestampMs, format.CanonicalSize(r))
	next := r.Offset + 1
	pick.Run.Done(1)
	if wait := time.Until(p.start.Add(due)); wait > 0 {
		p.tell()
		if err := await(ctx, nil, wait); err != nil {
			return err
		}
	}
	p.raise(part, part.offsetIn(pick.Round, next))
	if len(p.raised) >= raisedAtMost {
		p.tell()
	}
	return nil
}

// raise sets the watermark of a partition, of which clients are told later.
func (p *pacer) raise(part *partition, to int64) {
	if to > part.high.Load() {
		part.high.Store(to)
		p.raised = append(p.raised, part)
	}
}

// tell wakes those who wait for what was raised.
func (p *pacer) tell() {
	for _, part := range p.raised {
		part.ring()
	}
	p.raised = p.raised[:0]
}

// turn begins another round: what is behind the last record of the one before is there.
func (p *pacer) turn() {
	shiftMs := p.line.NextRound()
	for _, part := range p.parts {
		part.shiftMs.Store(shiftMs)
		p.raise(part, part.offsetIn(p.line.Round(), part.start))
	}
}

// end lets all be read that is left, which is no record.
func (p *pacer) end() {
	for _, part := range p.parts {
		p.raise(part, part.offsetIn(p.line.Round(), part.end))
		part.scheduled.Store(false)
	}
	p.tell()
}

func (p *pacer) damaged(i int, err error) {
	part := p.parts[i]
	p.options.OnTrouble(fmt.Errorf("topic %s, partition %d: the schedule goes on without it: %w", part.topic, part.tp.Partition, err))
	p.raise(part, part.offsetIn(p.line.Round(), part.end))
	p.tell()
}
