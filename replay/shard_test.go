package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// several has topics of one to seven partitions with n records each.
func several(n int) recording {
	r := recording{groupSize: 10, records: make(map[format.TopicPartition][]format.Record)}
	for i := range 4 {
		name := fmt.Sprintf("topic-%d", i)
		for p := range int32(1 + 2*i) {
			tp := format.TopicPartition{Topic: name, Partition: p}
			r.records[tp] = plain(tp, n)
			for at := range r.records[tp] { // no two of the recording have the same time
				r.records[tp][at].TimestampMs = base + int64(100*at+10*i) + int64(p)
			}
		}
	}
	return r
}

// runShards replays all shards at once.
func (c target) runShards(t *testing.T, a *format.Archive, count int, o replay.Options) []replay.Report {
	t.Helper()
	reports, errs := make([]replay.Report, count), make([]error, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			mine := o
			mine.Shard = routing.Shard{Index: i, Count: count}
			reports[i], errs[i] = replay.Run(t.Context(), c.connect, a, mine)
		})
	}
	all.Wait()
	must(t, errors.Join(errs...))
	return reports
}

func TestShardsThatRunAtOncePlayTheArchiveOnceBetweenThem(t *testing.T) {
	r := several(30)
	for what, o := range map[string]replay.Options{
		"plain": {CreateTopics: true}, "exactly once": often(), "exactly once, by a name": {ExactlyOnce: true, ReplayID: "same", CreateTopics: true},
		"by key": {CreateTopics: true, Partitioner: routing.ByKey},
	} {
		a, c := r.archive(t), newTarget(t)
		ids := map[string]bool{}
		for i, report := range c.runShards(t, a, 3, o) {
			ids[report.Plan.ReplayID] = true
			equal(t, "shard", report.Plan.Shard.String(), fmt.Sprintf("%d/3", i))
		}
		if o.ExactlyOnce {
			equal(t, what+": replay ids", len(ids), 3)
		}
		var got, want []string
		for tp, records := range r.records {
			values := c.committed(t, tp)
			got = append(got, values...)
			if o.Partitioner.String() == "keep" {
				equal(t, what+": "+tp.String(), values, valuesOf(records))
			}
		}
		for _, records := range r.records {
			want = append(want, valuesOf(records)...)
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, what+": records", got, want)
	}
}

func TestAShardGoesOnWhereItStopped(t *testing.T) {
	a, c := several(30).archive(t), newTarget(t)
	o := often()
	c.runShards(t, a, 3, o)
	for _, report := range c.runShards(t, a, 3, o) {
		equal(t, "sent again", report.Sent, int64(0))
	}
}

// The partitions of all shards count, although the first one may have only few.
func TestAnyShardMakesTopicsForAllOfThem(t *testing.T) {
	a := several(5).archive(t)
	for i := range 3 {
		c := newTarget(t)
		c.run(t, a, replay.Options{CreateTopics: true, Shard: routing.Shard{Index: i, Count: 3}})
		topics, err := c.admin(t).ListTopics(t.Context())
		must(t, err)
		equal(t, fmt.Sprintf("partitions that shard %d made", i), len(topics["topic-3"].Partitions), 7)
	}
}

func TestTheLimitOfShardsIsThatOfOneReplay(t *testing.T) {
	r := several(30)
	a, one, shards := r.archive(t), newTarget(t), newTarget(t)
	o := replay.Options{CreateTopics: true, Limit: 57}
	one.run(t, a, o)
	var sum int64
	for _, report := range shards.runShards(t, a, 4, o) {
		sum += report.Acknowledged
	}
	equal(t, "records", sum, int64(57))
	for tp := range r.records {
		equal(t, tp.String(), shards.values(t, tp), one.values(t, tp))
	}
}

func TestAShardWithoutAPartitionHasNothingToDo(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t)
	var sum int64
	for _, report := range c.runShards(t, a, 8, replay.Options{CreateTopics: true, ExactlyOnce: true}) {
		sum += report.Acknowledged
	}
	equal(t, "acknowledged by all", sum, int64(15))
}

