package capture

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/selection"
)

// offsetsOf are the offsets of the archived records.
func offsetsOf(records []format.Record) []int64 {
	var offsets []int64
	for i := range records {
		offsets = append(offsets, records[i].Offset)
	}
	return offsets
}

func TestCommittedRecordsAreTakenAndAbortedOnesAreNot(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "tx"))
	b.transact("a", "tx", 0, 3, kgo.TryCommit) // 0-2, marker 3
	b.transact("b", "tx", 0, 2, kgo.TryAbort)  // 4-5, marker 6
	b.fill("tx", 0, 1)                         // 7
	b.transact("a", "tx", 0, 1, kgo.TryAbort)  // 8, marker 9: an aborted tail
	a := newPlace(t)
	r := a.capture(b, Options{Topics: []string{"tx"}})
	if got, want := offsetsOf(a.records("tx", 0)), []int64{0, 1, 2, 7}; !slices.Equal(got, want) {
		t.Errorf("records at %v, want %v", got, want)
	}
	c := a.coverage("tx", 0)
	if c.Next != 10 || c.Ledger.Control != 3 || c.Ledger.Absent != 3 || r.Gaps.Control != 3 || r.Gaps.Absent != 3 {
		t.Errorf("covered to %d with %+v, report %+v", c.Next, c.Ledger, r.Gaps)
	}
	if r.Incomplete() {
		t.Error("a complete snapshot is reported as incomplete")
	}
}

func TestUncommittedReadingTakesAbortedRecordsToo(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "tx"))
	b.transact("b", "tx", 0, 2, kgo.TryAbort)
	b.openTransaction("c", "tx", 0, 2)
	a := newPlace(t)
	r := a.capture(b, Options{Topics: []string{"tx"}, Isolation: origin.ReadUncommitted})
	if got, want := offsetsOf(a.records("tx", 0)), []int64{0, 1, 3, 4}; !slices.Equal(got, want) || r.Gaps.Control != 1 || r.Behind != 0 {
		t.Errorf("records at %v, want %v; %d control offsets, %d behind", got, want, r.Gaps.Control, r.Behind)
	}
}

func TestASnapshotThatEndsWithinAnAbortedTransactionEnds(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "tx"))
	b.fill("tx", 0, 2)
	b.transact("b", "tx", 0, 10, kgo.TryAbort)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"tx"}, Until: selection.AtOffset(7)})
	if c := a.coverage("tx", 0); c.Next != 7 || c.Records != 2 || c.Ledger.Absent != 5 {
		t.Errorf("covered to %d, %d records, %d absent; want 7, 2, 5", c.Next, c.Records, c.Ledger.Absent)
	}
}

func TestAnOpenTransactionThatHoldsASnapshotBackIsReported(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "tx"))
	b.fill("tx", 0, 4)
	open := b.openTransaction("c", "tx", 0, 3)
	a := newPlace(t)
	r := a.capture(b, Options{Topics: []string{"tx"}})
	if r.Behind != 3 || r.Topics[0].Partitions[0].Behind != 3 || r.Records != 4 || r.Incomplete() {
		t.Errorf("%d behind, %d records, incomplete %v; want 3, 4, false", r.Behind, r.Records, r.Incomplete())
	}
	if r := a.capture(b, Options{Topics: []string{"tx"}, RequireHW: true}); !r.Incomplete() {
		t.Error("with RequireHW it is not reported as incomplete")
	}
	if err := open.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if r := a.capture(b, Options{Topics: []string{"tx"}, RequireHW: true}); r.Records != 3 || r.Behind != 0 || r.Incomplete() {
		t.Errorf("after the commit: %d records, %d behind, incomplete %v; want 3, 0, false", r.Records, r.Behind, r.Incomplete())
	}
}

func TestRecordsThatComeBetweenTwoQuestionsAreNoOpenTransaction(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 4)
	b.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		b.SleepControl(func() { b.fill("orders", 0, 1) })
		return nil, nil, false
	})
	r := newPlace(t).capture(b, Options{Topics: []string{"orders"}, RequireHW: true})
	if r.Behind != 0 || r.Incomplete() || r.Records < 5 {
		t.Errorf("%d behind, incomplete %v, %d records; want 0, false, and those that came before the end was asked for", r.Behind, r.Incomplete(), r.Records)
	}
}

