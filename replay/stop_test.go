package replay_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/replay"
)

func TestABrokerThatCannotBeReachedIsNamedInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections and never answers
	must(t, err)
	defer l.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, gone.Close())
	a := ordersAndEvents(5).archive(t)
	for _, address := range []string{l.Addr().String(), gone.Addr().String()} {
		_, err := replay.Run(t.Context(), []kgo.Opt{kgo.SeedBrokers(address)}, a, replay.Options{ConnectTimeout: 300 * time.Millisecond})
		if !errors.Is(err, replay.ErrConnect) || !strings.Contains(err.Error(), address) {
			t.Errorf("error %v, want an ErrConnect that names %s", err, address)
		}
	}
}

func TestACancelledReplayFlushesSavesAndGoesOn(t *testing.T) {
	r := ordersAndEvents(5000)
	r.groupSize = 100
	a, c := r.archive(t), newTarget(t, withTopics())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopAt := &stopAfter{records: 4000, stop: cancel}
	progress := &memory{}
	options := replay.Options{Checkpoint: progress, Lanes: 1, MemoryBytes: 1 << 20}
	report, err := replay.Run(ctx, append(slices.Clone(c.connect), kgo.WithHooks(stopAt)), a, options)
	if !errors.Is(err, context.Canceled) || !report.Stopped {
		t.Fatalf("error %v, stopped %v, want a replay that was cancelled", err, report.Stopped)
	}
	equal(t, "acknowledged of what was sent", report.Acknowledged, report.Sent)
	if report.Sent < 4000 || report.Sent == 15_000 {
		t.Fatalf("%d records were sent, the test shows nothing", report.Sent)
	}
	equal(t, "failures", len(report.Failures), 0)
	equal(t, "missing, and not sent", [2]int64{report.Missing, report.NotSent}, [2]int64{15_000 - report.Sent, 15_000 - report.Sent})
	second := c.run(t, a, options)
	equal(t, "sent by both runs", report.Sent+second.Sent, int64(15_000))
	for tp, records := range r.records {
		equal(t, tp.String(), c.values(t, tp), valuesOf(records))
	}
}

// stopAfter calls stop when the client has got so many records, of several lanes at once.
type stopAfter struct {
	records int64
	stop    func()

	seen atomic.Int64
}

func (s *stopAfter) OnProduceRecordBuffered(*kgo.Record) {
	if s.seen.Add(1) == s.records {
		s.stop()
	}
}

// mute makes the target keep produce requests without an answer until the test ends.
func mute(t *testing.T, c target) {
	ctx := t.Context()
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-ctx.Done() })
		return nil, errors.New("muted"), true
	})
}

func TestATargetThatStopsAnsweringEndsTheReplay(t *testing.T) {
	a, c := ordersAndEvents(100).archive(t), newTarget(t, withTopics())
	mute(t, c)
	progress := &memory{}
	report, err := replay.Run(t.Context(), c.connect, a, replay.Options{StallTimeout: 3 * time.Second, FlushTimeout: time.Hour, Checkpoint: progress})
	if !errors.Is(err, replay.ErrStalled) {
		t.Fatalf("error %v, want an ErrStalled", err)
	}
	equal(t, "missing, and not sent", [2]int64{report.Missing, report.NotSent}, [2]int64{300, 0})
	equal(t, "reasons", report.RefusedFor, map[string]int64{"the replay stopped before it was acknowledged": 300})
	equal(t, "next of events/0", progress.partition(t, events0).Next, int64(0))
}

func TestWhatIsInFlightHasAMomentWhenAReplayIsCancelled(t *testing.T) {
	a, c := ordersAndEvents(100).archive(t), newTarget(t, withTopics())
	mute(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hook := &stopAfter{records: 300, stop: cancel}
	report, err := replay.Run(ctx, append(slices.Clone(c.connect), kgo.WithHooks(hook)), a, replay.Options{FlushTimeout: 200 * time.Millisecond, Lanes: 1})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the context's", err)
	}
	equal(t, "counts", [2]int64{report.Acknowledged, report.Missing}, [2]int64{0, 300})
}

