package format_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

// twoGroups are a group in two topics and one that is only in orders.
func twoGroups() *format.Groups {
	g := &format.Groups{TakenAt: "2026-11-28T10:00:00Z"}
	events, orders0, orders1 := format.TopicPartition{Topic: "events"}, format.TopicPartition{Topic: "orders"}, format.TopicPartition{Topic: "orders", Partition: 1}
	g.AddEnd(events, 3)
	g.AddEnd(orders0, 10)
	g.AddEnd(orders1, 20)
	a, b := format.Group{ID: "a", State: "Empty"}, format.Group{ID: "b"}
	a.Add(format.GroupOffset{Partition: events, Offset: 2, LeaderEpoch: 4})
	a.Add(format.GroupOffset{Partition: orders0, Offset: 7, LeaderEpoch: -1})
	a.Add(format.GroupOffset{Partition: orders1, Offset: 9, LeaderEpoch: 5, Metadata: "m"})
	b.Add(format.GroupOffset{Partition: orders0, Offset: 8})
	g.Groups = []format.Group{a, b}
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

func TestASelectionOfGroupsHasThoseOfItsPartitions(t *testing.T) {
	takes := func(tp format.TopicPartition) bool { return tp.Partition == 1 || tp.Topic == "events" }
	got, err := twoGroups().Select(takes, func(topic string) (string, error) { return "z." + strings.TrimPrefix(topic, "events"), nil })
	if err != nil {
		t.Fatal(err)
	}
	want := &format.Groups{TakenAt: "2026-11-28T10:00:00Z",
		Ends: []format.TopicEnds{{Topic: "z.", Partitions: []int32{0}, Ends: []int64{3}}, {Topic: "z.orders", Partitions: []int32{1}, Ends: []int64{20}}},
		Groups: []format.Group{{ID: "a", State: "Empty", Topics: []format.GroupOffsets{
			{Topic: "z.", Partitions: []int32{0}, Offsets: []int64{2}, LeaderEpochs: []int32{4}},
			{Topic: "z.orders", Partitions: []int32{1}, Offsets: []int64{9}, LeaderEpochs: []int32{5}, Metadata: []string{"m"}},
		}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := twoGroups().Select(func(format.TopicPartition) bool { return false }, nil); got != nil || err != nil {
		t.Errorf("of no partition: got %+v, %v, want nothing", got, err)
	}
	failed := errors.New("no name")
	if _, err := twoGroups().Select(nil, func(string) (string, error) { return "", failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of the new name", err)
	}
}
