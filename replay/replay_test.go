package replay_test

import (
	"bytes"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/reshaping"
)

func TestEveryPartOfARecordArrivesAsItWas(t *testing.T) {
	all := fidelityRecords()
	a := recording{groupSize: 3, records: map[format.TopicPartition][]format.Record{orders1: all}}.archive(t)
	c := newTarget(t, withTopics())
	report := c.run(t, a, replay.Options{})
	equal(t, "acknowledged", report.Acknowledged, int64(len(all)))
	got := c.contents(t, "orders")
	equal(t, "partitions with records", len(got), 1)
	for i, r := range got[1] {
		compareRecord(t, r, &all[i])
	}
}

// fidelityRecords are the records that are easily damaged.
func fidelityRecords() []format.Record {
	header := func(key string, value []byte) format.Header { return format.Header{Key: key, Value: value} }
	all := []format.Record{
		{Key: []byte("k"), Value: []byte("v")},
		{Key: nil, Value: []byte("null key")},
		{Key: []byte{}, Value: []byte("empty key")},
		{Key: []byte("tombstone"), Value: nil},
		{Key: []byte("empty value"), Value: []byte{}},
		{Key: nil, Value: nil},
		{Key: []byte{0, 0xff, 0xfe}, Value: []byte{0x80, 0}},
		{Value: []byte("headers"), Headers: []format.Header{
			header("a", []byte("1")), header("a", []byte("2")), header("null", nil), header("empty", []byte{}), header("", []byte("x")), header("\xff\xfe", nil),
		}},
		{Value: []byte("no timestamp"), TimestampMs: format.NoTimestamp, TimestampType: format.TimestampNone},
		{Value: []byte("epoch"), TimestampMs: 1},
		{Value: []byte("before the epoch"), TimestampMs: -2},
		{Value: []byte("the last that can be sent"), TimestampMs: math.MaxInt64 / 1_000_000},
		{Value: []byte("the first that can be sent"), TimestampMs: -(math.MaxInt64 / 1_000_000)},
		{Value: []byte("log append"), TimestampType: format.TimestampLogAppend},
		{Value: bytes.Repeat([]byte("large "), 100_000)},
	}
	for i := range all {
		all[i].Offset = int64(7 * i)
		if all[i].TimestampMs == 0 {
			all[i].TimestampMs = base + int64(i)
		}
	}
	all[9].TimestampMs = 0
	return all
}

func compareRecord(t *testing.T, got *kgo.Record, want *format.Record) {
	t.Helper()
	if !bytes.Equal(got.Key, want.Key) || (got.Key == nil) != (want.Key == nil) {
		t.Errorf("offset %d: key %q (null %v), want %q", want.Offset, got.Key, got.Key == nil, want.Key)
	}
	if !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
		t.Errorf("offset %d: value %.80q (null %v), want %.80q", want.Offset, got.Value, got.Value == nil, want.Value)
	}
	if got, want := got.Timestamp.UnixMilli(), want.TimestampMs; got != want {
		t.Errorf("timestamp %d, want %d", got, want)
	}
	if len(got.Headers) != len(want.Headers) {
		t.Fatalf("offset %d: %d headers, want %d", want.Offset, len(got.Headers), len(want.Headers))
	}
	for i, h := range got.Headers {
		w := want.Headers[i]
		if h.Key != w.Key || !bytes.Equal(h.Value, w.Value) || (h.Value == nil) != (w.Value == nil) {
			t.Errorf("offset %d: header %d is %q=%q (null %v), want %q=%q", want.Offset, i, h.Key, h.Value, h.Value == nil, w.Key, w.Value)
		}
	}
}

func TestOrderAndPartitionAreKept(t *testing.T) {
	r := ordersAndEvents(1000)
	c := newTarget(t, withTopics())
	report := c.run(t, r.archive(t), replay.Options{Lanes: 2})
	for tp, records := range r.records {
		equal(t, tp.String(), c.values(t, tp), valuesOf(records))
	}
	equal(t, "report", [4]int64{report.Sent, report.Acknowledged, report.Missing, int64(len(report.Failures))}, [4]int64{3000, 3000, 0, 0})
}

// turns is in which order partitions are read, by a reading that takes a moment for each record.
type turns struct {
	mu    sync.Mutex
	order []format.TopicPartition
}

func (*turns) Rules(string) string { return "turns" }

func (*turns) Steps() string { return "" }

func (s *turns) Begin(how reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	return func(tp format.TopicPartition, _ *format.Record) (bool, error) {
		if how.Trial {
			return true, nil
		}
		s.mu.Lock()
		if n := len(s.order); n == 0 || s.order[n-1] != tp {
			s.order = append(s.order, tp)
		}
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		return true, nil
	}, func() {}
}

func TestAsManyPartitionsAreSentAtOnceAsThereAreLanes(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		var one, three turns
		a := ordersAndEvents(20).archive(t)
		c.run(t, a, replay.Options{Lanes: 1, Reshape: &one})
		equal(t, "turns of three partitions in one lane", len(one.order), 3)
		c.run(t, a, replay.Options{Lanes: 3, Reshape: &three})
		if len(three.order) == 3 {
			t.Errorf("three lanes sent one partition after another: %v", three.order)
		}
	})
}
