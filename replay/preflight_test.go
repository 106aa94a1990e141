package replay_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/selection"
)

// codes are the codes of a plan's findings.
func codes(p *replay.Plan) []string {
	out := []string{}
	for _, f := range p.Findings {
		out = append(out, f.Code)
	}
	return out
}

// configured is a target whose topic orders has two partitions and the given configs.
func configured(t *testing.T, configs map[string]string) target {
	t.Helper()
	c := newTarget(t)
	values := make(map[string]*string)
	for name, value := range configs {
		values[name] = &value
	}
	_, err := c.admin(t).CreateTopic(t.Context(), 2, 1, values, "orders")
	must(t, err)
	return c
}

// aged is a recording of orders/0 with n records that were made age ago, a millisecond apart.
func aged(n int, age time.Duration) recording {
	records := plain(orders0, n)
	for i := range records {
		records[i].TimestampMs += time.Hour.Milliseconds() - age.Milliseconds()
	}
	return recording{records: map[format.TopicPartition][]format.Record{orders0: records}}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func TestThePreflightFindsWhatWouldBeLost(t *testing.T) {
	day := 24 * time.Hour
	mixed := aged(10, 10*day)
	mixed.records[orders0][9].TimestampMs = base
	timeless := aged(10, time.Hour)
	for i := range timeless.records[orders0] {
		timeless.records[orders0][i].TimestampMs = format.NoTimestamp
	}
	farFuture := aged(10, time.Hour)
	farFuture.records[orders0][9].TimestampMs = 1_700_000_000_000_000
	split := farFuture
	split.groupSize = 5
	wide := aged(10, time.Hour)
	wide.records[orders0][0].Value = make([]byte, 20_000)
	for _, c := range []struct {
		name      string
		recording recording
		configs   map[string]string
		options   replay.Options
		want      []string
		refused   bool
	}{
		{name: "nothing", recording: aged(10, time.Hour), want: []string{}},
		{name: "all too old", recording: aged(10, 10*day), configs: map[string]string{"retention.ms": millis(7 * day)}, want: []string{"retention-ms"}, refused: true},
		{name: "some too old", recording: mixed, configs: map[string]string{"retention.ms": millis(7 * day)}, want: []string{"retention-ms"}},
		{name: "without timestamps", recording: timeless, configs: map[string]string{"retention.ms": millis(7 * day)}, want: []string{}},
		{name: "kept for ever", recording: aged(10, 10*day), configs: map[string]string{"retention.ms": "-1"}, want: []string{}},
		{name: "old, but sent as of now", recording: aged(10, 10*day), configs: map[string]string{"retention.ms": millis(7 * day)},
			options: replay.Options{Timestamps: replay.NowTimestamps}, want: []string{}},
		{name: "more than kept", recording: aged(10, time.Hour), configs: map[string]string{"retention.bytes": "100"}, want: []string{"retention-bytes"}},
		{name: "stamped by the target", recording: aged(10, time.Hour), configs: map[string]string{"message.timestamp.type": "LogAppendTime"},
			want: []string{"log-append-time"}, refused: true},
		{name: "stamped by the target as wanted", recording: aged(10, time.Hour), configs: map[string]string{"message.timestamp.type": "LogAppendTime"},
			options: replay.Options{Timestamps: replay.NowTimestamps}, want: []string{}},
		{name: "older than accepted", recording: aged(10, 2*time.Hour), configs: map[string]string{"message.timestamp.before.max.ms": millis(time.Hour)},
			want: []string{"timestamp-window"}, refused: true},
		{name: "further ahead than accepted", recording: aged(10, -2*time.Hour), configs: map[string]string{"message.timestamp.after.max.ms": millis(time.Hour)},
			want: []string{"timestamp-window"}, refused: true},
		{name: "older than accepted by an old broker", recording: aged(10, 2*time.Hour),
			configs: map[string]string{"message.timestamp.difference.max.ms": millis(time.Hour)}, want: []string{"timestamp-window"}, refused: true},
		{name: "past the year 2262", recording: farFuture, want: []string{"timestamp-range"}, refused: true},
		{name: "past the year 2262, but not selected", recording: split, options: replay.Options{Until: selection.AtOffset(5)}, want: []string{}},
		{name: "perhaps past the year 2262", recording: split, options: replay.Options{Until: selection.AtOffset(9)}, want: []string{"timestamp-range"}},
		{name: "compacted", recording: aged(10, time.Hour), configs: map[string]string{"cleanup.policy": "compact"}, want: []string{"compaction"}},
		{name: "records too large on average", recording: wide, configs: map[string]string{"max.message.bytes": "1000"}, want: []string{"max-message-bytes"}, refused: true},
		{name: "renumbered", recording: aged(10, time.Hour), options: replay.Options{Partitioner: routing.Table(map[int32]int32{0: 5})},
			want: []string{"partitions"}, refused: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := configured(t, c.configs)
			c.options.DryRun = true
			report, err := replay.Run(t.Context(), to.connect, c.recording.archive(t), c.options)
			equal(t, "findings", codes(report.Plan), c.want)
			if _, refused := errors.AsType[*replay.RefusedError](err); refused != c.refused || err != nil && !refused {
				t.Errorf("error %v, want refused %v", err, c.refused)
			}
		})
	}
}

