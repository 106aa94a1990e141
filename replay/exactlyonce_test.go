package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/test/memfs"
)

// often is many small transactions.
func often() replay.Options {
	return replay.Options{ExactlyOnce: true, CreateTopics: true, TransactionBytes: 2000, FlushTimeout: time.Second}
}

// holds fails unless a reader with read_committed finds exactly the records of r, in their order.
func (c target) holds(t *testing.T, r recording) {
	t.Helper()
	for tp, records := range r.records {
		equal(t, tp.String(), c.committed(t, tp), valuesOf(records))
	}
}

func TestExactlyOnceDeliversAndRemembers(t *testing.T) {
	r := ordersAndEvents(200)
	a, c := r.archive(t), newTarget(t)
	report := c.run(t, a, often())
	equal(t, "acknowledged", report.Acknowledged, int64(600))
	if report.Transactions < 5 {
		t.Errorf("%d transactions, want many", report.Transactions)
	}
	c.holds(t, r)
	report = c.run(t, a, often())
	equal(t, "sent by the second run", [3]int64{report.Sent, report.Plan.Earlier, report.Transactions}, [3]int64{0, 600, 0})
	c.holds(t, r)
}

// everyRequest is the step from one request at which something happens to the next. Short tests take every third.
func everyRequest() int {
	if testing.Short() {
		return 3
	}
	return 1
}

func TestAReplayThatIsKilledAtAnyRequestGoesOnWithNothingLostOrDoubled(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	for _, after := range []bool{false, true} {
		at, dead := 1, true
		for ; dead; at += everyRequest() {
			synctest.Test(t, func(t *testing.T) {
				c, network := newVirtualTarget(t), &mortal{at: at, after: after}
				dead = c.runAndDie(t, a, often(), network)
				c.goOn(t, r, a, often())
			})
		}
		if at < 30 {
			t.Errorf("a replay has %d requests, the test shows little", at)
		}
	}
}

func TestAReplayThatIsKilledAgainAtAnyRequestGoesOnTheSame(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	o := often()
	o.Partitioner = routing.RoundRobin
	for _, first := range []int{18, 25} { // once before a commit, once among them
		at, dead := 1, true
		for ; dead; at += everyRequest() {
			synctest.Test(t, func(t *testing.T) {
				c := newVirtualTarget(t)
				if !c.runAndDie(t, a, o, &mortal{at: first, after: true}) {
					t.Fatal("the first replay is not killed")
				}
				dead = c.runAndDie(t, a, o, &mortal{at: at, after: at%2 == 1})
				c.run(t, a, o)
				c.holdsSpread(t, r)
			})
		}
		if at < 20 {
			t.Errorf("a replay that goes on has %d requests, the test shows little", at)
		}
	}
}

// runAndDie replays with a network that dies, and returns whether it did.
func (c target) runAndDie(t *testing.T, a *format.Archive, o replay.Options, network *mortal) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	network.kill = cancel
	_, err := replay.Run(ctx, network.connect(c), a, o)
	synctest.Wait() // until the target has done what it was asked to
	if !network.died() {
		must(t, err)
	}
	return network.died()
}

// goOn replays after an earlier run, and expects that both together delivered r.
func (c target) goOn(t *testing.T, r recording, a *format.Archive, o replay.Options) replay.Report {
	t.Helper()
	all := int64(0)
	for _, records := range r.records {
		all += int64(len(records))
	}
	report := c.run(t, a, o)
	equal(t, "records before and after", report.Plan.Earlier+report.Acknowledged, all)
	c.holds(t, r)
	return report
}

