package format_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/origin"
)

// twoGroups are a group in two topics and one that is only in orders.
func twoGroups() *origin.Groups {
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

func TestGroupsAreKeptAndNeedANewerVersion(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	id := a.Identity()
	id.Groups = twoGroups()
	if err := a.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	got := mustOpen(t, fsys).Identity()
	if got.Version != "1.2" || !reflect.DeepEqual(got.Groups, twoGroups()) {
		t.Errorf("got version %s and %+v, want 1.2 and %+v", got.Version, got.Groups, twoGroups())
	}
	got.Groups = nil
	if err := a.SetIdentity(got); err != nil {
		t.Fatal(err)
	}
	if got := mustOpen(t, fsys).Identity(); got.Version == "1.2" || got.Groups != nil {
		t.Errorf("without groups: got version %s and %+v, want the version before and none", got.Version, got.Groups)
	}
}

func TestGroupsThatCannotBeAreNotWritten(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t))
	id := a.Identity()
	id.Groups = twoGroups()
	id.Groups.Groups[1].Topics[0].Offsets[0] = -1
	if err := a.SetIdentity(id); err == nil || !strings.Contains(err.Error(), `group "b"`) {
		t.Errorf("got %v, want an error about group b", err)
	}
}
