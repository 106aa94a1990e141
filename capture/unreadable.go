package capture

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
)

// isUnreadable says whether err is about a batch that cannot be read, however sound what is around it.
func isUnreadable(err error) bool {
	return errors.Is(err, ErrCorruptBatch) || errors.Is(err, ErrBatchTooLarge)
}

// leave ends the feed of a partition with a batch that cannot be read. The others go on.
func (s *source) leave(f *feed, err error) {
	if s.end(f) {
		s.unreadable(err)
	}
}

// end closes the inbox of a lane, unless it takes nothing more anyway.
func (s *source) end(f *feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.dropped {
		return false
	}
	f.busy = false
	s.drop(f)
	close(f.inbox)
	return true
}

// drop forgets a lane that takes nothing more. The caller holds mu.
func (s *source) drop(f *feed) {
	f.dropped = true
	s.remove(f)
}

// quit is drop for the lane, whose inbox is then empty for good.
func (s *source) quit(tp format.TopicPartition, inbox <-chan chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.feeds[tp]; f != nil {
		s.drop(f)
	}
	select {
	case c := <-inbox:
		c.drop()
	default:
	}
}

// drop gives back what a chunk holds.
func (c *chunk) drop() {
	if c.response != nil {
		c.response.release()
	}
}

// skip makes the offsets of a batch that cannot be read a gap.
func (s *source) skip(f *feed, next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.busy = false
	if f.end != noEnd {
		next = min(next, f.end)
	}
	s.hand(f, chunk{gap: &ledger.Gap{From: f.at, Until: next, Reason: ledger.Corrupt}, next: next})
}

// sound cuts b, whole batches fetched from offset at, before the first batch that is not as it was written. When that is the first one, next is
// where to go on: where the next sound batch begins, if it is in b, else one offset further, because what a damaged batch says of its end
// proves nothing.
func sound(b []byte, at int64) (good []byte, next int64, ok bool) {
	for rest := b; len(rest) > 0; {
		size, intact := batchAt(rest)
		if intact {
			rest = rest[size:]
			continue
		}
		if len(rest) < len(b) {
			return b[:len(b)-len(rest)], at, true
		}
		if size > 0 && size < len(rest) {
			if _, intact := batchAt(rest[size:]); intact {
				if base := int64(binary.BigEndian.Uint64(rest[size:])); base > at {
					return nil, base, false
				}
			}
		}
		return nil, at + 1, false
	}
	return b, at, true
}

// batchAt is the size of the batch that b begins with, as it claims, and whether its sum is right. Part of one at the end, and message sets of
// old formats, which are checked when they are decoded, count as intact.
func batchAt(b []byte) (size int, intact bool) {
	if len(b) <= batchMagic {
		return len(b), true
	}
	size = int(int32(binary.BigEndian.Uint32(b[batchLength:]))) + logOverhead
	switch {
	case size <= batchMagic || b[batchMagic] > 2 || b[batchMagic] == 2 && size < batchHeader:
		return 0, false
	case size > len(b):
		return len(b), true
	case b[batchMagic] < 2:
		return size, true
	}
	return size, crc32.Checksum(b[batchAttributes:size], castagnoli) == binary.BigEndian.Uint32(b[batchCRC:])
}