func TestWhatRetentionTookBetweenTwoRunsIsAGap(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 50)
	a := newPlace(t)
	o := Options{Topics: []string{"orders"}}
	a.capture(b, o)
	b.fill("orders", 0, 100)
	b.deleteTo("orders", 80)
	r := a.capture(b, o)
	want := ledger.Gap{From: 50, Until: 80, Reason: ledger.Retention}
	if p := r.Topics[0].Partitions[0]; r.Lost() != 30 || !r.Incomplete() || len(p.Gaps.Ranges) != 1 || p.Gaps.Ranges[0] != want {
		t.Errorf("lost %d in %v, want 30 in %v", r.Lost(), p.Gaps.Ranges, want)
	}
	if c := a.coverage("orders", 0); c.Next != 150 || c.Records != 120 || c.Ledger.Retention != 30 {
		t.Errorf("covered to %d, %d records, %d lost", c.Next, c.Records, c.Ledger.Retention)
	}
}

func (b *broker) deleteTo(topic string, offset int64) {
	b.t.Helper()
	if err := b.DeleteRecords(topic, 0, offset); err != nil {
		b.t.Error(err)
	}
}

func TestWhatRetentionTakesDuringASnapshotIsAGap(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 200)
	a := newPlace(t)
	a.onSeal(func() { b.deleteTo("orders", 150) })
	r := a.capture(b, Options{Topics: []string{"orders"}, RotateRecords: 20, FetchBytes: 1000})
	c := a.coverage("orders", 0)
	if r.Lost() == 0 || c.Records+r.Lost() != 200 || c.Next != 200 || c.Ledger.Retention != r.Lost() {
		t.Errorf("%d records and %d lost to %d, want 200 together", c.Records, r.Lost(), c.Next)
	}
}

func TestAStartThatRetentionPassedIsAGapFromThere(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 50)
	b.deleteTo("orders", 20)
	a := newPlace(t)
	r := a.capture(b, Options{Topics: []string{"orders"}, From: selection.AtOffset(5)})
	if c := a.coverage("orders", 0); c.From != 5 || r.Lost() != 15 || r.Records != 30 {
		t.Errorf("covered from %d, %d lost, %d records; want 5, 15, 30", c.From, r.Lost(), r.Records)
	}
	b2 := newPlace(t)
	if r := b2.capture(b, Options{Topics: []string{"orders"}}); r.Lost() != 0 || b2.coverage("orders", 0).From != 20 {
		t.Errorf("from the beginning: %d lost from %d, want 0 from 20", r.Lost(), b2.coverage("orders", 0).From)
	}
}

func TestASnapshotOfWhichNothingIsLeftEndsAsOneGap(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 40)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}, From: selection.AtOffset(0), Until: selection.AtOffset(10)})
	b.deleteTo("orders", 40)
	r := a.capture(b, Options{Topics: []string{"orders"}, From: selection.AtOffset(0), Until: selection.AtOffset(30)})
	if c := a.coverage("orders", 0); c.Next != 30 || r.Lost() != 20 || c.Records != 10 {
		t.Errorf("covered to %d, %d lost, %d records; want 30, 20, 10", c.Next, r.Lost(), c.Records)
	}
}

func TestCompactedOffsetsAreAbsent(t *testing.T) {
	b := newBroker(t)
	configs := map[string]string{"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0", "segment.bytes": "200"}
	if err := b.CreateTopic("tables", 1, configs); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		b.produce("tables", 0, &kgo.Record{Key: fmt.Appendf(nil, "k%d", i%7), Value: fmt.Appendf(nil, "v%d", i)})
	}
	b.Compact()
	a := newPlace(t)
	r := a.capture(b, Options{Topics: []string{"tables"}})
	c := a.coverage("tables", 0)
	if r.Records >= 60 || r.Records < 7 || c.Next != 60 || r.Records+r.Gaps.Absent != c.Next-c.From || r.Lost() != 0 {
		t.Errorf("%d records and %d absent in %d to %d, %d lost", r.Records, r.Gaps.Absent, c.From, c.Next, r.Lost())
	}
}

