package origin

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
	ends := make(map[partition]End)
	for _, g := range []*Groups{older, newer} {
		for e := range g.AllEnds {
			ends[partition{e.Topic, e.Partition}] = e
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(ends), partition.compare) {
		out.AddEnd(ends[p])
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
	offsets := make(map[partition]GroupOffset)
	for _, g := range []*Group{older, newer} {
		for o := range g.All {
			offsets[o.partition()] = o
		}
	}
	out := Group{ID: newer.ID, State: newer.State, ProtocolType: newer.ProtocolType}
	for _, p := range slices.SortedFunc(maps.Keys(offsets), partition.compare) {
		out.Add(offsets[p])
	}
	return out
}

func mergeUnread(older, newer []UnreadGroup) []UnreadGroup {
	all := slices.SortedFunc(slices.Values(slices.Concat(newer, older)), func(a, b UnreadGroup) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b UnreadGroup) bool { return a.ID == b.ID })
}
