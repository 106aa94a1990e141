package format

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// Completeness says what an archive lacks of what it was to hold. It was to hold what the plan of its last capture says, and what its
// segments cover. An archive that no capture planned, an import say, was to hold what it covers; a follow capture plans no end.
type Completeness struct {
	// Short is what is planned and not covered, by topic, partition and offset: the capture did not get so far, or segments are
	// gone of which nothing else tells. The same capture goes on with what is at the end of a partition.
	Short []Shortfall
	// Lost is what is covered and whose records are lost, by retention before they were read or by damage: the gaps of the ledgers, in
	// the same order. Nothing brings them back, so they do not make the archive incomplete; who reads it wants to know of them.
	Lost []LostRange
	// OpenEnd says that the last capture was to go on until it was stopped.
	OpenEnd bool
}

// Shortfall is a range of offsets, from From up to and without Until, that is planned and that no segment covers.
type Shortfall struct {
	TopicPartition
	From, Until int64
	Empty       bool // nothing of the partition is there
}

// LostRange is a gap of a partition.
type LostRange struct {
	TopicPartition
	ledger.Gap
	Pruned *origin.Pruned // it was removed from the archive; nil: it never had it
}

// Complete says that the archive answers for all that was planned, with a record or with a reason in the ledger why there is none.
func (c *Completeness) Complete() bool { return len(c.Short) == 0 }

// in is what of c is in the offsets of a selection. Its times say nothing: when records were that are not there is not known.
func (c Completeness) in(w *Selection) Completeness {
	out := Completeness{OpenEnd: c.OpenEnd}
	if w.UntilOffset != 0 && w.UntilOffset <= w.FromOffset {
		return out
	}
	for _, s := range c.Short {
		if w.overlaps(s.From, s.Until) {
			out.Short = append(out.Short, s)
		}
	}
	for _, l := range c.Lost {
		if w.overlaps(l.From, l.Until) {
			out.Lost = append(out.Lost, l)
		}
	}
	return out
}

// Completeness compares what the archive covers with its plan, as far as partitions and offsets are selected; when records were that are not
// there is not known, so times select nothing. It reads the documents of segments that have selected offsets. Errors are those of Coverage and Select.
func (a *Archive) Completeness(s Selection) (Completeness, error) {
	list := a.list
	if a.damage == nil { // else what is between the segments counts too, wherever they are
		list = func(tp TopicPartition) []Segment {
			all := a.list(tp)
			if in := segmentsIn(all, &s); len(in) > 0 {
				return in
			}
			return all[:min(1, len(all))] // where the partition begins
		}
	}
	c, err := a.completeness(&s, list)
	return c.in(&s), err
}

func (a *Archive) completeness(s *Selection, list func(TopicPartition) []Segment) (Completeness, error) {
	id := a.Identity()
	plan := id.Capture
	c := Completeness{OpenEnd: plan != nil && plan.Mode == origin.ModeFollow}
	planned := map[TopicPartition]origin.PlanRange{}
	all := a.holdings()
	if plan != nil {
		for _, r := range plan.Partitions {
			tp := TopicPartition{r.Topic, r.Partition}
			planned[tp] = r
			all = append(all, tp)
		}
	}
	slices.SortFunc(all, TopicPartition.Compare)
	if err := a.knows(s, all); err != nil {
		return Completeness{}, err
	}
	all = slices.DeleteFunc(slices.Compact(all), func(tp TopicPartition) bool { return !s.takes(tp) })
	a.readAhead(all, list)
	for _, tp := range all {
		covered, err := a.coverage(tp, list(tp))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Completeness{}, err
		}
		removed := origin.FindPruned(id.Pruned, tp.Topic, tp.Partition)
		if r, ok := planned[tp]; ok {
			c.compare(tp, r, covered, removed)
		}
		if removed != nil {
			c.Lost = append(c.Lost, LostRange{tp, ledger.Gap{From: removed.From, Until: removed.Until, Reason: ledger.Retention}, removed})
		}
		for _, g := range covered.Ledger.Ranges {
			c.Lost = append(c.Lost, LostRange{tp, g, nil})
		}
	}
	return c, nil
}

// compare adds what of the plan is not covered and was not removed. A partition whose coverage is the zero value has nothing.
func (c *Completeness) compare(tp TopicPartition, planned origin.PlanRange, covered Coverage, removed *origin.Pruned) {
	if removed != nil && planned.Start < removed.Until {
		if planned.Start < removed.From {
			c.Short = append(c.Short, Shortfall{TopicPartition: tp, From: planned.Start, Until: removed.From})
		}
		planned.Start = removed.Until
	}
	if covered.Next == 0 {
		if planned.Start < planned.End {
			c.Short = append(c.Short, Shortfall{tp, planned.Start, planned.End, true})
		}
		return
	}
	if planned.Start < covered.From {
		c.Short = append(c.Short, Shortfall{TopicPartition: tp, From: planned.Start, Until: covered.From})
	}
	if covered.Next < planned.End {
		c.Short = append(c.Short, Shortfall{TopicPartition: tp, From: covered.Next, Until: planned.End})
	}
}