func TestACheckpointThatFailsEndsTheReplay(t *testing.T) {
	a, c := ordersAndEvents(100).archive(t), newTarget(t, withTopics())
	mute(t, c)
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{Checkpoint: &brokenCheckpoint{}, CheckpointInterval: time.Millisecond, FlushTimeout: time.Millisecond})
	if !errors.Is(err, errBroken) {
		t.Errorf("error %v, want that of the checkpoint", err)
	}
}

var errBroken = errors.New("disk full")

// brokenCheckpoint saves once.
type brokenCheckpoint struct{ saves int }

func (*brokenCheckpoint) Load(context.Context) ([]byte, error) { return nil, nil }

func (b *brokenCheckpoint) Save(context.Context, []byte) error {
	if b.saves++; b.saves > 1 {
		return errBroken
	}
	return nil
}

func TestEveryKindOfAcknowledgementAndCompressionDelivers(t *testing.T) {
	r := ordersAndEvents(2000)
	a := r.archive(t)
	for _, o := range []replay.Options{
		{Acks: replay.AcksAll}, {Acks: replay.AcksLeader}, {Acks: replay.AcksNone},
		{Compression: "none"}, {Compression: "gzip"}, {Compression: "snappy"}, {Compression: "lz4"}, {Compression: "zstd"},
	} {
		c := newTarget(t, withTopics())
		requests := make(chan *kmsg.ProduceRequest, 1)
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Observe: true, When: func(r kmsg.Request) bool {
			select {
			case requests <- r.(*kmsg.ProduceRequest):
			default:
			}
			return true
		}})
		c.run(t, a, o)
		for tp, records := range r.records {
			got := c.values(t, tp)
			for o.Acks == replay.AcksNone && len(got) < len(records) { // the target may still be at it
				got = c.values(t, tp)
			}
			equal(t, tp.String(), got, valuesOf(records))
		}
		request := <-requests
		want := map[replay.Acks]int16{"": -1, replay.AcksAll: -1, replay.AcksLeader: 1, replay.AcksNone: 0}[o.Acks]
		equal(t, "acks of "+string(o.Acks), request.Acks, want)
		codec := request.Topics[0].Partitions[0].Records[22] & 7
		equal(t, "codec of "+o.Compression, codec, map[string]byte{"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}[o.Compression])
	}
}

func TestTimestampsOfNowAreThoseOfSending(t *testing.T) {
	before := time.Now().Truncate(time.Millisecond)
	r := ordersAndEvents(10)
	r.records[events0][0].TimestampMs = 1_700_000_000_000_000 // one that could not be kept
	c := newTarget(t, withTopics())
	c.run(t, r.archive(t), replay.Options{Timestamps: replay.NowTimestamps})
	for _, rec := range c.contents(t, "events")[0] {
		if rec.Timestamp.Before(before) || rec.Timestamp.After(time.Now()) {
			t.Errorf("timestamp %s is not now", rec.Timestamp)
		}
	}
}

func TestProgressAndReportAddUp(t *testing.T) {
	a, c := ordersAndEvents(1000).archive(t), newTarget(t, withTopics())
	var last replay.Progress
	report := c.run(t, a, replay.Options{OnProgress: func(p replay.Progress) { last = p }})
	equal(t, "progress", [5]any{last.Done, last.Planned, last.Sent, last.Acknowledged, last.Bytes}, [5]any{true, int64(3000), int64(3000), int64(3000), report.Plan.Total.Bytes})
	equal(t, "topics", [2]replay.TopicReport{report.Topics[0], report.Topics[1]}, [2]replay.TopicReport{
		{Topic: "events", Target: "events", Planned: 1000, Sent: 1000, Acknowledged: 1000, Bytes: report.Plan.Topics[0].Total.Bytes},
		{Topic: "orders", Target: "orders", Planned: 2000, Sent: 2000, Acknowledged: 2000, Bytes: report.Plan.Topics[1].Total.Bytes},
	})
	if report.Elapsed <= 0 || report.Rate <= 0 {
		t.Errorf("elapsed %s, rate %f", report.Elapsed, report.Rate)
	}
}
