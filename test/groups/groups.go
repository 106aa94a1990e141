// Package groups has consumer groups as a capture keeps them, for tests.
package groups

import "github.com/karchive/karchive/format/origin"

// Two are a group in two topics and one that is only in orders.
func Two() *origin.Groups {
	g := &origin.Groups{TakenAt: "2026-11-28T10:00:00Z"}
	for _, e := range []origin.End{{Topic: "events", Offset: 3}, {Topic: "orders", Offset: 10}, {Topic: "orders", Partition: 1, Offset: 20}} {
		g.AddEnd(e)
	}
	a, b := origin.Group{ID: "a", State: "Empty"}, origin.Group{ID: "b"}
	a.Add(origin.GroupOffset{Topic: "events", Offset: 2, LeaderEpoch: 4})
	a.Add(origin.GroupOffset{Topic: "orders", Offset: 7, LeaderEpoch: -1})
	a.Add(origin.GroupOffset{Topic: "orders", Partition: 1, Offset: 9, LeaderEpoch: 5, Metadata: "m"})
	b.Add(origin.GroupOffset{Topic: "orders", Offset: 8})
	g.Groups = []origin.Group{a, b}
	return g
}
