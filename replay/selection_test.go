package replay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/selection"
)

func TestASelectionSendsWhatItNames(t *testing.T) {
	r := ordersAndEvents(10)
	internal := format.TopicPartition{Topic: "__internal", Partition: 0}
	r.records[internal] = plain(internal, 10)
	a := r.archive(t)
	for _, c := range []struct {
		name    string
		options replay.Options
		want    map[format.TopicPartition]int
	}{
		{"all but internal topics", replay.Options{}, map[format.TopicPartition]int{orders0: 10, orders1: 10, events0: 10}},
		{"a name", replay.Options{Topics: []string{"events"}}, map[format.TopicPartition]int{events0: 10}},
		{"globs", replay.Options{Topics: []string{"ord*", "[x-z]*", "ev?nts"}}, map[format.TopicPartition]int{orders0: 10, orders1: 10, events0: 10}},
		{"a named internal topic", replay.Options{Topics: []string{"__internal"}}, map[format.TopicPartition]int{internal: 10}},
		{"a partition", replay.Options{Partitions: []int32{1}}, map[format.TopicPartition]int{orders1: 10}},
		{"offsets", replay.Options{Topics: []string{"events"}, From: selection.AtOffset(3), Until: selection.AtOffset(5)}, map[format.TopicPartition]int{events0: 2}},
		{"times", replay.Options{Topics: []string{"events"}, From: at(3), Until: at(5)}, map[format.TopicPartition]int{events0: 2}},
		{"before the end", replay.Options{Topics: []string{"events"}, From: selection.BeforeEnd(2 * time.Millisecond)}, map[format.TopicPartition]int{events0: 3}},
		{"an empty window", replay.Options{From: at(50)}, map[format.TopicPartition]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := newTarget(t)
			c.options.CreateTopics = true
			report := to.run(t, a, c.options)
			var want int64
			for tp := range r.records {
				want += int64(c.want[tp])
				equal(t, tp.String(), len(to.values(t, tp)), c.want[tp])
			}
			equal(t, "acknowledged", report.Acknowledged, want)
		})
	}
}

// at is the position of base and ms milliseconds.
func at(ms int64) selection.Position { return selection.AtTime(time.UnixMilli(base + ms)) }

func TestAWindowBeginsInclusiveAndEndsExclusive(t *testing.T) {
	r := ordersAndEvents(10)
	c := newTarget(t, withTopics())
	c.run(t, r.archive(t), replay.Options{Topics: []string{"events"}, From: at(3), Until: at(5)})
	equal(t, "values", c.values(t, events0), valuesOf(r.records[events0][3:5]))
}

func TestTopicsAndPartitionsThatTheArchiveDoesNotHaveAreErrors(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t, withTopics())
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{Topics: []string{"order"}})
	if unknown, ok := errors.AsType[*selection.MissingTopicError](err); !ok || unknown.Topic != "order" || len(unknown.Known) != 2 {
		t.Errorf("error %v, want a MissingTopicError", err)
	}
	if _, err = replay.Run(t.Context(), c.connect, a, replay.Options{Topics: []string{"x*"}}); !errors.Is(err, selection.ErrNoTopics) {
		t.Errorf("error %v, want ErrNoTopics", err)
	}
	_, err = replay.Run(t.Context(), c.connect, a, replay.Options{Partitions: []int32{0, 2}})
	if missing, ok := errors.AsType[*selection.MissingPartitionError](err); !ok || missing.Partition != 2 {
		t.Errorf("error %v, want a MissingPartitionError", err)
	}
}

func TestOptionsThatMakeNoSenseAreErrors(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t, withTopics())
	for _, o := range []replay.Options{
		{From: selection.End}, {Until: selection.Beginning}, {Until: selection.AtOffset(0)}, {Limit: -1}, {Lanes: -1},
		{Compression: "brotli"}, {Timestamps: "later"}, {Acks: "2"}, {ReplicationFactor: -2}, {Topics: []string{"["}},
	} {
		if report, err := replay.Run(t.Context(), c.connect, a, o); err == nil {
			t.Errorf("%+v: %+v without an error", o, report)
		}
	}
}

func TestALimitTakesTheFirstRecordsByTime(t *testing.T) {
	r := recording{groupSize: 2, records: map[format.TopicPartition][]format.Record{
		orders0: plain(orders0, 6), orders1: plain(orders1, 6), events0: plain(events0, 6),
	}}
	times := map[format.TopicPartition][]int64{
		orders0: {10, 20, 30, 40, 50, 60},
		orders1: {15, 35, 5, 6, 7, 80}, // what is late comes with the record before it
		events0: {-1, 20, 21, 22, 90, 91},
	}
	for tp, ms := range times {
		for i := range ms {
			r.records[tp][i].TimestampMs = base + ms[i]
		}
	}
	r.records[events0][0].TimestampMs = format.NoTimestamp
	a := r.archive(t)
	for _, c := range []struct {
		limit int64
		want  [3]int // of events/0, orders/0, orders/1
	}{
		{1, [3]int{1, 0, 0}}, {2, [3]int{1, 1, 0}}, {3, [3]int{1, 1, 1}}, {4, [3]int{2, 1, 1}}, {5, [3]int{2, 2, 1}}, {7, [3]int{4, 2, 1}},
		{8, [3]int{4, 3, 1}}, {9, [3]int{4, 3, 2}}, {12, [3]int{4, 3, 5}}, {13, [3]int{4, 4, 5}}, {18, [3]int{6, 6, 6}}, {100, [3]int{6, 6, 6}},
	} {
		to := newTarget(t, withTopics())
		report := to.run(t, a, replay.Options{Limit: c.limit, Lanes: 1, MemoryBytes: c.limit % 2, TempDir: t.TempDir()}) // 1 keeps no row group in memory
		got := [3]int{len(to.values(t, events0)), len(to.values(t, orders0)), len(to.values(t, orders1))}
		equal(t, "records by partition", got, c.want)
		equal(t, "planned", [2]any{report.Plan.Total.Records, report.Plan.Total.Exact}, [2]any{min(c.limit, 18), true})
		equal(t, "values", to.values(t, events0), valuesOf(r.records[events0][:c.want[0]]))
	}
}

func TestALimitCountsWhatEarlierRunsSent(t *testing.T) {
	r := ordersAndEvents(100)
	a, c := r.archive(t), newTarget(t, withTopics())
	refuseOnce(c, orders1, 0)
	options := replay.Options{Limit: 100, Checkpoint: &memory{}}
	if _, err := replay.Run(t.Context(), c.connect, a, options); !errors.Is(err, replay.ErrIncomplete) {
		t.Fatalf("error %v, want ErrIncomplete", err)
	}
	c.run(t, a, options)
	got := [3]int{len(c.values(t, events0)), len(c.values(t, orders0)), len(c.values(t, orders1))}
	equal(t, "records by partition", got, [3]int{34, 33, 33})
}