func TestFindingsSayWhatFollowsAndWhatToDo(t *testing.T) {
	c := configured(t, map[string]string{"retention.ms": "1000", "retention.bytes": "1", "cleanup.policy": "compact,delete"})
	report, err := replay.Run(t.Context(), c.connect, aged(5, time.Hour).archive(t), replay.Options{})
	refused, ok := errors.AsType[*replay.RefusedError](err)
	if !ok || refused.Findings[0].Fix == "" {
		t.Fatalf("error %v, want a refusal with a hint", err)
	}
	for _, f := range report.Plan.Findings {
		if f.What == "" || f.Consequence == "" || f.Fix == "" || strings.Contains(f.Fix, "--") || f.Topic != "orders" {
			t.Errorf("finding %+v leaves something out", f)
		}
	}
	equal(t, "findings", len(report.Plan.Findings), 3)
}

func TestTheSourceClusterIsRefusedUnlessAllowed(t *testing.T) {
	r := ordersAndEvents(5)
	r.identity.ClusterID = "target"
	a, c := r.archive(t), newTarget(t, withTopics())
	report, err := replay.Run(t.Context(), c.connect, a, replay.Options{Force: true})
	if _, refused := errors.AsType[*replay.RefusedError](err); !refused {
		t.Fatalf("error %v, want a refusal", err)
	}
	equal(t, "findings", codes(report.Plan), []string{"source-cluster", "more-partitions"})
	equal(t, "consequence", report.Plan.Findings[0].Consequence, "its topics would get their own records a second time")
	equal(t, "records in the target", len(c.values(t, orders0)), 0)
	copies, err := routing.ParseMapping("*:=copy.*")
	if err != nil {
		t.Fatal(err)
	}
	report, _ = replay.Run(t.Context(), c.connect, a, replay.Options{CreateTopics: true, Mapping: copies})
	equal(t, "consequence", report.Plan.Findings[0].Consequence, "it would get its own records a second time, in topics of other names")
	c.run(t, a, replay.Options{AllowSourceCluster: true})
	equal(t, "records in the target", len(c.values(t, orders0)), 5)
}

func TestForceGoesOnWhereSomethingIsLostForCertain(t *testing.T) {
	c := configured(t, map[string]string{"retention.ms": "1000"})
	report := c.run(t, aged(5, time.Hour).archive(t), replay.Options{Force: true})
	equal(t, "acknowledged", report.Acknowledged, int64(5))
	equal(t, "findings", codes(report.Plan), []string{"retention-ms"})
}

// unsendable has a record of each kind that a target with the right configs cannot take, with a good one after each.
func unsendable() recording {
	records := plain(orders0, 10)
	records[1].TimestampMs = 1_700_000_000_000_000
	records[3].Value = make([]byte, 5_000)
	records[5].Key = nil
	records[7].TimestampMs = base - (48 * time.Hour).Milliseconds()
	return recording{records: map[format.TopicPartition][]format.Record{orders0: records}}
}

var picky = map[string]string{
	"max.message.bytes": "4000", "cleanup.policy": "compact", "message.timestamp.before.max.ms": millis(24 * time.Hour),
}

