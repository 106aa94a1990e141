package imports

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
)

// The errors of lines that tell of an archive.
var (
	errToldTwice = errors.New("it was told before")
	errCovered   = errors.New("not what can be covered")
)

// coverage is what a file tells to be covered of a partition, of which what was written is taken off.
type coverage struct {
	jsonl.Covered
	begun bool
}

// tell takes what a row tells of the archive.
func (i *importer) tell(row *Row) error {
	i.report.Rows-- // it is none
	line, err := jsonl.AppendAbout(nil, row.About)
	if err == nil {
		i.hash.Write(line)
		if a := row.About.Archive; a != nil {
			err = i.tellArchive(a)
		} else {
			err = i.cover(row.About.Covered)
		}
	}
	if err != nil {
		return &BadRow{Line: row.Line, Err: err}
	}
	return nil
}

func (i *importer) tellArchive(a *jsonl.Archive) error {
	if i.told != nil {
		return fmt.Errorf("what the archive is: %w", errToldTwice)
	}
	i.told = a
	return nil
}

// cover notes what is covered of a partition.
func (i *importer) cover(c *jsonl.Covered) error {
	of := &coverage{Covered: *c}
	if err := of.check(); err != nil {
		return fmt.Errorf("%s: %w", of.place(), err)
	}
	if i.covered[of.place()] != nil {
		return fmt.Errorf("%s: %w", of.place(), errToldTwice)
	}
	t, err := i.topic(&Row{Topic: c.Topic})
	if err != nil {
		return err
	}
	if n := t.partitions[c.Partition]; n != nil && !n.given {
		return ErrMixed
	}
	t.partitions[c.Partition] = &numbering{given: true}
	i.covered[of.place()] = of
	return nil
}

func (c *coverage) check() error {
	switch {
	case c.Partition < 0 || c.Partition == math.MaxInt32, c.From < 0 || c.Next <= c.From, c.Control < 0 || c.Filtered < 0, c.LeaderEpoch < format.NoLeaderEpoch:
		return errCovered
	}
	before := c.From
	for _, g := range c.Gaps {
		if g.From < before || g.Until <= g.From || g.Until > c.Next || !g.Reason.Ranged() {
			return fmt.Errorf("gap %d..%d (%s): %w", g.From, g.Until, g.Reason, errCovered)
		}
		before = g.Until
	}
	return nil
}

// pass goes on to an offset past those that have no record.
func (c *coverage) pass(p *format.Pending, until int64) error {
	if until < c.From || until > c.Next {
		return fmt.Errorf("%s-%d: offset %d is not in what is covered, %d..%d", c.Topic, c.Partition, until, c.From, c.Next)
	}
	for len(c.Gaps) > 0 && c.Gaps[0].From < until {
		g := c.Gaps[0]
		if g.Until > until {
			return fmt.Errorf("%s-%d: offset %d has a record, in the gap %d..%d (%s)", c.Topic, c.Partition, until, g.From, g.Until, g.Reason)
		}
		if err := c.count(p, g.From); err != nil {
			return err
		}
		if err := p.Gap(g); err != nil {
			return err
		}
		c.Gaps = c.Gaps[1:]
	}
	return c.count(p, until)
}

// count has offsets stand for markers, and for what was left out, as long as there are some that have no place yet.
func (c *coverage) count(p *format.Pending, until int64) error {
	room := until - p.Position()
	if room <= 0 {
		return nil
	}
	control := min(room, c.Control)
	filtered := min(room-control, c.Filtered)
	c.Control, c.Filtered = c.Control-control, c.Filtered-filtered
	return p.Pass(until, format.NoLeaderEpoch, control, filtered)
}

// finish goes on to the end of what is covered.
func (c *coverage) finish(p *format.Pending) error {
	if err := c.pass(p, c.Next); err != nil {
		return err
	}
	if c.Control > 0 || c.Filtered > 0 {
		return fmt.Errorf("%s-%d: %d markers and %d offsets that were left out have no place in %d..%d", c.Topic, c.Partition, c.Control, c.Filtered, c.From, c.Next)
	}
	return p.Pass(c.Next, c.LeaderEpoch, 0, 0)
}

// empty writes the partitions that are covered and of which no record was there.
func (w *segmentWriter) empty() error {
	var left []*coverage
	for _, c := range w.covered {
		if !c.begun {
			left = append(left, c)
		}
	}
	slices.SortFunc(left, func(a, b *coverage) int { return a.place().Compare(b.place()) })
	for _, c := range left {
		w.begin(&entry{key: key{topic: w.topics[c.Topic].number, partition: c.Partition, offset: c.From}})
		if err := w.open(c.From); err != nil {
			return err
		}
		if err := w.end(); err != nil {
			return err
		}
	}
	return nil
}

func (c *coverage) place() format.TopicPartition {
	return format.TopicPartition{Topic: c.Topic, Partition: c.Partition}
}