// holdsSpread fails unless a reader with read_committed finds the records of r where a replay that nobody killed puts them in turn.
func (c target) holdsSpread(t *testing.T, r recording) {
	t.Helper()
	partitions := map[string]int{"orders": 2, "events": 1}
	got, want := make(map[string][]string), make(map[string][]string)
	for tp, records := range r.records {
		for i, v := range valuesOf(records) {
			to := (int(tp.Partition) + i) % partitions[tp.Topic]
			where := fmt.Sprintf("%s/%d in %d", tp.Topic, tp.Partition, to)
			want[where] = append(want[where], v)
		}
		for _, v := range c.committed(t, tp) {
			from, _, _ := strings.Cut(v, "@")
			where := fmt.Sprintf("%s in %d", from, tp.Partition)
			got[where] = append(got[where], v)
		}
	}
	equal(t, "records by where they come from and are", got, want)
}

func TestACancelledReplayCommitsWhatItSent(t *testing.T) {
	r := ordersAndEvents(2000)
	a, c := r.archive(t), newTarget(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := often()
	o.TransactionBytes, o.Lanes = 0, 1 // the end is the only commit
	o.Hooks = []kgo.Hook{&stopAfter{records: 3000, stop: cancel}}
	report, err := replay.Run(ctx, c.connect, a, o)
	if !errors.Is(err, context.Canceled) || !report.Stopped {
		t.Fatalf("error %v, stopped %v, want a replay that was cancelled", err, report.Stopped)
	}
	equal(t, "acknowledged of what was sent", report.Acknowledged, report.Sent)
	if got := c.count(t, r); got != report.Sent || got == 0 || got == 6000 {
		t.Errorf("the target has %d records, want the %d that were sent", got, report.Sent)
	}
	o.Hooks = nil
	c.goOn(t, r, a, o)
}

// count is the number of records of r that a reader with read_committed finds.
func (c target) count(t *testing.T, r recording) int64 {
	t.Helper()
	n := 0
	for tp := range r.records {
		n += len(c.committed(t, tp))
	}
	return int64(n)
}

func TestATimedReplayThatIsKilledGoesOnWithItsScheduleAndShift(t *testing.T) {
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		c := newVirtualTarget(t)
		r := recording{groupSize: 3, records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, 0, 1000, 2000, 3000, 4000, 5000), orders1: timed(orders1, 500, 1500, 2500, 3500, 4500, 5500),
		}}
		r.identity.Topics = []origin.Topic{{Name: "orders", Partitions: 2}}
		a := r.archive(t)
		o := replay.Options{ExactlyOnce: true, CreateTopics: true, Schedule: speed(t, "1"), Timestamps: replay.ShiftTimestamps, FlushTimeout: time.Millisecond}
		o.Pacing.StartAt = time.Now().Add(time.Hour) // which has passed when it goes on
		network := &mortal{}
		time.AfterFunc(time.Hour+2700*time.Millisecond, network.die) // the fifth record came at 2000, the commits before at 1000 and 2000
		if !c.runAndDie(t, a, o, network) {
			t.Fatal("it is not killed")
		}
		time.Sleep(time.Hour)
		o, sent := watched(o)
		report := c.goOn(t, r, a, o)
		if report.Plan.Earlier == 0 || report.Plan.Earlier > 5 {
			t.Fatalf("%d records earlier, want some of the first five", report.Plan.Earlier)
		}
		var after []time.Duration
		for _, d := range sent.all {
			if d.topic == "orders" {
				after = append(after, d.at.Sub(report.Timing.Start))
			}
		}
		equal(t, "records that were sent then", int64(len(after)), 12-report.Plan.Earlier)
		for i := range after {
			equal(t, "distance", after[i], time.Duration(i)*500*time.Millisecond)
		}
		for _, tp := range []format.TopicPartition{orders0, orders1} {
			first := c.committedRecords(t, orders0)[0].Timestamp.UnixMilli() - r.records[orders0][0].TimestampMs
			for i, rec := range c.committedRecords(t, tp) {
				equal(t, "shift", rec.Timestamp.UnixMilli()-r.records[tp][i].TimestampMs, first)
			}
		}
	})
}

