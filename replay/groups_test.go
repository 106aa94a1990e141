package replay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/reshaping"
	"github.com/karchive/karchive/selection"
)

// places are where a group is.
type places map[format.TopicPartition]int64

// with gives the recording groups.
func (r recording) with(groups map[string]places) recording {
	kept := &origin.Groups{TakenAt: "2026-11-28T10:00:00Z"}
	all := places{}
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		g := origin.Group{ID: id}
		for _, tp := range slices.SortedFunc(maps.Keys(groups[id]), func(a, b format.TopicPartition) int { return strings.Compare(a.String(), b.String()) }) {
			g.Add(origin.GroupOffset{Topic: tp.Topic, Partition: tp.Partition, Offset: groups[id][tp], LeaderEpoch: 1, Metadata: "of " + id})
			all[tp] = 0
		}
		kept.Groups = append(kept.Groups, g)
	}
	for _, tp := range slices.SortedFunc(maps.Keys(all), func(a, b format.TopicPartition) int { return strings.Compare(a.String(), b.String()) }) {
		kept.AddEnd(origin.End{Topic: tp.Topic, Partition: tp.Partition, Offset: 1000})
	}
	r.identity.Groups = kept
	return r
}

// unread is what a group reads in the target, by where the record comes from, and what it has read before as groups says.
func (c target) unread(t *testing.T, id string, groups map[string]places) (missed, again []string) {
	t.Helper()
	offsets, err := c.admin(t).FetchOffsets(t.Context(), id)
	must(t, err)
	offsets.Each(func(o kadm.OffsetResponse) {
		for _, r := range c.committedRecords(t, format.TopicPartition{Topic: o.Topic, Partition: o.Partition}) {
			from, offset, ours := originOf(string(r.Value))
			committed, known := groups[id][from]
			read := known && offset < committed
			switch {
			case ours && read && r.Offset >= o.At:
				again = append(again, string(r.Value))
			case ours && !read && r.Offset < o.At:
				missed = append(missed, string(r.Value))
			}
		}
	})
	return missed, again
}

// originOf reads a value of plain.
func originOf(value string) (tp format.TopicPartition, offset int64, ok bool) {
	value = strings.Replace(strings.TrimPrefix(value, "masked "), "/", " ", 1)
	n, _ := fmt.Sscanf(strings.Replace(value, "@", " ", 1), "%s %d %d", &tp.Topic, &tp.Partition, &offset)
	return tp, offset, n == 3
}

// goesOn fails unless groups read what they had not, and nothing twice, and there is an offset for each.
func (c target) goesOn(t *testing.T, groups map[string]places, report replay.Report) {
	t.Helper()
	for id := range groups {
		missed, again := c.unread(t, id, groups)
		equal(t, "missed by "+id, missed, nil)
		equal(t, "read again by "+id, again, nil)
	}
	set := map[string]int{}
	for _, p := range report.Groups {
		if !p.Set || !p.Exact {
			t.Errorf("got %+v, want it exact and set", p)
		}
		set[p.Group] += len(p.From)
	}
	for id, at := range groups {
		if set[id] != len(at) {
			t.Errorf("group %s: got %d offsets set, want %d", id, set[id], len(at))
		}
	}
}

// gapped has two partitions of orders, one with gaps, and one of events.
func gapped() recording {
	r := ordersAndEvents(40)
	r.records[orders0] = slices.DeleteFunc(r.records[orders0], func(r format.Record) bool { return r.Offset >= 10 && r.Offset < 20 })
	return r
}

// wide are groups at the beginning, the end, in the gap, beyond what is archived, and in some partitions only.
var wide = map[string]places{
	"begin": {orders0: 0, orders1: 0, events0: 0}, "end": {orders0: 40, orders1: 40}, "gap": {orders0: 13, orders1: 7}, "beyond": {orders0: 900},
	"some": {events0: 39},
}

func all() replay.Groups { return replay.Groups{Select: []string{"*"}} }

