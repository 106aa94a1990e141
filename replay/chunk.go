package replay

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// entry is a record on its way: what the producer gets, and how to find its way back. Entries live in chunks, never alone, so that a
// record costs no allocation of its own.
type entry struct {
	record      kgo.Record // first, for entryOf
	chunk       *chunk
	to          *destination
	offset      int64 // in the source
	timestampMs int64
	due         time.Duration // after the start of a timed replay
	bytes       int32         // canonical, at most 1 GiB
	under       int64         // what it takes of the destination's window
	fate        fate
	inTurn      bool // its destination is the next one in turn
}

// fate is what became of an entry.
type fate uint8

const (
	undecided    fate = iota // not sent, or not answered yet
	acknowledged             // by the target in this run
	earlier                  // acknowledged in an earlier run, so not sent
	leftOut                  // not sent, because the target cannot take it
	refused                  // sent and not acknowledged
)

// entryOf finds the entry of a record that the producer gives back, in the one function that it calls for all of them. The record's context
// would be another way, but the producer looks at that also when the record is done and its memory another's.
func entryOf(r *kgo.Record) *entry { return (*entry)(unsafe.Pointer(r)) }

var _ [0]struct{} = [unsafe.Offsetof(entry{}.record)]struct{}{}

// chunk is a run of records of a row group that is sent next.
type chunk struct {
	ledger    *ledger
	entries   []entry
	passed    int // entries at the front that are acknowledged or left out, or were earlier
	undecided int // entries, counted also before they are sent
	release   func()
	next      *chunk // in the ledger

	headers []kgo.RecordHeader // of all entries
	memory  *memory            // that takes it back; nil: none
	played  bool               // the player is done with it
}

const (
	// chunkRecords is the most records of a chunk.
	chunkRecords = 1024
	// entryCost is what a record costs in memory while it is in a chunk: its entry and the client's note of it.
	entryCost = int64(unsafe.Sizeof(entry{})) + 48
)

// fill turns records into the entries of c, which is new or was given back. They keep what the records point to.
func (c *chunk) fill(l *ledger, records []format.Record, timestamps Timestamps) *chunk {
	headers := slices.Grow(c.headers[:0], countHeaders(records))
	*c = chunk{ledger: l, entries: slices.Grow(c.entries[:0], len(records))[:len(records)], undecided: len(records), memory: c.memory, headers: headers}
	for i := range records {
		e, r := &c.entries[i], &records[i]
		*e = entry{chunk: c, offset: r.Offset, timestampMs: r.TimestampMs, bytes: int32(format.CanonicalSize(r))}
		headers = toKafka(&e.record, r, headers)
		if timestamps != NowTimestamps {
			e.record.Timestamp = time.UnixMilli(r.TimestampMs)
		}
	}
	return c
}

func countHeaders(records []format.Record) int {
	n := 0
	for i := range records {
		n += len(records[i].Headers)
	}
	return n
}

// toKafka fills in dst from src, all but its place and its timestamp, and returns headers with those of dst appended. A zero timestamp
// makes the client set the present.
func toKafka(dst *kgo.Record, src *format.Record, headers []kgo.RecordHeader) []kgo.RecordHeader {
	dst.Key, dst.Value = src.Key, src.Value
	first := len(headers)
	for i := range src.Headers {
		headers = append(headers, kgo.RecordHeader(src.Headers[i]))
	}
	dst.Headers = headers[first:len(headers):len(headers)]
	return headers
}

// destination is a partition of the target. When it refuses a record it takes no more: its context ends.
type destination struct {
	topic     string
	partition int32
	accepts   *acceptance
	window    *window // nil: there is no need for one
	ctx       context.Context
	refuse    context.CancelCauseFunc

	used  atomic.Bool // something was sent there
	noted bool        // by the client; of transactions only
}

func newDestinations(topic string, partitions int32, accepts *acceptance, detours bool, windowBatch int64) []*destination {
	out := make([]*destination, partitions)
	for i := range out {
		d := &destination{topic: topic, partition: int32(i), accepts: accepts}
		d.ctx, d.refuse = context.WithCancelCause(context.Background())
		if windowBatch > 0 {
			d.window = newWindow(windowBatch, detours)
		}
		out[i] = d
	}
	return out
}

// refusal is why the destination takes no more; nil: it does.
func (d *destination) refusal() error {
	if d.ctx.Err() == nil {
		return nil
	}
	return context.Cause(d.ctx)
}
