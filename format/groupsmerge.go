package format

import (
	"maps"
	"slices"
	"strings"
)

// Merge is what two archives keep of groups, in one; nil is nothing. Where both know an end or an offset, that of the later TakenAt counts. TakenAt
// is the earlier one: nothing in it is older.
func (g *Groups) Merge(other *Groups) *Groups {
	if g == nil || other == nil {
		if g == nil {
			return other
		}
		return g
	}
	older, newer := g, other
	if older.TakenAt > newer.TakenAt {
		older, newer = newer, older
	}
	out := &Groups{TakenAt: older.TakenAt, Unread: mergeUnread(older.Unread, newer.Unread)}
	ends := maps.Collect(older.AllEnds)
	maps.Insert(ends, newer.AllEnds)
	for _, tp := range slices.SortedFunc(maps.Keys(ends), TopicPartition.Compare) {
		out.AddEnd(tp, ends[tp])
	}
	groups := make(map[string]Group)
	for _, from := range []*Groups{older, newer} {
		for _, next := range from.Groups {
			before := groups[next.ID]
			groups[next.ID] = mergeGroup(&before, &next)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		out.Groups = append(out.Groups, groups[id])
	}
	return out
}

// mergeGroup adds the offsets of a newer description of a group to those of an older one.
func mergeGroup(older, newer *Group) Group {
	offsets := make(map[TopicPartition]GroupOffset)
	for _, g := range []*Group{older, newer} {
		for o := range g.All {
			offsets[o.Partition] = o
		}
	}
	out := Group{ID: newer.ID, State: newer.State, ProtocolType: newer.ProtocolType}
	for _, tp := range slices.SortedFunc(maps.Keys(offsets), TopicPartition.Compare) {
		out.Add(offsets[tp])
	}
	return out
}

func mergeUnread(older, newer []UnreadGroups) []UnreadGroups {
	all := slices.SortedFunc(slices.Values(slices.Concat(newer, older)), func(a, b UnreadGroups) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b UnreadGroups) bool { return a.ID == b.ID })
}
