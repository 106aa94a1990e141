package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/selection"
)

func TestASnapshotHoldsEveryRecordOfEveryPartition(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		b := newBroker(t, kfake.SeedTopics(3, "orders"), kfake.NumBrokers(2))
		for p := range int32(3) {
			b.fill("orders", p, 100*int(p))
		}
		a := newPlaceIn(t, e)
		r := a.capture(b, Options{Topics: []string{"orders"}})
		if r.Records != 300 || r.Segments != 2 || r.Lost() != 0 || r.Incomplete() {
			t.Errorf("report has %d records in %d segments, lost %d", r.Records, r.Segments, r.Lost())
		}
		for p := range int32(3) {
			got := a.records("orders", p)
			if len(got) != 100*int(p) {
				t.Fatalf("partition %d has %d records, want %d", p, len(got), 100*p)
			}
			for i := range got {
				want := numbered(i)
				if got[i].Offset != int64(i) || !bytes.Equal(got[i].Key, want.Key) || !bytes.Equal(got[i].Value, want.Value) {
					t.Fatalf("record %d of partition %d is %+v", i, p, got[i])
				}
			}
		}
	})
}

func TestEveryRowOfTheFidelityListIsKept(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		big := bytes.Repeat([]byte("0123456789"), 1<<20)
		binary := []byte{0, 255, 1, 254, 0}
		header := func(k string, v []byte) kgo.RecordHeader { return kgo.RecordHeader{Key: k, Value: v} }
		records := []*kgo.Record{
			{Key: nil, Value: nil},
			{Key: []byte{}, Value: []byte{}},
			{Key: []byte("k"), Value: nil},
			{Key: binary, Value: binary},
			{Value: []byte("headers"), Headers: []kgo.RecordHeader{header("a", nil), header("a", []byte{}), header("a", binary), header("", nil)}},
			{Value: []byte("not UTF-8"), Headers: []kgo.RecordHeader{header("\xff\xfe", []byte("x")), header("ok", nil), header("\x80", nil)}},
			{Value: []byte("no time"), Timestamp: time.UnixMilli(-1)},
			{Value: []byte("epoch"), Timestamp: time.UnixMilli(0)},
			{Value: []byte("2200"), Timestamp: time.UnixMilli(7258118400000)},
			{Key: []byte("big"), Value: big},
		}
		b := newBroker(t, kfake.SeedTopics(1, "torture"), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20000000"}))
		b.produce("torture", 0, records...)
		a := newPlaceIn(t, e)
		a.capture(b, Options{Topics: []string{"torture"}})
		got := a.records("torture", 0)
		if len(got) != len(records) {
			t.Fatalf("%d records, want %d", len(got), len(records))
		}
		for i, want := range records {
			if diff := differ(&got[i], want); diff != "" {
				t.Errorf("record %d: %s", i, diff)
			}
		}
	})
}

// differ names the first difference of a captured record from what was produced.
func differ(got *format.Record, want *kgo.Record) string {
	switch {
	case !same(got.Key, want.Key):
		return fmt.Sprintf("key is %q, want %q", got.Key, want.Key)
	case !same(got.Value, want.Value):
		return fmt.Sprintf("value has %d bytes, want %d", len(got.Value), len(want.Value))
	case got.TimestampMs != want.Timestamp.UnixMilli() || got.TimestampType != format.TimestampCreate:
		return fmt.Sprintf("timestamp is %d, type %d, want %d", got.TimestampMs, got.TimestampType, want.Timestamp.UnixMilli())
	case got.LeaderEpoch != 0:
		return fmt.Sprintf("leader epoch is %d, want 0", got.LeaderEpoch)
	case len(got.Headers) != len(want.Headers):
		return fmt.Sprintf("%d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i, h := range want.Headers {
		if got.Headers[i].Key != h.Key || !same(got.Headers[i].Value, h.Value) {
			return fmt.Sprintf("header %d is %q, want %q", i, got.Headers[i], h)
		}
	}
	return ""
}

// same tells nil from empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func TestASnapshotIsTheSameForAnyLanesAndFetchSizes(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		b := newBroker(t, kfake.SeedTopics(5, "orders"), kfake.NumBrokers(3))
		for p := range int32(5) {
			b.fill("orders", p, 700)
		}
		o := Options{Topics: []string{"orders"}, RotateBytes: 20_000}
		want := newPlaceIn(t, e)
		want.capture(b, o)
		if n := len(want.data()); n < 10 {
			t.Fatalf("only %d files: rotation is not tested", n)
		}
		for _, change := range []Options{{Lanes: 1}, {Lanes: 5}, {FetchBytes: 1}, {FetchBytes: 3000, Lanes: 2}} {
			o.Lanes, o.FetchBytes = change.Lanes, change.FetchBytes
			got := newPlaceIn(t, e)
			got.capture(b, o)
			if !maps.Equal(got.data(), want.data()) {
				t.Errorf("lanes %d, fetch size %d: files differ: %v", o.Lanes, o.FetchBytes, unequal(got.data(), want.data()))
			}
		}
	})
}