func TestTheProgressOfAShardIsItsOwn(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t, withTopics())
	shard := routing.Shard{Index: 1, Count: 2}
	for _, run := range [][2]routing.Shard{{shard, {}}, {{}, shard}, {shard, {Index: 0, Count: 2}}, {shard, {Index: 1, Count: 3}}} {
		kept := &memory{}
		c.run(t, a, replay.Options{Checkpoint: kept, Shard: run[0]})
		_, err := replay.Run(t.Context(), c.connect, a, replay.Options{Checkpoint: kept, Shard: run[1]})
		if mismatch, ok := errors.AsType[*replay.MismatchError](err); !ok || mismatch.What != "shard" {
			t.Errorf("%v after %v: error %v, want a MismatchError about the shard", run[1], run[0], err)
		}
	}
}

// What one number of shards sent another one would send again, because its ids are others.
func TestAReplayIsNotBegunAgainInAnotherNumberOfShards(t *testing.T) {
	a := several(5).archive(t)
	named := often()
	named.ReplayID = "moved"
	one, four, five := routing.Shard{}, routing.Shard{Index: 1, Count: 4}, routing.Shard{Index: 1, Count: 5}
	for name, o := range map[string]replay.Options{"by options": often(), "by name": named} {
		for _, run := range [][2]routing.Shard{{four, five}, {{Index: 0, Count: 1}, four}, {four, one}} {
			c := newTarget(t)
			o.Shard = run[0]
			first := c.run(t, a, o)
			o.Shard = run[1]
			_, err := replay.Run(t.Context(), c.connect, a, o)
			mismatch, ok := errors.AsType[*replay.MismatchError](err)
			if !ok || mismatch.What != "shard" || mismatch.ReplayID != first.Plan.ReplayID {
				t.Errorf("%s, %v after %v: error %v, want a MismatchError about the shard of %s", name, run[1], run[0], err, first.Plan.ReplayID)
			}
		}
	}
}

func TestAnotherReplayOrARestartIsNotHeldUpByTheShardsOfOne(t *testing.T) {
	a, c := several(5).archive(t), newTarget(t)
	o := often()
	o.ReplayID = "moved"
	c.runShards(t, a, 4, o)
	for name, change := range map[string]func(*replay.Options){
		"by options": func(o *replay.Options) { o.ReplayID = "" }, "another name": func(o *replay.Options) { o.ReplayID = "moved-again" },
		"a name with more behind it": func(o *replay.Options) { o.ReplayID = "moved-1of4-5of6" }, "the first part of the name": func(o *replay.Options) { o.ReplayID = "move" },
		"begun anew": func(o *replay.Options) { o.Restart = true },
	} {
		again := o
		change(&again)
		again.Shard = routing.Shard{Index: 1, Count: 2}
		if report := c.run(t, a, again); report.Sent == 0 {
			t.Errorf("%s: nothing was sent", name)
		}
		again.Restart = false
		equal(t, name+": sent when it goes on", c.run(t, a, again).Sent, int64(0))
	}
	for _, report := range c.runShards(t, a, 4, o) {
		equal(t, "sent by the four, which had begun", report.Sent, int64(0))
	}
}

// A replay of a newer program, of which only the name can be understood.
func TestAShardOfThisReplayThatCannotBeUnderstoodIsNotOverlooked(t *testing.T) {
	a := several(5).archive(t)
	for id, want := range map[string]error{"moved-0of3": replay.ErrProgress, "moved": replay.ErrProgress, "moved-0of2": nil, "moved-01of3": nil, "moved-9of3": nil, "other": nil} {
		c := newTarget(t)
		o := often()
		o.ReplayID, o.Shard = "first", routing.Shard{}
		c.run(t, a, o)
		c.put(t, replay.CheckpointTopic, id, `{"karchive_checkpoint":2}`)
		o.ReplayID, o.Shard = "moved", routing.Shard{Index: 1, Count: 2}
		if _, err := replay.Run(t.Context(), c.connect, a, o); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", id, err, want)
		}
	}
}

// put produces a record to partition 0 of a topic.
func (c target) put(t *testing.T, topic, key, value string) {
	t.Helper()
	cl, err := kgo.NewClient(append(slices.Clone(c.connect), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	must(t, err)
	defer cl.Close()
	must(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(value)}).FirstErr())
}

