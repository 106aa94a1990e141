package format

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"sync"

	"github.com/zeebo/xxh3"
)

// The canonical bytes of a record, all integers in little endian (SPEC.md, "Canonical record encoding"):
//
//	offset i64, timestamp i64, timestamp type i8, leader epoch i32,
//	key: length i32 (-1 null) and bytes, value: likewise,
//	header count u32, then for each header key and value, each: length i32 (-1 null) and bytes
const (
	canonicalFixed  = 8 + 8 + 1 + 4 + 4 + 4 + 4 // everything but the payloads of a record without headers
	canonicalHeader = 4 + 4                     // the two lengths of a header
)

// CanonicalSize is the number of bytes that AppendCanonical appends for r. Rotation and row groups are measured in it.
func CanonicalSize(r *Record) int64 {
	n := int64(canonicalFixed) + int64(len(r.Key)) + int64(len(r.Value))
	for i := range r.Headers {
		n += canonicalHeader + int64(len(r.Headers[i].Key)) + int64(len(r.Headers[i].Value))
	}
	return n
}

// AppendCanonical appends the canonical bytes of r to dst and returns the extended slice. Two records are equal exactly when their
// canonical bytes are. A payload must not exceed 2^31-1 bytes, as lengths are signed 32-bit; a Pending refuses larger records.
func AppendCanonical(dst []byte, r *Record) []byte {
	dst = appendPlace(dst, r)
	dst = appendPayload(dst, r.Key)
	dst = appendPayload(dst, r.Value)
	return appendHeaders(dst, r.Headers)
}

// appendPlace appends what stands before the payloads of a record.
func appendPlace(dst []byte, r *Record) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Offset))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.TimestampMs))
	dst = append(dst, byte(r.TimestampType))
	return binary.LittleEndian.AppendUint32(dst, uint32(r.LeaderEpoch))
}

func appendHeaders(dst []byte, headers []Header) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(headers)))
	for i := range headers {
		h := &headers[i]
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendPayload(dst, h.Value)
	}
	return dst
}

func appendPayload(dst, b []byte) []byte {
	if b == nil {
		return binary.LittleEndian.AppendUint32(dst, math.MaxUint32) // -1
	}
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(b))), b...)
}

// hashStep is how many canonical bytes are gathered before they are hashed. Larger payloads are hashed where they are.
const hashStep = 64 << 10

// recordsDigest is the digest and the number of the canonical bytes of records, without having them in memory.
func recordsDigest(records []Record) (digest string, size int64) {
	h := canonicalHashes.Get().(*canonicalHash)
	defer canonicalHashes.Put(h)
	h.hash.Reset()
	for i := range records {
		h.add(&records[i])
		size += CanonicalSize(&records[i])
	}
	h.flush()
	sum := h.hash.Sum128().Bytes()
	return hex.EncodeToString(sum[:]), size
}

// canonicalHashes keeps hashes for the next row group: of small ones there are many, and the memory of one is as much as theirs.
var canonicalHashes = sync.Pool{New: func() any {
	return &canonicalHash{hash: xxh3.New(), buf: make([]byte, 0, 2*hashStep)}
}}

// canonicalHash hashes the canonical bytes of records.
type canonicalHash struct {
	hash *xxh3.Hasher
	buf  []byte // not hashed yet
}

func (h *canonicalHash) add(r *Record) {
	h.buf = appendPlace(h.buf, r)
	h.payload(r.Key)
	h.payload(r.Value)
	h.buf = appendHeaders(h.buf, r.Headers)
	if len(h.buf) >= hashStep {
		h.flush()
	}
}

func (h *canonicalHash) payload(b []byte) {
	if len(b) <= hashStep {
		h.buf = appendPayload(h.buf, b)
		return
	}
	h.buf = binary.LittleEndian.AppendUint32(h.buf, uint32(len(b)))
	h.flush()
	h.hash.Write(b)
}

func (h *canonicalHash) flush() {
	h.hash.Write(h.buf)
	h.buf = h.buf[:0]
}