func TestGroupsGoOnBehindWhatTheTargetHadAlready(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t, withTopics())
	first := c.run(t, a, replay.Options{Groups: all()})
	c.goesOn(t, wide, first)
	second := c.run(t, a, replay.Options{Groups: replay.Groups{Select: []string{"gap"}}})
	equal(t, "positions", positions(second), map[string]int64{"gap orders-0": 30 + 10, "gap orders-1": 40 + 7})
	if before := second.Groups[0].Before; before == nil || *before != 10 {
		t.Errorf("got %v committed before, want 10", before)
	}
	there, err := c.admin(t).FetchOffsets(t.Context(), "gap")
	must(t, err)
	if o, _ := there.Lookup("orders", 0); o.At != 40 || o.Metadata != "of gap" {
		t.Errorf("got %+v in the target, want 40 with its metadata", o)
	}
}

func TestAGroupBeforeWhatIsSentIsAWarning(t *testing.T) {
	groups := map[string]places{"behind": {orders0: 5}, "gap": {orders0: 13}, "none": {orders1: 3}, "there": {events0: 30}}
	a, c := gapped().with(groups).archive(t), newTarget(t, withTopics())
	c.run(t, a, replay.Options{Until: selection.AtOffset(20)})
	for id, want := range map[string]string{"behind": "had read orders-0 up to offset 5, and what is sent begins at 20", "gap": "", "there": "", "none": "had read orders-1 up to offset 3, and what is sent begins at 20"} {
		report := c.run(t, a, replay.Options{Groups: replay.Groups{Select: []string{id}}, From: selection.AtOffset(20), DryRun: true})
		got := ""
		for _, f := range report.Plan.Findings {
			if f.Code == "group-unsent" {
				got = f.What
			}
		}
		if !strings.HasSuffix(got, want) || (got == "") != (want == "") {
			t.Errorf("group %s: got %q, want %q", id, got, want)
		}
	}
}

func positions(r replay.Report) map[string]int64 {
	out := map[string]int64{}
	for _, p := range r.Groups {
		out[fmt.Sprintf("%s %s-%d", p.Group, p.Topic, p.Partition)] = p.Offset
	}
	return out
}

func TestGroupsGoOnThroughRulesMapsAndTables(t *testing.T) {
	table := routing.Table(map[int32]int32{0: 3, 1: 2})
	rename, err := routing.ParseMapping("*:=copy.*")
	must(t, err)
	for name, o := range map[string]replay.Options{
		"rules": {Reshape: &rules{name: "r"}}, "a table": {Partitioner: table}, "a map": {Mapping: rename},
		"everything": {Reshape: &rules{name: "r"}, Partitioner: table, Mapping: rename, ExactlyOnce: true, TransactionBytes: 500},
		"in time":    {Schedule: timeline.Schedule{Pace: timeline.Rate(1e6, time.Second)}, Reshape: &rules{name: "r"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := gapped().with(wide)
			for i := range r.identity.Topics {
				r.identity.Topics[i].Partitions = 4
			}
			o.Groups, o.CreateTopics = all(), true
			c := newTarget(t)
			c.goesOn(t, wide, c.run(t, r.archive(t), o))
		})
	}
}

func TestAGroupOfWhichNothingIsSentGoesOnAtTheEnd(t *testing.T) {
	groups := map[string]places{"g": {orders0: 3, orders1: 40}}
	a, c := ordersAndEvents(40).with(groups).archive(t), newTarget(t, withTopics())
	c.run(t, a, replay.Options{Topics: []string{"orders"}})
	report := c.run(t, a, replay.Options{Groups: all(), Reshape: nothing{}})
	equal(t, "positions", positions(report), map[string]int64{"g orders-0": 40, "g orders-1": 40})
}

// nothing leaves all out.
type nothing struct{}

func (nothing) Rules(string) string { return "nothing" }
func (nothing) Steps() string       { return "filter" }

func (nothing) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	return func(format.TopicPartition, *format.Record) (bool, error) { return false, nil }, func() {}
}

