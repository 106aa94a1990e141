package capture

import (
	"reflect"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/reshaping"
)

// whenAsked calls a function before each record, and leaves it as it is.
type whenAsked func()

func (f whenAsked) Rules(string) string { return "" }
func (f whenAsked) Steps() string       { return "" }

func (f whenAsked) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	return func(format.TopicPartition, *format.Record) (bool, error) { f(); return true, nil }, func() {}
}

// commit commits an offset for a group.
func (b *broker) commit(group, topic string, partition int32, offset int64) {
	b.t.Helper()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: 0, Metadata: group + "'s"})
	if err := b.admin().CommitAllOffsets(b.t.Context(), group, offsets); err != nil {
		b.t.Fatal(err)
	}
}

func TestGroupsAreKeptWithTheirOffsetsInWhatIsCaptured(t *testing.T) {
	b, p := newBroker(t, kfake.SeedTopics(2, "orders", "users")), newPlace(t)
	b.fill("orders", 0, 10)
	b.fill("orders", 1, 5)
	b.commit("billing", "orders", 1, 3)
	b.commit("billing", "orders", 0, 10)
	b.commit("billing", "users", 0, 0)
	b.commit("users/only", "users", 0, 0)
	report := p.capture(b, Options{Topics: []string{"orders"}, Groups: []string{"b*", "users*"}})
	want := &origin.Groups{
		TakenAt: p.identity().Groups.TakenAt,
		Ends:    []origin.TopicEnds{{Topic: "orders", Partitions: []int32{0, 1}, Ends: []int64{10, 5}}},
		Groups: []origin.Group{{ID: "billing", State: "Empty", Topics: []origin.GroupOffsets{
			{Topic: "orders", Partitions: []int32{0, 1}, Offsets: []int64{10, 3}, LeaderEpochs: []int32{0, 0}, Metadata: []string{"billing's", "billing's"}},
		}}},
	}
	if got := p.identity().Groups; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if report.Groups != 1 || report.Incomplete() {
		t.Errorf("got %+v, want one group and nothing amiss", report)
	}
}

func TestAFollowCaptureKeepsGroupsAsTheyAreAtItsEnd(t *testing.T) {
	b, p := newBroker(t, kfake.SeedTopics(1, "orders")), newPlace(t)
	b.fill("orders", 0, 10)
	b.commit("billing", "orders", 0, 3)
	moved := false
	p.capture(b, Options{Topics: []string{"orders"}, Groups: []string{"*"}, Follow: true, StopAfter: StopAfter{Records: 10}, Reshape: whenAsked(func() {
		if !moved {
			moved = true
			if got := p.identity().Groups.Groups[0].Topics[0].Offsets[0]; got != 3 {
				t.Errorf("at the start: got offset %d, want 3", got)
			}
			b.commit("billing", "orders", 0, 8)
		}
	})})
	if got := p.identity().Groups.Groups[0].Topics[0].Offsets[0]; !moved || got != 8 {
		t.Errorf("at the end: got offset %d, want 8", got)
	}
}

func TestAGroupThatMustNotBeReadMakesTheCaptureIncomplete(t *testing.T) {
	b, p := newBroker(t, kfake.SeedTopics(1, "orders")), newPlace(t)
	b.fill("orders", 0, 3)
	b.commit("secret", "orders", 0, 1)
	b.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		resp.Groups = []kmsg.OffsetFetchResponseGroup{{Group: "secret", ErrorCode: kerr.GroupAuthorizationFailed.Code}}
		return resp, nil, true
	})
	report := p.capture(b, Options{Topics: []string{"orders"}, Groups: []string{"*"}})
	if len(report.UnreadGroups) != 1 || report.UnreadGroups[0].ID != "secret" || !report.Incomplete() || len(report.Warnings) != 1 || report.Records != 3 {
		t.Errorf("got %+v, want all records and secret named", report)
	}
	if got := p.identity().Groups.Unread; len(got) != 1 {
		t.Errorf("the archive: got %+v, want secret", got)
	}
}

// Or a group could be ahead of what is captured.
func TestGroupsAreAskedForBeforeTheEndOffsets(t *testing.T) {
	b, p := newBroker(t, kfake.SeedTopics(1, "orders")), newPlace(t)
	b.fill("orders", 0, 3)
	b.commit("billing", "orders", 0, 2)
	var mu sync.Mutex
	asked, ends, endsFirst := 0, 0, false
	b.ControlKey(int16(kmsg.OffsetFetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		asked++
		return nil, nil, false
	})
	b.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		if latest := int64(-1); req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp == latest {
			ends, endsFirst = ends+1, endsFirst || asked == 0
		}
		return nil, nil, false
	})
	p.capture(b, Options{Topics: []string{"orders"}, Groups: []string{"*"}})
	mu.Lock()
	defer mu.Unlock()
	if asked != 1 || ends == 0 || endsFirst {
		t.Errorf("got %d questions about the group and %d about ends, one of these first: %v; want one, before them", asked, ends, endsFirst)
	}
}
