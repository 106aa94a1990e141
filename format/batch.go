package format

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/karchive/karchive/internal/ondisk"
)

// maxGroupHeaderKeys bounds the footer space of a row group for header keys that are not UTF-8. With ondisk.RowGroupBytes it is the rule that
// cuts row groups: it looks at the records alone, so that the same records always make the same file.
const maxGroupHeaderKeys = 64 << 10

// batch collects the records of a row group as their canonical bytes, one after the other: the digest is the hash of that arena, and
// the columns are cut out of it.
type batch struct {
	arena    []byte
	info     RowGroup // all but Digest
	keysSize int      // footer bytes of info.HeaderKeys
}

// spareBatches are kept for the next row groups. A sync.Pool would have none at hand for most: it lets go of what a collection finds in it, and a
// goroutine does not see what was put there on another processor. So nearly every arena would grow from nothing.
var spareBatches struct {
	sync.Mutex
	list []*batch
}

const (
	mostSpare = 4
	// maxSpareArena keeps the memory of an odd huge record from staying.
	maxSpareArena = 2 * ondisk.RowGroupBytes
)

func newBatch() *batch {
	s := &spareBatches
	s.Lock()
	defer s.Unlock()
	n := len(s.list) - 1
	if n < 0 {
		return new(batch)
	}
	b := s.list[n]
	s.list = s.list[:n]
	return b
}

func (b *batch) free() {
	if cap(b.arena) > maxSpareArena {
		return
	}
	*b = batch{arena: b.arena[:0]}
	s := &spareBatches
	s.Lock()
	defer s.Unlock()
	if len(s.list) < mostSpare {
		s.list = append(s.list, b)
	}
}

// fits says whether r, of size canonical bytes, still belongs to this row group.
func (b *batch) fits(r *Record, size int64) bool {
	if b.info.Records == 0 {
		return true
	}
	if b.info.Bytes+size > ondisk.RowGroupBytes {
		return false
	}
	return b.keysSize == 0 || b.keysSize+headerKeysSize(r) <= maxGroupHeaderKeys
}

func (b *batch) add(r *Record, size int64) {
	if b.info.Records == 0 {
		b.info.FirstOffset = r.Offset
		b.info.MinTimestampMs, b.info.MaxTimestampMs = r.TimestampMs, r.TimestampMs
	}
	b.addHeaderKeys(r)
	b.reserve(int(size))
	b.arena = AppendCanonical(b.arena, r)
	b.info.Records++
	b.info.Bytes += size
	b.info.LastOffset = r.Offset
	b.info.MinTimestampMs = min(b.info.MinTimestampMs, r.TimestampMs)
	b.info.MaxTimestampMs = max(b.info.MaxTimestampMs, r.TimestampMs)
}

// reserve makes room for size bytes more. The arena doubles, where append would add a quarter of it at a time and copy a row group four
// times over on its way; it does not double beyond what a row group may hold.
func (b *batch) reserve(size int) {
	if cap(b.arena)-len(b.arena) < size {
		b.arena = slices.Grow(b.arena, max(size, min(cap(b.arena), ondisk.RowGroupBytes-len(b.arena))))
	}
}

func (b *batch) addHeaderKeys(r *Record) {
	for i := range r.Headers {
		if k := r.Headers[i].Key; !utf8.ValidString(k) {
			b.info.HeaderKeys = append(b.info.HeaderKeys, HeaderKey{Row: b.info.Records, Header: i, Key: []byte(k)})
			b.keysSize += headerKeySize(k)
		}
	}
}

// headerKeysSize bounds the footer bytes that r's header keys need when they are not UTF-8.
func headerKeysSize(r *Record) int {
	n := 0
	for i := range r.Headers {
		if k := r.Headers[i].Key; !utf8.ValidString(k) {
			n += headerKeySize(k)
		}
	}
	return n
}

func headerKeySize(k string) int {
	const rest = `{"row":1234567,"header":1234567,"base64":""},`
	return len(rest) + base64.StdEncoding.EncodedLen(len(k))
}

// checkRecord refuses what the format cannot hold.
func checkRecord(r *Record, size int64) error {
	if r.Offset < 0 || r.Offset == math.MaxInt64 {
		return fmt.Errorf("offset %d is not a Kafka offset", r.Offset)
	}
	if r.TimestampType < TimestampNone || r.TimestampType > TimestampLogAppend {
		return fmt.Errorf("offset %d: timestamp type %d is unknown", r.Offset, r.TimestampType)
	}
	if r.LeaderEpoch < NoLeaderEpoch {
		return fmt.Errorf("offset %d: leader epoch %d is impossible", r.Offset, r.LeaderEpoch)
	}
	if size > maxRecordBytes {
		return fmt.Errorf("offset %d: record of %d bytes, the limit is %d: %w", r.Offset, size, int64(maxRecordBytes), ondisk.ErrTooLarge)
	}
	return nil
}

// canonicalReader cuts records out of the canonical bytes of a batch. The bytes are ours, so there is nothing to check.
type canonicalReader struct{ rest []byte }

func (c *canonicalReader) u64() uint64 {
	v := binary.LittleEndian.Uint64(c.rest)
	c.rest = c.rest[8:]
	return v
}

func (c *canonicalReader) u32() uint32 {
	v := binary.LittleEndian.Uint32(c.rest)
	c.rest = c.rest[4:]
	return v
}

func (c *canonicalReader) u8() uint8 {
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v
}

func (c *canonicalReader) bytes(n int) []byte {
	v := c.rest[:n:n]
	c.rest = c.rest[n:]
	return v
}

// payload returns a key or value; null is nil and an empty one is not.
func (c *canonicalReader) payload() []byte {
	n := int32(c.u32())
	if n < 0 {
		return nil
	}
	return c.bytes(int(n))
}
