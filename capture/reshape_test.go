package capture

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
)

// rules leave out every third record, and change all others: their value, and their timestamp by a second.
type rules struct {
	name string
	fail int64 // offset of a record about which they cannot be decided; 0: none
}

var errUndecided = errors.New("cannot be decided")

func (r rules) Rules(string) string { return r.name }

func (r rules) Steps() string { return "filter, mask" }

func (r rules) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	var scratch []byte
	apply := func(tp format.TopicPartition, rec *format.Record) (bool, error) {
		if r.fail != 0 && rec.Offset == r.fail {
			return false, errUndecided
		}
		scratch = append(append(scratch[:0], tp.Topic...), rec.Value...)
		rec.Value = scratch
		rec.TimestampMs += 1000
		return rec.Offset%3 != 0, nil
	}
	return apply, func() { clear(scratch) }
}

func TestRulesLeaveOutAndChangeRecords(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 200)
	b.transact("tx", "orders", 0, 10, true)
	plain, ruled := newPlace(t), newPlace(t)
	plain.capture(b, Options{Topics: []string{"orders"}})
	report := ruled.capture(b, Options{Topics: []string{"orders"}, Reshape: rules{name: "r1"}, RotateRecords: 50})
	ruled.verify()
	var want []format.Record
	filtered := int64(0)
	for _, r := range plain.records("orders", 0) {
		if r.Offset%3 == 0 {
			filtered++
			continue
		}
		r.Value = append([]byte("orders"), r.Value...)
		r.TimestampMs += 1000
		want = append(want, r)
	}
	got := ruled.records("orders", 0)
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].Offset != want[i].Offset || !bytes.Equal(got[i].Value, want[i].Value) || got[i].TimestampMs != want[i].TimestampMs || !bytes.Equal(got[i].Key, want[i].Key) {
			t.Fatalf("record %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
	if report.Gaps.Filtered != filtered || report.Gaps.Control != 1 || report.Gaps.Absent != 0 || report.Incomplete() {
		t.Errorf("gaps: got %+v, want %d filtered", report.Gaps, filtered)
	}
	if c := ruled.coverage("orders", 0); c.From != 0 || c.Next != 211 {
		t.Errorf("covers [%d, %d), want [0, 211)", c.From, c.Next)
	}
	if plan := ruled.identity().Capture; plan.Rules != "r1" || plan.Options["steps"] != "filter, mask" {
		t.Errorf("the plan has %+v", plan)
	}
}

func TestAnArchiveGoesOnWithTheSameRulesOnly(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 20)
	for name, c := range map[string][2]reshaping.Reshaper{
		"others": {rules{name: "r1"}, rules{name: "r2"}}, "none any more": {rules{name: "r1"}, nil}, "some now": {nil, rules{name: "r1"}},
	} {
		a := newPlace(t)
		a.capture(b, Options{Topics: []string{"orders"}, Reshape: c[0]})
		b.fill("orders", 0, 5)
		_, err := a.try(t.Context(), b, Options{Topics: []string{"orders"}, Reshape: c[1]})
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || mismatch.What != "rules" {
			t.Errorf("%s: got %v, want a MismatchError about rules", name, err)
		}
		a.capture(b, Options{Topics: []string{"orders"}, Reshape: c[0]})
		a.verify()
	}
}

func TestAnInterruptedCaptureWithRulesGivesTheSameBytes(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 300)
	o := Options{Topics: []string{"orders"}, Reshape: rules{name: "r1"}, RotateRecords: 40, FetchBytes: 1000}
	whole, cut := newPlace(t), newPlace(t)
	whole.capture(b, o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut.onSeal(cancel)
	if _, err := cut.try(ctx, b, o); err == nil {
		t.Fatal("the capture was not interrupted")
	}
	if before := cut.data(); len(before) == 0 || len(before) == len(whole.data()) {
		t.Fatalf("%d segments of %d were sealed before", len(before), len(whole.data()))
	}
	cut.fs = cut.fs.Kill()
	cut.capture(b, o)
	if !maps.Equal(cut.data(), whole.data()) {
		t.Error("the bytes differ from those of a capture that was not interrupted")
	}
}

func TestARecordThatRulesCannotDecideEndsTheCapture(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 20)
	_, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}, Reshape: rules{name: "r1", fail: 7}})
	var at *PartitionError
	if !errors.As(err, &at) || at.Offset != 7 || !errors.Is(err, errUndecided) || !strings.Contains(err.Error(), "orders-0 at offset 7") {
		t.Errorf("got %v", err)
	}
}