func TestAnEmptyArchiveIsReplayed(t *testing.T) {
	files := memfs.New(memfs.Options{})
	created, err := format.Create(files, format.Identity{ClusterID: "source"})
	must(t, err)
	must(t, created.Close())
	a, err := format.Open(files)
	must(t, err)
	c := newTarget(t)
	for range 2 {
		equal(t, "sent", c.run(t, a, often()).Sent, int64(0))
	}
}

func TestADryRunLeavesNothingInTheTarget(t *testing.T) {
	a, c := ordersAndEvents(20).archive(t), newTarget(t)
	fences := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, TopLevel: true, Count: -1})
	o := often()
	o.DryRun = true
	report := c.run(t, a, o)
	equal(t, "planned", report.Plan.Total.Records, int64(60))
	topics, err := c.admin(t).ListTopics(t.Context())
	must(t, err)
	equal(t, "topics and fences", [2]int{len(topics), fences.Hits()}, [2]int{0, 0})
}

func TestOptionsThatTransactionsCannotKeepAreErrors(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t)
	schedule := rate(t, "1/s")
	schedule.Loop = 2
	for what, o := range map[string]replay.Options{
		"acks of the leader":   {ExactlyOnce: true, Acks: replay.AcksLeader},
		"no acks":              {ExactlyOnce: true, Acks: replay.AcksNone},
		"a checkpoint":         {ExactlyOnce: true, Checkpoint: &memory{}},
		"a start in the past":  {ExactlyOnce: true, CreateTopics: true, Pacing: replay.Pacing{StartAt: time.Now().Add(-time.Hour)}},
		"rounds":               {ExactlyOnce: true, Schedule: schedule},
		"a round":              {ExactlyOnce: true, CreateTopics: true, Schedule: timeline.Schedule{Loop: 1}},
		"an id alone":          {ReplayID: "a"},
		"a restart alone":      {Restart: true},
		"an id with a slash":   {ExactlyOnce: true, ReplayID: "a/b"},
		"a long id":            {ExactlyOnce: true, ReplayID: strings.Repeat("a", 201)},
		"negative bytes":       {ExactlyOnce: true, TransactionBytes: -1},
		"rare commits":         {ExactlyOnce: true, CheckpointInterval: time.Minute},
		"a negative time":      {ExactlyOnce: true, TransactionTimeout: -1},
		"the checkpoint topic": {ExactlyOnce: true, CreateTopics: true, Mapping: mapping(t, "orders:="+replay.CheckpointTopic)},
	} {
		if report, err := replay.Run(t.Context(), c.connect, a, o); err == nil {
			t.Errorf("%s: %+v without an error", what, report)
		}
	}
	topics, err := c.admin(t).ListTopics(t.Context())
	must(t, err)
	equal(t, "topics", len(topics), 0)
}

func TestTheCheckpointTopicIsCompactedAndHasOnePartition(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t)
	c.run(t, a, often())
	configs, err := c.admin(t).DescribeTopicConfigs(t.Context(), replay.CheckpointTopic)
	must(t, err)
	policy := ""
	for _, config := range configs[0].Configs {
		if config.Key == "cleanup.policy" {
			policy = config.MaybeValue()
		}
	}
	topics, err := c.admin(t).ListTopicsWithInternal(t.Context(), replay.CheckpointTopic)
	must(t, err)
	equal(t, "partitions and policy", [2]any{len(topics[replay.CheckpointTopic].Partitions), policy}, [2]any{1, "compact"})
}

func TestACheckpointTopicThatForgetsIsRefused(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t)
	_, err := c.admin(t).CreateTopic(t.Context(), 1, 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact,delete")}, replay.CheckpointTopic)
	must(t, err)
	o := often()
	o.Force = true
	_, err = replay.Run(t.Context(), c.connect, a, o)
	refused, ok := errors.AsType[*replay.RefusedError](err)
	if !ok || refused.Findings[0].Code != "checkpoint-topic-cleanup" {
		t.Errorf("error %v, want a refusal of the cleanup policy", err)
	}
}
