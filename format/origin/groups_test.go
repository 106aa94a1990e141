package origin_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/groups"
)

func TestASelectionOfGroupsHasThoseOfItsPartitions(t *testing.T) {
	takes := func(topic string, partition int32) bool { return partition == 1 || topic == "events" }
	got, err := groups.Two().Select(takes, func(topic string) (string, error) { return "z." + strings.TrimPrefix(topic, "events"), nil })
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
	if got, err := groups.Two().Select(func(string, int32) bool { return false }, nil); got != nil || err != nil {
		t.Errorf("of no partition: got %+v, %v, want nothing", got, err)
	}
	failed := errors.New("no name")
	if _, err := groups.Two().Select(nil, func(string) (string, error) { return "", failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of the new name", err)
	}
}
