package origin_test

import (
	"errors"
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

func TestASelectionOfGroupsHasThoseOfItsPartitions(t *testing.T) {
	takes := func(topic string, partition int32) bool { return partition == 1 || topic == "events" }
	got, err := twoGroups().Select(takes, func(topic string) (string, error) { return "z." + strings.TrimPrefix(topic, "events"), nil })
	if err != nil {
		t.Fatal(err)
	}
	want := &origin.Groups{TakenAt: "2026-11-28T10:00:00Z",
		Ends: []origin.TopicEnds{{Topic: "z.", Partitions: []int32{0}, Ends: []int64{3}}, {Topic: "z.orders", Partitions: []int32{1}, Ends: []int64{20}}},
		Groups: []origin.Group{{ID: "a", State: "Empty", Topics: []origin.GroupOffsets{
			{Topic: "z.", Partitions: []int32{0}, Offsets: []int64{2}, LeaderEpochs: []int32{4}},
			{Topic: "z.orders", Partitions: []int32{1}, Offsets: []int64{9}, LeaderEpochs: []int32{5}, Metadata: []string{"m"}},
		}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := twoGroups().Select(func(string, int32) bool { return false }, nil); got != nil || err != nil {
		t.Errorf("of no partition: got %+v, %v, want nothing", got, err)
	}
	failed := errors.New("no name")
	if _, err := twoGroups().Select(nil, func(string) (string, error) { return "", failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of the new name", err)
	}
}
