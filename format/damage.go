package format

import (
	"maps"
	"slices"

	"github.com/karchive/karchive/format/origin"
)

// damage is what OpenIntact knows of an archive that is damaged.
type damage struct {
	groups map[string][]int // the row groups that are left out, by path of the segment
	known  map[TopicPartition]known
}

// known is what is known to have been covered of a partition of which a segment is lost. What is not in a segment is a gap.
type known struct {
	from  int64
	until int64 // 0: no more than the segments that are intact
}

// groupsOf lists the row groups of a segment that are left out.
func (d *damage) groupsOf(s Segment) []int {
	if d == nil {
		return nil
	}
	return d.groups[s.Path]
}

func (d *damage) knownOf(tp TopicPartition) (k known, ok bool) {
	if d != nil {
		k, ok = d.known[tp]
	}
	return k, ok
}

// holdings lists the partitions that have segments or are known to have had some, in order.
func (a *Archive) holdings() []TopicPartition {
	all := a.Partitions()
	if a.damage != nil {
		all = slices.AppendSeq(all, maps.Keys(a.damage.known))
	}
	slices.SortFunc(all, TopicPartition.Compare)
	return slices.Compact(all)
}

// lostSegments are the segments of one partition that cannot be read, or are not there.
type lostSegments struct {
	first, last int64 // their bases
}

func (l *lostSegments) add(base int64) *lostSegments {
	if l == nil {
		return &lostSegments{base, base}
	}
	return &lostSegments{min(l.first, base), max(l.last, base)}
}

// settle says what is known of the partitions that lost a segment. What a last segment covered is known only where the plan has an end.
// If it can be captured again, because other segments are intact and there is a plan, the archive ends before it, and the plan
// says how far it went: at least to one offset.
func (f *intactFinder) settle(id *Identity) map[TopicPartition]known {
	all := map[TopicPartition]known{}
	for tp, lost := range f.lost {
		k, end := known{from: lost.first}, lost.last+1
		plan := rangeOf(id.Capture, tp)
		if plan != nil {
			k.from, end = min(k.from, plan.Start), max(end, plan.End)
		}
		if removed := origin.FindPruned(id.Pruned, tp.Topic, tp.Partition); removed != nil {
			k.from = max(k.from, removed.Until) // no damage took what is before it
		}
		last := f.last[tp]
		switch {
		case last == nil:
			k.until = end
		case lost.last < last.NextOffset:
		case plan == nil:
			k.until = end
		default:
			plan.End = end
		}
		if last != nil {
			k.from = min(k.from, f.segments[tp][0].Base)
		}
		all[tp] = k
	}
	return all
}

// rangeOf is the plan of a partition, in place; nil when there is none.
func rangeOf(p *origin.Plan, tp TopicPartition) *origin.PlanRange {
	if p == nil {
		return nil
	}
	i := slices.IndexFunc(p.Partitions, func(r origin.PlanRange) bool { return r.Topic == tp.Topic && r.Partition == tp.Partition })
	if i < 0 {
		return nil
	}
	return &p.Partitions[i]
}
