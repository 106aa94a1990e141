package format

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// dullness notices, at the fastest level, pages of a column that are not worth compressing: values that are compressed or encrypted already. The
// codec finds that out of most by itself. But small values that all begin alike, as those of gzip do, keep it busy for longer than text
// does, for a few percent. The rule looks at the bytes of pages alone, so that the same records make the same file.
type dullness struct {
	left int // pages that are stored as they are, if they look as random as the last one that was compressed
	next int // how many those will be when the next compressed page is dull as well
}

const (
	dullShare = 16      // a page is dull that a sixteenth of itself, or less, is saved of
	mostDull  = 16      // pages in a row that are stored without compressing one to see
	leastDull = 4 << 10 // bytes: smaller pages cost nothing
	mostStore = 1 << 20 // larger pages hold a large value: the codec is fast there
)

// skips says whether a page is to be stored as it is.
func (d *dullness) skips(page []byte) bool {
	if d.left == 0 || len(page) < leastDull || len(page) > mostStore || !looksRandom(page) {
		return false
	}
	d.left--
	return true
}

// compressed notes what came of a page.
func (d *dullness) compressed(page, frame int) {
	if page < leastDull || page-frame > page/dullShare {
		*d = dullness{}
		return
	}
	d.next = min(max(2*d.next, 1), mostDull)
	d.left = d.next
}

// looksRandom says whether bytes that are spread over a page are about equally frequent. Of n random bytes the squares of how often each
// of the 256 occurs add up to n + n*n/256; of base64 it is four times as much, of text more.
func looksRandom(page []byte) bool {
	const pieces, piece = 16, 256
	var counts [256]uint32
	for i := range pieces {
		at := i * (len(page) - piece) / (pieces - 1)
		for _, b := range page[at : at+piece] {
			counts[b]++
		}
	}
	sum := uint32(0)
	for _, c := range counts {
		sum += c * c
	}
	const n = pieces * piece
	return sum < (n+n*n/256)*3/2
}

// appendStored appends src, which is not empty, as a zstd frame of raw blocks, with its size and checksum (RFC 8878).
func appendStored(dst, src []byte) []byte {
	const (
		magic      = 0xFD2FB528
		descriptor = 2<<6 | 1<<5 | 1<<2 // the size has four bytes, there is one segment, and a checksum
		mostBlock  = 128 << 10
		last       = 1
	)
	dst = append(binary.LittleEndian.AppendUint32(dst, magic), descriptor)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(src)))
	for rest := src; len(rest) > 0; {
		block := rest[:min(len(rest), mostBlock)]
		rest = rest[len(block):]
		head := uint32(len(block)) << 3
		if len(rest) == 0 {
			head |= last
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, block...)
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(xxhash.Sum64(src)))
}
