package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/replay"
)

func TestGroupsAreRestoredByTime(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t, withTopics())
	c.run(t, a, replay.Options{})
	dry, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{DryRun: true})
	must(t, err)
	set, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{})
	must(t, err)
	equal(t, "positions", positions(replay.Report{Groups: set}), map[string]int64{
		"begin orders-0": 0, "begin orders-1": 0, "begin events-0": 0, "end orders-0": 30, "end orders-1": 40, "gap orders-0": 10, "gap orders-1": 7,
		"beyond orders-0": 30, "some events-0": 39,
	})
	equal(t, "positions of the dry run", positions(replay.Report{Groups: dry}), positions(replay.Report{Groups: set}))
	for i := range set {
		if !set[i].Set || set[i].Exact || dry[i].Set || dry[i].Before != nil {
			t.Errorf("got %+v after %+v, want it set, and not said to be exact", set[i], dry[i])
		}
	}
	missed, _ := c.unread(t, "gap", wide)
	equal(t, "missed", missed, nil)
}

func TestAGroupMissesNothingThatTheArchiveLacks(t *testing.T) {
	whole, c := ordersAndEvents(40).archive(t), newTarget(t, withTopics())
	c.run(t, whole, replay.Options{})
	groups := map[string]places{"g": {orders0: 5, orders1: 7, events0: 20}, "late": {orders0: 30, events0: 12}, "done": {orders1: 1000}, "ahead": {events0: 35}}
	kept := ordersAndEvents(40).with(groups)
	kept.records[orders0] = kept.records[orders0][20:]
	delete(kept.records, orders1) // nothing of it was captured
	kept.records[events0] = kept.records[events0][:30]
	kept.lost = map[format.TopicPartition]ledger.Gap{events0: {From: 10, Until: 15, Reason: ledger.Corrupt}}
	set, err := replay.RestoreGroups(t.Context(), c.connect, kept.archive(t), replay.RestoreOptions{})
	must(t, err)
	equal(t, "positions", positions(replay.Report{Groups: set}), map[string]int64{
		"g orders-0": 0, "g orders-1": 0, "g events-0": 20, "late orders-0": 30, "late events-0": 9, "done orders-1": 40, "ahead events-0": 30,
	})
	lacking := map[string]bool{"g orders": true, "late events": true, "ahead events": true}
	for _, p := range set {
		if want := lacking[p.Group+" "+p.Topic]; p.Lacking != want {
			t.Errorf("group %s in %s-%d: lacking is %v, want %v", p.Group, p.Topic, p.Partition, p.Lacking, want)
		}
	}
	for id := range groups {
		missed, _ := c.unread(t, id, groups)
		equal(t, "missed by "+id, missed, nil)
	}
}

func TestWhatRulesLeftOutMayBeWhatAGroupReadsNext(t *testing.T) {
	whole, c := ordersAndEvents(40).archive(t), newTarget(t, withTopics())
	c.run(t, whole, replay.Options{})
	groups := map[string]places{"g": {events0: 25}, "kept": {events0: 30}}
	sampled := ordersAndEvents(40).with(groups)
	sampled.records[events0] = slices.DeleteFunc(sampled.records[events0], func(r format.Record) bool { return r.Offset%10 != 0 })
	sampled.filtered = true
	set, err := replay.RestoreGroups(t.Context(), c.connect, sampled.archive(t), replay.RestoreOptions{})
	must(t, err)
	equal(t, "positions", positions(replay.Report{Groups: set}), map[string]int64{"g events-0": 20, "kept events-0": 30})
}

func TestWhatCannotBeRestoredIsRefused(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t)
	if _, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{}); !errors.As(err, new(*replay.MissingTopicsError)) {
		t.Errorf("without topics: got %v, want a MissingTopicsError", err)
	}
	if _, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{Select: []string{"other"}}); !errors.Is(err, replay.ErrNoGroup) {
		t.Errorf("another group: got %v, want ErrNoGroup", err)
	}
}

// requests counts what a client sends, by kind.
type requests struct {
	mu  sync.Mutex
	all map[int16]int
}

func (r *requests) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[key]++
}

func (r *requests) of(key kmsg.Key) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[key.Int16()]
}

func TestEachGroupTakesThreeQuestionsAndTheTopicsAreAskedForOnce(t *testing.T) {
	restored := func(n int) *requests {
		groups := map[string]places{}
		for i := range n {
			groups[fmt.Sprintf("group-%02d", i)] = places{orders0: 5, orders1: 7}
		}
		a, c, sent := gapped().with(groups).archive(t), newTarget(t, withTopics()), &requests{all: map[int16]int{}}
		c.run(t, a, replay.Options{})
		set, err := replay.RestoreGroups(t.Context(), append(slices.Clone(c.connect), kgo.WithHooks(sent)), a, replay.RestoreOptions{})
		must(t, err)
		equal(t, "positions", len(set), 2*n)
		return sent
	}
	few, many := restored(2), restored(30)
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.ListGroups, kmsg.ListOffsets} {
		if few.of(key) != many.of(key) {
			t.Errorf("%s: got %d for 30 groups and %d for 2, want as many", key.Name(), many.of(key), few.of(key))
		}
	}
	for key, want := range map[kmsg.Key]int{kmsg.OffsetCommit: 30, kmsg.OffsetFetch: 2 * 30} { // before, and read back
		if got := many.of(key); got != want {
			t.Errorf("%s: got %d for 30 groups, want %d", key.Name(), got, want)
		}
	}
}