func TestWithForceRecordsThatCannotBeSentAreLeftOut(t *testing.T) {
	r := unsendable()
	c := configured(t, picky)
	progress := &memory{}
	report := c.run(t, r.archive(t), replay.Options{Force: true, Checkpoint: progress})
	want := valuesOf(r.records[orders0])
	for _, i := range []int{7, 5, 3, 1} {
		want = slices.Delete(want, i, i+1)
	}
	equal(t, "values", c.values(t, orders0), want)
	equal(t, "counts", [3]int64{report.Acknowledged, report.LeftOut, report.Missing}, [3]int64{6, 4, 0})
	equal(t, "reasons", report.LeftOutFor, map[string]int64{
		"its timestamp cannot be sent: it lies beyond the years 1678 to 2262": 1, replay.ErrTooLarge.Error() + ", and is sent without compression": 1,
		"it has no key, and the target topic is compacted": 1, "its timestamp is further from now than the target accepts": 1,
	})
	equal(t, "complete", progress.last().Complete, true)
	equal(t, "left out", progress.partition(t, orders0).LeftOut, int64(4))
}

func TestWithoutForceAPartitionStopsAtARecordThatCannotBeSent(t *testing.T) {
	r := unsendable()
	r.records[orders0] = r.records[orders0][2:]
	r.records[orders0][5].TimestampMs = base
	c := configured(t, picky)
	report, err := replay.Run(t.Context(), c.connect, r.archive(t), replay.Options{})
	if !errors.Is(err, replay.ErrTooLarge) || !errors.Is(err, replay.ErrIncomplete) {
		t.Fatalf("error %v, want ErrTooLarge", err)
	}
	equal(t, "values", c.values(t, orders0), valuesOf(r.records[orders0][:1]))
	equal(t, "failure", report.Failures[0].Offset, int64(3))
	equal(t, "missing", report.Missing, int64(7))
}

func TestARecordAsLargeAsTheTargetTakesGetsThrough(t *testing.T) {
	for limit, around := range map[int]int{
		// What Kafka counts besides the value: 61 bytes of a batch, and of the record two lengths of equal size, attributes, two deltas, a
		// null key and no headers.
		4000:       61 + 2*2 + 5,
		10_000_000: 61 + 2*4 + 5,
	} {
		records := plain(orders0, 3)
		// Before the first answer of the broker the client counts three bytes more than it does.
		records[1].Key, records[1].Value = nil, make([]byte, limit-around-3)
		r := recording{records: map[format.TopicPartition][]format.Record{orders0: records}}
		configs := map[string]string{"max.message.bytes": strconv.Itoa(limit)}
		c := configured(t, configs)
		c.run(t, r.archive(t), replay.Options{})
		equal(t, "records", len(c.values(t, orders0)), 3)

		records[1].Value = make([]byte, limit-around+1)
		c = configured(t, configs)
		report, err := replay.Run(t.Context(), c.connect, r.archive(t), replay.Options{})
		if !errors.Is(err, replay.ErrTooLarge) {
			t.Fatalf("limit %d: error %v, want ErrTooLarge", limit, err)
		}
		equal(t, "failure", report.Failures[0].Offset, int64(1))
	}
}

func TestConfigsThatCannotBeReadAreAWarning(t *testing.T) {
	c := newTarget(t, withTopics())
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Resource: "orders", Err: kerr.TopicAuthorizationFailed})
	report := c.run(t, ordersAndEvents(5).archive(t), replay.Options{})
	equal(t, "findings", codes(report.Plan), []string{"more-partitions", "configs-unknown"})
}

func TestFewerPartitionsThanKeepNeedsAreRefused(t *testing.T) {
	c := newTarget(t, kfake.SeedTopics(1, "orders", "events"))
	a := ordersAndEvents(5).archive(t)
	report, err := replay.Run(t.Context(), c.connect, a, replay.Options{Force: true})
	if _, refused := errors.AsType[*replay.RefusedError](err); !refused {
		t.Fatalf("error %v, want a refusal", err)
	}
	equal(t, "findings", codes(report.Plan), []string{"partitions"})
	equal(t, "acknowledged", c.run(t, a, replay.Options{Partitioner: routing.ByKey}).Acknowledged, int64(15))
}