func TestByKeyAGroupMissesNothingAndIsToldWhatIsNotExact(t *testing.T) {
	for _, groups := range []map[string]places{{"g": {orders0: 20, orders1: 20}}, {"g": {orders0: 35, orders1: 2}}, {"g": {orders0: 30}}, {"g": {orders0: 40, orders1: 40}}} {
		r := ordersAndEvents(40).with(groups)
		r.identity.Topics[1].Partitions = 3
		c := newTarget(t)
		report := c.run(t, r.archive(t), replay.Options{Topics: []string{"orders"}, Partitioner: routing.ByKey, CreateTopics: true, Groups: all()})
		missed, again := c.unread(t, "g", groups)
		equal(t, "missed", missed, nil)
		exact := !slices.ContainsFunc(report.Groups, func(p replay.GroupPosition) bool { return !p.Exact })
		if len(report.Groups) != 3 || exact != (len(again) == 0) {
			t.Errorf("%v: got %+v, read again %v, want 3 positions that say what is exact", groups, report.Groups, again)
		}
	}
}

func TestAGroupWithMembersIsRefusedBeforeAnythingIsSent(t *testing.T) {
	a, c := ordersAndEvents(10).with(map[string]places{"live": {orders0: 3}}).archive(t), newTarget(t, withTopics())
	consumer, err := kgo.NewClient(append(slices.Clone(c.connect), kgo.ConsumerGroup("live"), kgo.ConsumeTopics("orders"))...)
	must(t, err)
	defer consumer.Close()
	ready, cancel := context.WithCancel(t.Context())
	joined := make(chan bool)
	go func() { consumer.PollFetches(ready); close(joined) }()
	for {
		listed, err := c.admin(t).ListGroups(t.Context())
		must(t, err)
		if listed["live"].State == "Stable" {
			break
		}
	}
	for _, o := range []replay.Options{{Groups: all()}, {Groups: all(), Force: true}, {Groups: all(), DryRun: true}} {
		report, err := replay.Run(t.Context(), c.connect, a, o)
		if refused, ok := errors.AsType[*replay.RefusedError](err); !ok || refused.Findings[0].Code != "group-members" || report.Sent != 0 {
			t.Errorf("got %v and %d records sent, want a refusal", err, report.Sent)
		}
	}
	_, err = replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{})
	if want := "no group was set: group live has members in the target"; !errors.As(err, new(*replay.RefusedError)) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("without a replay: got %v, want %s", err, want)
	}
	cancel()
	<-joined
	if report := c.run(t, a, replay.Options{Groups: replay.Groups{Select: []string{"live"}, OnlyReport: true}}); report.Groups[0].Offset != 3 || report.Groups[0].Set {
		t.Errorf("only to report: got %+v, want where it belongs", report.Groups)
	}
}

func TestADryRunSaysWhichGroupsWouldBeSet(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t)
	report := c.run(t, a, replay.Options{Groups: all(), DryRun: true, CreateTopics: true})
	if len(report.Groups) != 9 || report.Groups[3].Offset != -1 || report.Groups[3].From[0].Offset != 900 {
		t.Errorf("got %+v, want nine without an offset", report.Groups)
	}
}

func TestACommitThatIsNotThereIsAnError(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t, withTopics())
	c.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if req.(*kmsg.OffsetCommitRequest).Group != "gap" {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, topic := range req.(*kmsg.OffsetCommitRequest).Topics {
			rt := kmsg.OffsetCommitResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
			for _, p := range topic.Partitions {
				rt.Partitions = append(rt.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition})
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	report, err := replay.Run(t.Context(), c.connect, a, replay.Options{Groups: all()})
	if !errors.Is(err, replay.ErrGroups) || !strings.Contains(err.Error(), "group gap: the target took") {
		t.Errorf("got %v, want ErrGroups about gap", err)
	}
	if report.GroupFailure != err.Error() {
		t.Errorf("the report says %q, want %v", report.GroupFailure, err)
	}
	for _, p := range report.Groups {
		if p.Set != (p.Group != "gap") {
			t.Errorf("got %+v, want all but gap set", p)
		}
	}
}

func TestWhatGroupsDoNotGoTogetherWithIsRefused(t *testing.T) {
	a, c := ordersAndEvents(3).with(map[string]places{"g": {orders0: 1}}).archive(t), newTarget(t, withTopics())
	for _, o := range []replay.Options{
		{Groups: all(), Schedule: timeline.Schedule{Loop: 2}}, {Groups: all(), Acks: replay.AcksNone}, {Groups: replay.Groups{OnlyReport: true}},
	} {
		if _, err := replay.Run(t.Context(), c.connect, a, o); !errors.Is(err, replay.ErrOptions) {
			t.Errorf("%+v: got %v, want ErrOptions", o.Groups, err)
		}
	}
	for _, pattern := range []string{"other", "h*"} {
		if _, err := replay.Run(t.Context(), c.connect, a, replay.Options{Groups: replay.Groups{Select: []string{"g", pattern}}}); !errors.Is(err, replay.ErrNoGroup) {
			t.Errorf("%s: got %v, want ErrNoGroup", pattern, err)
		}
	}
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{Groups: all(), Partitioner: routing.Table(map[int32]int32{0: 7})})
	if refused, ok := errors.AsType[*replay.RefusedError](err); !ok || !slices.ContainsFunc(refused.Findings, func(f replay.Finding) bool { return f.Code == "group-partition" }) {
		t.Errorf("a partition that is not there: got %v, want a refusal", err)
	}
}