// A log can end in offsets that hold nothing, not even an empty batch: the broker then answers every fetch with nothing.
func TestATailThatTheBrokerHasNothingForIsAbsent(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "orders"))
	b.fill("orders", 0, 30)
	b.fill("orders", 1, 30)
	b.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		return emptyFrom(kreq.(*kmsg.FetchRequest), 10, 30), nil, true
	})
	a := newPlace(t)
	r := a.capture(b, Options{Topics: []string{"orders"}, From: selection.AtOffset(10)})
	if r.Records != 0 || r.Gaps.Absent != 40 || r.Topics[0].Partitions[1].Next != 30 {
		t.Errorf("%d records, %d absent, want 0 and 40", r.Records, r.Gaps.Absent)
	}
}

func emptyFrom(req *kmsg.FetchRequest, from, high int64) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	for _, rt := range req.Topics {
		t := kmsg.NewFetchResponseTopic()
		t.Topic, t.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			p := kmsg.NewFetchResponseTopicPartition()
			p.Partition, p.HighWatermark, p.LastStableOffset, p.RecordBatches = rp.Partition, high, high, []byte{}
			if rp.FetchOffset < from {
				p.ErrorCode = 1
			}
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func TestEveryCompressionOfTheSourceIsRead(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	for i, codec := range codecs {
		var records []*kgo.Record
		for n := range 40 {
			records = append(records, numbered(i*40+n))
		}
		b.send(b.client(kgo.ProducerBatchCompression(codec)), "orders", 0, records...)
	}
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	got := a.records("orders", 0)
	if len(got) != 40*len(codecs) {
		t.Fatalf("%d records, want %d", len(got), 40*len(codecs))
	}
	for i := range got {
		if want := numbered(i); string(got[i].Value) != string(want.Value) || got[i].Headers[0].Key != "n" {
			t.Fatalf("record %d is %+v", i, got[i])
		}
	}
}

// at is a position in time.
func at(ms int64) selection.Position { return selection.AtTime(time.UnixMilli(ms)) }

func TestPositionsInTimeSelectByRecordTime(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	for i := range 10 {
		b.produce("orders", 0, &kgo.Record{Value: []byte("x"), Timestamp: time.UnixMilli(int64(1000 * i))})
	}
	for _, c := range []struct {
		from, until selection.Position
		want        []int64
	}{
		{at(3000), at(5000), []int64{3, 4}},
		{at(2001), at(4500), []int64{3, 4}},
		{at(9001), selection.Position{}, nil},
		{selection.AtOffset(8), selection.Position{}, []int64{8, 9}},
		{selection.Position{}, selection.AtOffset(1), []int64{0}},
		{selection.AtOffset(20), selection.Position{}, nil},
		{selection.End, selection.End, nil},
		{selection.BeforeEnd(2 * time.Second), selection.BeforeEnd(time.Second), []int64{7}},
	} {
		a := newPlace(t)
		a.capture(b, Options{Topics: []string{"orders"}, From: c.from, Until: c.until})
		if got := offsetsOf(a.records("orders", 0)); !slices.Equal(got, c.want) {
			t.Errorf("from %s until %s: records at %v, want %v", c.from, c.until, got, c.want)
		}
	}
}

func TestAStartBeyondTheEndIsKeptUntilTheLogIsThere(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	o := Options{Topics: []string{"orders"}, From: selection.AtOffset(15)}
	a.capture(b, o)
	b.fill("orders", 0, 10)
	a.capture(b, o)
	if c := a.coverage("orders", 0); c.From != 15 || c.Next != 20 || c.Records != 5 {
		t.Errorf("covered %d to %d with %d records, want 15 to 20 with 5", c.From, c.Next, c.Records)
	}
}
