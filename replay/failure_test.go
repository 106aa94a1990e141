package replay_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
)

// refuseOnce makes partition tp of c refuse the batch after the first skip ones, and accept whatever follows.
func refuseOnce(c target, tp format.TopicPartition, skip int) {
	seen := 0
	c.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: tp.Topic, Partitions: []int32{tp.Partition}, Err: kerr.InvalidRecord,
		When: func(kmsg.Request) bool { seen++; return seen > skip },
	})
}

func TestARefusedPartitionStopsAndTheOthersFinish(t *testing.T) {
	r := ordersAndEvents(1000)
	a := r.archive(t)
	c := newTarget(t, withTopics())
	refuseOnce(c, orders1, 0)
	progress := &memory{}
	report, err := replay.Run(t.Context(), c.connect, a, replay.Options{Checkpoint: progress})
	if !errors.Is(err, replay.ErrIncomplete) || !errors.Is(err, kerr.InvalidRecord) {
		t.Fatalf("error %v, want ErrIncomplete with the broker's reason", err)
	}
	equal(t, "failures", len(report.Failures), 1)
	equal(t, "failed at", [2]any{report.Failures[0].Partition, report.Failures[0].Offset}, [2]any{int32(1), int64(0)})
	equal(t, "missing", report.Missing, int64(1000))
	for _, tp := range []format.TopicPartition{orders0, events0} {
		equal(t, tp.String(), c.values(t, tp), valuesOf(r.records[tp]))
	}
	equal(t, "complete", progress.last().Complete, false)

	report = c.run(t, a, replay.Options{Checkpoint: progress})
	equal(t, "sent by the second run", [2]int64{report.Sent, report.Plan.Earlier}, [2]int64{1000, 2000})
	for tp, records := range r.records {
		equal(t, tp.String(), c.values(t, tp), valuesOf(records))
	}
	equal(t, "complete", progress.last().Complete, true)

	report = c.run(t, a, replay.Options{Checkpoint: progress})
	equal(t, "sent by the third run", report.Sent, int64(0))
}

// lateRecord holds the moment between a refusal and the news of it open. It keeps the client from telling of the refusal until the
// target has got ten more requests, and hands over record number 5000 of orders/0 within that time.
type lateRecord struct {
	refused, passed chan struct{}
	once            sync.Once
	more            atomic.Int64 // requests since the refusal
}

func (h *lateRecord) OnProduceRecordBuffered(r *kgo.Record) {
	if string(r.Value) == "orders/0@5000" {
		<-h.refused
	}
}

func (h *lateRecord) OnProduceRecordUnbuffered(_ *kgo.Record, err error) {
	if err != nil {
		h.once.Do(func() { close(h.refused) })
		<-h.passed
	}
}

// count is called for every request.
func (h *lateRecord) count(kmsg.Request) bool {
	select {
	case <-h.refused:
		if h.more.Add(1) == 10 {
			close(h.passed)
		}
	default:
	}
	return true
}

func TestNothingGetsPastARefusedBatch(t *testing.T) {
	r := ordersAndEvents(20_000)
	r.groupSize = 1000
	r.identity.Topics[1].Configs = map[string]string{"max.message.bytes": "2000"} // many requests
	a := r.archive(t)
	c := newTarget(t)
	refuseOnce(c, orders0, 20)
	late := &lateRecord{refused: make(chan struct{}), passed: make(chan struct{})}
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Count: -1, Observe: true, When: late.count})
	progress := &memory{}
	options := replay.Options{CreateTopics: true, Checkpoint: progress}
	_, err := replay.Run(t.Context(), append(slices.Clone(c.connect), kgo.WithHooks(late)), a, options)
	if !errors.Is(err, replay.ErrIncomplete) {
		t.Fatalf("error %v, want ErrIncomplete", err)
	}
	got := c.values(t, orders0)
	equal(t, "the front of the refused partition", got, valuesOf(r.records[orders0])[:len(got)])
	equal(t, "next offset", progress.partition(t, orders0).Next, int64(len(got)))

	c.run(t, a, options)
	for tp, records := range r.records {
		equal(t, tp.String(), c.values(t, tp), valuesOf(records))
	}
}

// damagedOrders is an archive whose partition orders-0 cannot be read to its end.
func damagedOrders(t *testing.T) (recording, *format.Archive) {
	t.Helper()
	r := ordersAndEvents(100)
	dir := t.TempDir()
	files, err := storage.DirFS(dir)
	must(t, err)
	r.write(t, files)
	damage(t, filepath.Join(dir, "data", "topic=orders", "partition=0", "00000000000000000000.parquet"))
	a, err := format.Open(files)
	must(t, err)
	return r, a
}

func TestWhatIsCorruptIsNeverSent(t *testing.T) {
	r, a := damagedOrders(t)
	c := newTarget(t, withTopics())
	report, err := replay.Run(t.Context(), c.connect, a, replay.Options{})
	if !errors.Is(err, format.ErrCorrupt) || !errors.Is(err, replay.ErrIncomplete) {
		t.Fatalf("error %v, want ErrCorrupt", err)
	}
	got := c.values(t, orders0)
	equal(t, "the front of the corrupt partition", got, valuesOf(r.records[orders0][:len(got)]))
	equal(t, "failure", [2]int64{int64(len(report.Failures)), report.Failures[0].Offset}, [2]int64{1, int64(len(got))})
	equal(t, "events/0", c.values(t, events0), valuesOf(r.records[events0]))
	equal(t, "orders/1", c.values(t, orders1), valuesOf(r.records[orders1]))
}

// damage overwrites a part of the row groups of a segment.
func damage(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	clear(data[len(data)/4:][:100])
	must(t, os.WriteFile(name, data, 0o600))
}

func TestALostAnswerDoublesNothing(t *testing.T) {
	r := ordersAndEvents(5000)
	c := newTarget(t, withTopics())
	// The target appends the batch and says that it took too long.
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.RequestTimedOut, Count: 2})
	c.run(t, r.archive(t), replay.Options{})
	for tp, records := range r.records {
		equal(t, tp.String(), c.values(t, tp), valuesOf(records))
	}
}

func TestALeaderThatMovesKeepsTheOrder(t *testing.T) {
	r := ordersAndEvents(20_000)
	r.groupSize = 1000
	r.identity.Topics[1].Configs = map[string]string{"max.message.bytes": "5000"}
	c := newTarget(t, kfake.NumBrokers(3))
	requests := 0
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Observe: true, Count: -1, When: func(kmsg.Request) bool {
		if requests++; requests%20 == 0 {
			go c.ShufflePartitionLeaders()
		}
		return true
	}})
	report := c.run(t, r.archive(t), replay.Options{CreateTopics: true})
	equal(t, "acknowledged", report.Acknowledged, int64(60_000))
	if requests < 40 {
		t.Fatalf("%d requests, the test shows little", requests)
	}
	for tp, records := range r.records {
		equal(t, tp.String(), c.values(t, tp), valuesOf(records))
	}
}
