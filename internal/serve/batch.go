package serve

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/moment"
)

// batch is a record batch of version 2, as Fetch answers with it.
type batch struct {
	first, end int64 // offsets of its first record and one past its last
	last       int64 // the last offset that it answers for, which may be in a gap behind its last record
	raw        []byte
}

const (
	// batchBytes is how large a batch of several records gets.
	batchBytes = 256 << 10
	headBytes  = 61
	magic      = 2

	attributeLogAppend = 1 << 3
	attributeControl   = 1 << 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode makes batches of records, of at most so many bytes unless a record has more. The last one answers for the offsets up to last,
// the others for the gaps behind them.
func encode(records []format.Record, most, last int64) []batch {
	var out []batch
	for len(records) > 0 {
		n := together(records, most)
		until := last
		if n < len(records) {
			until = records[n].Offset - 1
		}
		until = min(until, records[0].Offset+math.MaxInt32)
		out = append(out, newBatch(records[:n], until))
		records = records[n:]
	}
	return out
}

// together is how many of the first records go into one batch: a batch has one leader epoch and one timestamp type, and of timestamps that
// the broker set one. All of its timestamps move with the rounds of a schedule, or none does.
func together(records []format.Record, most int64) int {
	first := &records[0]
	size := format.CanonicalSize(first)
	for n := 1; n < len(records); n++ {
		r := &records[n]
		size += format.CanonicalSize(r)
		if size > most || r.LeaderEpoch != first.LeaderEpoch || moment.Counts(r.TimestampMs) != moment.Counts(first.TimestampMs) || r.TimestampType != first.TimestampType || r.Offset-first.Offset >= math.MaxInt32 ||
			r.TimestampType == format.TimestampLogAppend && r.TimestampMs != first.TimestampMs {
			return n
		}
	}
	return len(records)
}

func newBatch(records []format.Record, last int64) batch {
	first := &records[0]
	size, latest := headBytes, first.TimestampMs
	for i := range records {
		size += int(format.CanonicalSize(&records[i]))
		latest = max(latest, records[i].TimestampMs)
	}
	b := make([]byte, headBytes, size)
	for i := range records {
		b = appendRecord(b, &records[i], first.TimestampMs, first.Offset)
	}
	attributes := uint16(0)
	if first.TimestampType == format.TimestampLogAppend {
		attributes = attributeLogAppend
	}
	finish(b, head{first.Offset, last, first.LeaderEpoch, attributes, first.TimestampMs, latest, len(records)})
	return batch{first.Offset, records[len(records)-1].Offset + 1, last, b}
}

// marker is a batch without a record that a consumer sees, for offsets in which there is none: an empty one would stop some clients.
func marker(first, last int64) batch {
	last = min(last, first+math.MaxInt32)
	r := format.Record{Offset: first, TimestampMs: format.NoTimestamp, Key: []byte{0, 0, 0, 1}, Value: make([]byte, 6)} // version 0, commit
	b := appendRecord(make([]byte, headBytes, 2*headBytes), &r, r.TimestampMs, r.Offset)
	finish(b, head{first, last, format.NoLeaderEpoch, attributeControl, r.TimestampMs, r.TimestampMs, 1})
	return batch{first, last + 1, last, b}
}

// head is what stands before the records of a batch.
type head struct {
	first, last       int64
	epoch             int32
	attributes        uint16
	firstMs, latestMs int64
	records           int
}

// finish fills in what is before the records in b. No producer is named.
func finish(b []byte, h head) {
	be := binary.BigEndian
	be.PutUint64(b, uint64(h.first))
	be.PutUint32(b[8:], uint32(len(b)-12))
	be.PutUint32(b[12:], uint32(h.epoch))
	b[16] = magic
	be.PutUint16(b[21:], h.attributes)
	be.PutUint32(b[23:], uint32(h.last-h.first))
	be.PutUint64(b[27:], uint64(h.firstMs))
	be.PutUint64(b[35:], uint64(h.latestMs))
	be.PutUint64(b[43:], math.MaxUint64)
	be.PutUint16(b[51:], math.MaxUint16)
	be.PutUint32(b[53:], math.MaxUint32)
	be.PutUint32(b[57:], uint32(h.records))
	be.PutUint32(b[17:], crc32.Checksum(b[21:], castagnoli))
}

func appendRecord(b []byte, r *format.Record, firstMs, first int64) []byte {
	size := 1 + varintSize(r.TimestampMs-firstMs) + varintSize(r.Offset-first) + payloadSize(r.Key) + payloadSize(r.Value) + varintSize(int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		size += varintSize(int64(len(h.Key))) + len(h.Key) + payloadSize(h.Value)
	}
	b = binary.AppendVarint(b, int64(size))
	b = append(b, 0) // attributes
	b = binary.AppendVarint(b, r.TimestampMs-firstMs)
	b = binary.AppendVarint(b, r.Offset-first)
	b = appendPayload(appendPayload(b, r.Key), r.Value)
	b = binary.AppendVarint(b, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		b = append(binary.AppendVarint(b, int64(len(h.Key))), h.Key...)
		b = appendPayload(b, h.Value)
	}
	return b
}

func appendPayload(b, p []byte) []byte {
	if p == nil {
		return binary.AppendVarint(b, -1)
	}
	return append(binary.AppendVarint(b, int64(len(p))), p...)
}

func payloadSize(p []byte) int {
	if p == nil {
		return 1
	}
	return varintSize(int64(len(p))) + len(p)
}

func varintSize(v int64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutVarint(b[:], v)
}