func TestProgressWithoutGroupsCannotGoOnWithThem(t *testing.T) {
	a, c, saved := gapped().with(wide).archive(t), newTarget(t, withTopics()), &memory{}
	c.run(t, a, replay.Options{Checkpoint: saved})
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{Checkpoint: saved, Groups: all()})
	if mismatch, ok := errors.AsType[*replay.MismatchError](err); !ok || mismatch.What != "groups" {
		t.Errorf("got %v, want a mismatch of groups", err)
	}
}

func TestAReplayThatGoesOnKnowsWhereGroupsBelong(t *testing.T) {
	r := gapped().with(wide)
	a := r.archive(t)
	readOnce(t)
	deaths := 0
	for dead := true; dead; deaths += 2 {
		synctest.Test(t, func(t *testing.T) {
			c, saved := newVirtualTarget(t), &memory{}
			o := replay.Options{Checkpoint: saved, CheckpointInterval: 1, CreateTopics: true, Groups: all(), FlushTimeout: time.Second}
			dead = c.runAndDie(t, a, o, &mortal{at: deaths + 1, after: deaths%4 == 0})
			report := c.run(t, a, o)
			for id := range wide {
				missed := c.unreadOfLast(t, id)
				equal(t, "missed by "+id, missed, nil)
			}
			again := c.run(t, a, o)
			equal(t, "positions of a replay that has nothing left to send", positions(again), positions(report))
		})
	}
	if deaths < 10 {
		t.Errorf("a replay has %d requests, the test shows little", deaths)
	}
}

// unreadOfLast is unread of wide, where what is there twice counts once: a record is missed if no copy of it is read.
func (c target) unreadOfLast(t *testing.T, id string) (missed []string) {
	t.Helper()
	offsets, err := c.admin(t).FetchOffsets(t.Context(), id)
	must(t, err)
	offsets.Each(func(o kadm.OffsetResponse) {
		reads := map[string]bool{}
		for _, r := range c.committedRecords(t, format.TopicPartition{Topic: o.Topic, Partition: o.Partition}) {
			reads[string(r.Value)] = reads[string(r.Value)] || r.Offset >= o.At
		}
		for value, read := range reads {
			from, offset, ours := originOf(value)
			if committed := wide[id][from]; ours && offset >= committed && !read {
				missed = append(missed, value)
			}
		}
	})
	return missed
}

func TestExactlyOnceGroupsGoOnWhereverTheReplayWasKilled(t *testing.T) {
	r := gapped().with(wide)
	a := r.archive(t)
	readOnce(t)
	o := often()
	o.Groups, o.TransactionBytes = all(), 1000
	deaths := 0
	for dead := true; dead; deaths += 3 {
		synctest.Test(t, func(t *testing.T) {
			c := newVirtualTarget(t)
			dead = c.runAndDie(t, a, o, &mortal{at: deaths + 1, after: deaths%2 == 0})
			c.goesOn(t, wide, c.run(t, a, o))
		})
	}
	if deaths < 30 {
		t.Errorf("a replay has %d requests, the test shows little", deaths)
	}
}