func TestShardsGoByOneClock(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := recording{records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, 500, 1000), orders1: timed(orders1, 250, 4000), events0: timed(events0, 0, 750),
		}}.archive(t)
		for _, timestamps := range []replay.Timestamps{replay.KeepTimestamps, replay.ShiftTimestamps} {
			start := time.Now().Add(time.Minute)
			var got []time.Duration
			for i := range 3 {
				o, sent := watched(replay.Options{
					Schedule: speed(t, "1"), Shard: routing.Shard{Index: i, Count: 3}, Pacing: replay.Pacing{StartAt: start}, Timestamps: timestamps,
				})
				c.run(t, a, o)
				for _, d := range sent.all {
					got = append(got, d.at.Sub(start))
				}
				start = start.Add(time.Minute)
			}
			slices.Sort(got)
			ms := time.Millisecond
			equal(t, "after the start", got, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms, 1000 * ms, 4000 * ms})
		}
	})
}

func TestShardsShiftTimestampsAlike(t *testing.T) {
	for what, o := range map[string]replay.Options{"in time": {Schedule: speed(t, "100")}, "at top speed": {}} {
		virtually(t, func(t *testing.T, c target) {
			records := map[format.TopicPartition][]format.Record{orders0: timed(orders0, 500), orders1: timed(orders1, 250), events0: timed(events0, 1000)}
			a := recording{records: records}.archive(t)
			o.Timestamps, o.Pacing.StartAt = replay.ShiftTimestamps, time.Now().Add(time.Minute)
			c.runShards(t, a, 2, o)
			for tp, sent := range records {
				got := c.contents(t, tp.Topic)[tp.Partition][0].Timestamp.UnixMilli()
				equal(t, what+": "+tp.String(), got-o.Pacing.StartAt.UnixMilli(), sent[0].TimestampMs-records[orders1][0].TimestampMs)
			}
		})
	}
}

func TestShardsSetTheirPartsOfGroups(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t)
	set := map[string]int{}
	for _, report := range c.runShards(t, a, 3, replay.Options{CreateTopics: true, Groups: all()}) {
		for _, p := range report.Groups {
			if !p.Set || !p.Exact {
				t.Errorf("got %+v, want it exact and set", p)
			}
			set[p.Group]++
		}
	}
	for id, at := range wide {
		equal(t, "offsets of "+id, set[id], len(at))
		missed, again := c.unread(t, id, wide)
		equal(t, "missed by "+id, missed, nil)
		equal(t, "read again by "+id, again, nil)
	}
}

func TestGroupsWhosePlaceSeveralShardsKnowAPartOfAreRefused(t *testing.T) {
	r := ordersAndEvents(10).with(map[string]places{"billing": {orders0: 3, {Topic: "orders", Partition: 5}: 7}})
	a := r.archive(t)
	for what, o := range map[string]replay.Options{
		"by key": {Partitioner: routing.ByKey}, "joined": {Partitioner: routing.Table(map[int32]int32{1: 0, 5: 0})},
		"joined with what has no record": {Partitioner: routing.Table(map[int32]int32{5: 0})},
	} {
		c := newTarget(t, withTopics())
		refused := 0
		for i := range 2 {
			o.Groups, o.Shard = all(), routing.Shard{Index: i, Count: 2}
			_, err := replay.Run(t.Context(), c.connect, a, o)
			if e, ok := errors.AsType[*replay.RefusedError](err); ok && e.Findings[0].Code == "group-shards" {
				refused++
			} else {
				must(t, err)
			}
		}
		equal(t, what+": shards that refused", refused, 2)
	}
}

// What the other shards send must not look as if somebody had been there.
func TestAShardLooksOnlyWhereNoOtherOneSends(t *testing.T) {
	a, c := ordersAndEvents(10).archive(t), newTarget(t)
	for i := range 2 {
		o := replay.Options{CreateTopics: true, Shard: routing.Shard{Index: i, Count: 2}}
		equal(t, fmt.Sprintf("findings of shard %d", i), c.run(t, a, o).Plan.Findings, nil)
		again := c.run(t, a, o).Plan.Findings
		if len(again) == 0 || again[0].Code != "sent-before" {
			t.Errorf("got %+v when shard %d runs again, want sent-before", again, i)
		}
	}
}
