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
	pages   [][]byte // those in use first
	used    int
	kept    int // bytes of pages
}

// mostKept bounds what a Buffer keeps for the pages of the next row group: two of the usual size. Larger pages are new memory.
const mostKept = 2 * ondisk.RowGroupBytes

// reset gives up what was read before.
func (b *Buffer) reset() *Buffer {
	if b == nil {
		return &Buffer{}
	}
	b.used = 0
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
	for i := b.used; i < len(b.pages); i++ {
		if p := b.pages[i]; cap(p) >= n {
			b.pages[i], b.pages[b.used] = b.pages[b.used], p
			b.used++
			return p[:n]
		}
	}
	p := make([]byte, n)
	if b.kept+n <= mostKept {
		b.kept += n
		b.pages = slices.Insert(b.pages, b.used, p)
		b.used++
	}
	return p
}