func TestAsManyPartitionsAreCapturedAtOnceAsThereAreLanes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(3, "orders"))
		for p := range int32(3) {
			b.fill("orders", p, 20)
		}
		atOnce := func(lanes int) int {
			var mu sync.Mutex
			var active, most int
			count := func(by int) {
				mu.Lock()
				defer mu.Unlock()
				active += by
				most = max(most, active)
			}
			newPlace(t).capture(b, Options{Topics: []string{"orders"}, Lanes: lanes, Reshape: whenAsked(func() {
				count(1)
				time.Sleep(100 * time.Millisecond)
				count(-1)
			})})
			return most
		}
		if got := atOnce(1); got != 1 {
			t.Errorf("one lane: %d partitions at once", got)
		}
		if got := atOnce(3); got < 2 {
			t.Errorf("three lanes: %d partition at once", got)
		}
	})
}

func unequal(a, b map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, "missing "+name)
		}
	}
	return names
}

func TestAnInterruptedSnapshotContinuesToTheSameBytes(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		b := newBroker(t, kfake.SeedTopics(3, "orders"))
		for p := range int32(3) {
			b.fill("orders", p, 400)
		}
		o := Options{Topics: []string{"orders"}, RotateBytes: 10_000, Lanes: 2, FetchBytes: 2000}
		want := newPlaceIn(t, e)
		want.capture(b, o)

		got := newPlaceIn(t, e)
		for runs := 1; ; runs++ {
			ctx, cancel := context.WithCancel(t.Context())
			got.onSeal(cancel) // the first segment that this run seals is its last
			r, err := got.try(ctx, b, o)
			got.verify()
			if err == nil {
				if runs < 3 || !r.Resumed {
					t.Errorf("run %d was the last, resumed is %v: continuing is not tested", runs, r.Resumed)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			got.fs = got.fs.Kill()
		}
		if !maps.Equal(got.data(), want.data()) {
			t.Errorf("files differ: %v", unequal(got.data(), want.data()))
		}
	})
}

func TestASnapshotSurvivesACrashAtAnyOperation(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		b := newBroker(t, kfake.SeedTopics(2, "orders"))
		b.fill("orders", 0, 60)
		b.fill("orders", 1, 60)
		o := Options{Topics: []string{"orders"}, RotateRecords: 25, Lanes: 1}
		want := newPlaceIn(t, e)
		want.capture(b, o)
		for n := 0; ; n += 3 {
			got := newPlaceIn(t, e)
			got.fs.CrashAt(n)
			if a, err := format.Create(got.fs, format.Identity{Encoding: e}); err == nil {
				if _, err := Run(t.Context(), b.dial, a, o); err == nil {
					if n < 100 {
						t.Errorf("the capture had only %d operations to crash at", n)
					}
					return
				}
			}
			got.fs = got.fs.Crash(uint64(n))
			got.capture(b, o)
			if !maps.Equal(got.data(), want.data()) {
				t.Errorf("crash at operation %d: files differ: %v", n, unequal(got.data(), want.data()))
			}
		}
	})
}

func TestAnInterruptionBeforeTheFirstSealKeepsTheResolvedStart(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	o := Options{Topics: []string{"orders"}, From: selection.End}
	a.capture(b, o) // nothing is there after the end, so nothing is sealed
	b.fill("orders", 0, 5)
	r := a.capture(b, o)
	if got := a.coverage("orders", 0); got.From != 10 || got.Next != 15 || r.Records != 5 {
		t.Errorf("covered %d to %d with %d records, want 10 to 15 with 5", got.From, got.Next, r.Records)
	}
}

func TestAnInterruptedSnapshotEndsWhereItWasPlannedToEnd(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 100)
	a := newPlace(t)
	o := Options{Topics: []string{"orders"}, RotateRecords: 30, FetchBytes: 1000}
	a.interrupt(b, o)
	b.fill("orders", 0, 50)
	if r := a.capture(b, o); !r.Resumed || a.coverage("orders", 0).Next != 100 {
		t.Errorf("resumed %v to %d, want true to 100", r.Resumed, a.coverage("orders", 0).Next)
	}
	if r := a.capture(b, o); r.Resumed || r.Records != 50 || a.coverage("orders", 0).Next != 150 {
		t.Errorf("then resumed %v, %d records to %d, want false, 50 to 150", r.Resumed, r.Records, a.coverage("orders", 0).Next)
	}
}
