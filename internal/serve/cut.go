package serve

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
)

// cut is the part of a batch for offsets from at up to until, which it answers for. Nobody can read the others yet, or needs them again.
func (b *batch) cut(at, until int64) batch {
	be := binary.BigEndian
	if be.Uint16(b.raw[21:])&attributeControl != 0 {
		return marker(at, until-1)
	}
	firstMs := int64(be.Uint64(b.raw[27:]))
	from, to, records, latestMs := 0, 0, 0, firstMs
	for pos := headBytes; pos < len(b.raw); {
		next, ms, offset := recordAt(b.raw, pos)
		if offset += b.first; offset >= until {
			break
		}
		if offset >= at {
			if records == 0 {
				from, latestMs = pos, firstMs+ms
			}
			to, records, latestMs = next, records+1, max(latestMs, firstMs+ms)
		}
		pos = next
	}
	if records == 0 {
		return marker(at, until-1)
	}
	raw := make([]byte, headBytes, headBytes+to-from)
	raw = append(raw, b.raw[from:to]...)
	finish(raw, head{b.first, until - 1, int32(be.Uint32(b.raw[12:])), be.Uint16(b.raw[21:]), firstMs, latestMs, records})
	return batch{b.first, until, until - 1, raw}
}

// recordAt reads where the record at pos ends, and how far its timestamp and its offset are from those of its batch.
func recordAt(raw []byte, pos int) (next int, ms, offset int64) {
	size, n := binary.Varint(raw[pos:])
	pos += n
	next = pos + int(size)
	pos++ // attributes
	ms, n = binary.Varint(raw[pos:])
	offset, _ = binary.Varint(raw[pos+n:])
	return next, ms, offset
}

// move makes a batch of the archive one of another round, in its memory.
func (s *stretch) move(raw []byte) {
	be := binary.BigEndian
	be.PutUint64(raw, uint64(s.served(int64(be.Uint64(raw)))))
	be.PutUint32(raw[12:], uint32(s.partition.epoch)) // epochs never fall
	for _, at := range []int{27, 35} {
		if ms := int64(be.Uint64(raw[at:])); moment.Counts(ms) {
			be.PutUint64(raw[at:], uint64(saturating.Add(ms, s.shiftMs())))
		}
	}
	be.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
}
