package replay_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// Row groups and chunks are used again while others are on their way. Each record says in all of its parts which one it is.
func TestMemoryThatIsUsedAgainMixesNoRecords(t *testing.T) {
	r := ordersAndEvents(20_000)
	r.groupSize = 700
	for tp, records := range r.records {
		for i := range records {
			name := fmt.Sprintf("%s/%d@%d", tp.Topic, tp.Partition, i)
			records[i].Value = bytes.Repeat([]byte(name), 1+i%7)
			for h := range i % 3 {
				records[i].Headers = append(records[i].Headers, format.Header{Key: fmt.Sprintf("h%d", h), Value: []byte(name)})
			}
		}
	}
	c := newTarget(t)
	o := often()
	o.ExactlyOnce, o.MemoryBytes = false, 2<<20
	report := c.run(t, r.archive(t), o)
	equal(t, "acknowledged", report.Acknowledged, int64(60_000))
	for tp, records := range r.records {
		got := c.contents(t, tp.Topic)[tp.Partition]
		if len(got) != len(records) {
			t.Fatalf("%s: %d records, want %d", tp, len(got), len(records))
		}
		for i, want := range records {
			if !sameContent(got[i], &want) {
				t.Fatalf("%s: record %d is %s %s %v, want %s %s %v", tp, i, got[i].Key, got[i].Value, got[i].Headers, want.Key, want.Value, want.Headers)
			}
		}
	}
}

func sameContent(got *kgo.Record, want *format.Record) bool {
	if !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || len(got.Headers) != len(want.Headers) {
		return false
	}
	for i, h := range want.Headers {
		if got.Headers[i].Key != h.Key || !bytes.Equal(got.Headers[i].Value, h.Value) {
			return false
		}
	}
	return got.Timestamp.UnixMilli() == want.TimestampMs
}
