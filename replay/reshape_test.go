package replay_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/reshaping"
)

// rules leave out orders of offsets 10 to 29 and odd ones, and change the values of all others.
type rules struct {
	name    string
	fail    int64 // offset of a record about which they cannot be decided; 0: none
	applied atomic.Int64
}

var errUndecided = errors.New("cannot be decided")

func (r *rules) Rules(string) string { return r.name }

func (r *rules) Steps() string { return "filter, mask" }

func (r *rules) Begin(how reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	apply := func(tp format.TopicPartition, rec *format.Record) (bool, error) {
		if !how.Trial {
			r.applied.Add(1)
		}
		if r.fail != 0 && tp == orders0 && rec.Offset == r.fail {
			return false, errUndecided
		}
		rec.Value = append([]byte("masked "), rec.Value...)
		return tp.Topic != "orders" || (rec.Offset < 10 || rec.Offset >= 30) && rec.Offset%2 == 0, nil
	}
	return apply, func() {}
}

func (r *rules) want(tp format.TopicPartition, records []format.Record) []string {
	apply, _ := r.Begin(reshaping.Use{Trial: true})
	var out []string
	for _, rec := range records {
		if stays, _ := apply(tp, &rec); stays {
			out = append(out, string(rec.Value))
		}
	}
	return out
}

func TestRulesApplyAtTopSpeedAndInTime(t *testing.T) {
	r := ordersAndEvents(60)
	for name, schedule := range map[string]timeline.Schedule{"top speed": {}, "in time": speed(t, "100")} {
		t.Run(name, func(t *testing.T) {
			c, by := newTarget(t, withTopics()), &rules{name: "r1"}
			var last replay.Progress
			report := c.run(t, r.archive(t), replay.Options{Reshape: by, Schedule: schedule, OnProgress: func(p replay.Progress) { last = p }})
			for tp, records := range r.records {
				equal(t, tp.String(), c.values(t, tp), by.want(tp, records))
			}
			equal(t, "acknowledged", report.Acknowledged, int64(20+20+60))
			equal(t, "missing, and left out by the rules", [2]int64{report.Missing, report.Filtered}, [2]int64{0, 80})
			equal(t, "progress at the end", last.Acknowledged+last.LeftOut, last.Planned)
			equal(t, "exact", report.Plan.Total.Exact, false)
			equal(t, "applied", by.applied.Load(), int64(180))
		})
	}
}

func TestLimitCountsWhatRulesLeave(t *testing.T) {
	r := ordersAndEvents(60)
	c, by := newTarget(t, withTopics()), &rules{name: "r1"}
	report := c.run(t, r.archive(t), replay.Options{Topics: []string{"orders"}, Reshape: by, Limit: 12})
	equal(t, "acknowledged", report.Acknowledged, int64(12))
	equal(t, "exact", report.Plan.Total.Exact, true)
	for _, tp := range []format.TopicPartition{orders0, orders1} {
		equal(t, tp.String(), c.values(t, tp), by.want(tp, r.records[tp])[:6])
	}
}

func TestACheckpointBelongsToItsRules(t *testing.T) {
	r := ordersAndEvents(40)
	a, c := r.archive(t), newTarget(t, withTopics())
	saved := &memory{}
	o := replay.Options{Topics: []string{"orders"}, Reshape: &rules{name: "r1"}, Checkpoint: saved}
	c.run(t, a, o)
	equal(t, "complete", saved.last().Complete, true)
	equal(t, "again", c.run(t, a, o).Sent, int64(0))
	for _, other := range []reshaping.Reshaper{&rules{name: "r2"}, nil} {
		o.Reshape = other
		_, err := replay.Run(t.Context(), c.connect, a, o)
		if mismatch, ok := errors.AsType[*replay.MismatchError](err); !ok || mismatch.What != "rules" {
			t.Errorf("got %v, want a MismatchError about rules", err)
		}
	}
}

func TestARecordThatRulesCannotDecideStopsItsPartition(t *testing.T) {
	r := ordersAndEvents(60)
	for name, schedule := range map[string]timeline.Schedule{"top speed": {}, "in time": speed(t, "100")} {
		t.Run(name, func(t *testing.T) {
			c := newTarget(t, withTopics())
			report, err := replay.Run(t.Context(), c.connect, r.archive(t), replay.Options{Reshape: &rules{name: "r1", fail: 36}, Schedule: schedule})
			if !errors.Is(err, replay.ErrIncomplete) || !errors.Is(err, errUndecided) || !strings.Contains(err.Error(), "offset 36") {
				t.Errorf("got %v", err)
			}
			equal(t, "failures", fmt.Sprint(len(report.Failures), report.Failures[0].Topic, report.Failures[0].Partition), "1orders0")
			equal(t, "the others", len(c.values(t, events0)), 60)
			equal(t, "records before", len(c.values(t, orders0)), 5)
		})
	}
}

func TestRulesThatLeaveNothingEndALoop(t *testing.T) {
	r := recording{groupSize: 5, records: map[format.TopicPartition][]format.Record{orders0: plain(orders0, 30)[10:30]}}
	for _, schedule := range []timeline.Schedule{{Loop: timeline.Forever}, {Loop: timeline.Forever, Pace: speed(t, "100").Pace}} {
		c := newTarget(t, withTopics())
		equal(t, "sent", c.run(t, r.archive(t), replay.Options{Reshape: &rules{name: "r1"}, Schedule: schedule}).Sent, int64(0))
	}
}
