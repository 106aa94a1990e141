package format

import (
	"slices"

	"github.com/karchive/karchive/internal/ondisk"
)

// Buffer is memory that row groups are read into, one after the other. What GroupReader.Read returns stays valid until the next
// row group is read into the same Buffer: records, headers and the bytes that they point to. The zero value is ready; nil means new
// memory, which is the caller's for good. A Buffer is for one goroutine at a time.
type Buffer struct {
	records []Record
	headers []Header
	counts  []int32
	slabs   [][]byte // those in use first
	used    int
	filled  int  // bytes of the last slab in use
	kept    int  // bytes of slabs
	once    bool // nothing is read into it again
}

const (
	// slabBytes is how much memory pages share: they follow one another in it, so that a row group takes hardly more than the bytes of its
	// pages, whatever sizes the pages of the one before had. A larger page has a slab of its own.
	slabBytes = 1 << 20
	// mostKept bounds what a Buffer keeps for the pages of the next row group: two of the usual size. More is new memory.
	mostKept = 2 * ondisk.RowGroupBytes
	// pageAlignment is what a page of numbers may need at most.
	pageAlignment = 64
)

// reset gives up what was read before.
func (b *Buffer) reset() *Buffer {
	if b == nil {
		return &Buffer{once: true}
	}
	b.used, b.filled = 0, 0
	return b
}

// rows returns n records with any content: who asks for them sets every field of each. To clear them first would be one more way through
// memory that is larger than a processor's caches.
func (b *Buffer) rows(n int) []Record {
	if cap(b.records) < n {
		b.records = make([]Record, n)
	}
	b.records = b.records[:n]
	return b.records
}

// zeros returns n counts.
func (b *Buffer) zeros(n int) []int32 {
	b.counts = slices.Grow(b.counts[:0], n)[:n]
	clear(b.counts)
	return b.counts
}

// page returns n bytes of any content.
func (b *Buffer) page(n int) []byte {
	if b.once || n == 0 { // a record that its owner keeps is not to keep those of other pages
		return make([]byte, n)
	}
	if b.room() < n && !b.nextSlab(n) {
		return make([]byte, n)
	}
	p := b.slabs[b.used-1][b.filled:][:n:n]
	b.filled += min((n+pageAlignment-1)/pageAlignment*pageAlignment, b.room())
	return p
}

// room is how much of the last slab in use is free.
func (b *Buffer) room() int {
	if b.used == 0 {
		return 0
	}
	return len(b.slabs[b.used-1]) - b.filled
}

// nextSlab takes one that has n bytes into use: the first such of those that are kept, or a new one, unless that would be too much to keep.
func (b *Buffer) nextSlab(n int) bool {
	i := b.used
	for i < len(b.slabs) && len(b.slabs[i]) < n {
		i++
	}
	if i == len(b.slabs) {
		size := max(n, min(b.kept, slabBytes)) // small row groups take little
		if b.kept+size > mostKept {
			return false
		}
		b.slabs, b.kept = append(b.slabs, make([]byte, size)), b.kept+size
	}
	b.slabs[i], b.slabs[b.used] = b.slabs[b.used], b.slabs[i]
	b.used, b.filled = b.used+1, 0
	return true
}
