// Package zstdfast compresses pages of segments with zstd (RFC 8878), at its fastest level. What it does is what zstd's "fast" strategy does: one table
// of the last places of six bytes each, no second look. It is for pages that are written whole: it takes about two thirds of the CPU time
// of the encoder in klauspost/compress, for the same size. The Huffman codes of literals are that library's.
package zstdfast

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
)

const (
	magic    = 0xFD2FB528
	maxBlock = 128 << 10 // bytes before compression, of a block
	window   = 4 << 20   // bytes that a match may reach back
)

// Kinds of blocks.
const (
	rawBlock        = 0
	compressedBlock = 2
)

// Encoder compresses one page after the other. The zero value is ready; it takes 0.7 MB from the first page on. What a page becomes depends on
// the page alone. An encoder must not be used by two goroutines at once.
type Encoder struct {
	places   [1 << hashBits]uint32 // the last place of what has this hash
	literals []byte
	sequences
	offset, before int // of the last matches, at different distances
	huffman
}

var encoders = sync.Pool{New: func() any { return new(Encoder) }}

// Append is that of an encoder at hand. It is safe for concurrent use.
func Append(dst, src []byte) []byte {
	e := encoders.Get().(*Encoder)
	defer encoders.Put(e)
	return e.Append(dst, src)
}

// Append appends src, of less than 4 GiB, to dst as one frame with its size and checksum.
func (e *Encoder) Append(dst, src []byte) []byte {
	clear(e.places[:])
	e.offset, e.before = 1, 4 // what decoders begin with
	dst = slices.Grow(dst, len(src)/4+64)
	dst = appendHeader(dst, len(src))
	for from := 0; ; {
		to := min(from+maxBlock, len(src))
		dst = e.appendBlock(dst, src[:to], from, to == len(src))
		if from = to; from == len(src) {
			break
		}
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(xxhash.Sum64(src)))
}

// appendHeader appends the header of a frame of so many bytes. A decoder keeps the whole frame, if it is not larger than the window.
func appendHeader(dst []byte, size int) []byte {
	const (
		oneSegment = 1 << 5
		checksum   = 1 << 2
		windowByte = (22 - 10) << 3 // 1 << 22 is the window
	)
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	switch {
	case size < 256:
		return append(dst, oneSegment|checksum, byte(size))
	case size < 1<<16+256:
		return appendBytes(append(dst, 1<<6|oneSegment|checksum), size-256, 2)
	case size <= window:
		return appendBytes(append(dst, 2<<6|oneSegment|checksum), size, 4)
	}
	return appendBytes(append(dst, 2<<6|checksum, windowByte), size, 4)
}

// appendBlock appends what is in src from a place on as a block.
func (e *Encoder) appendBlock(dst, src []byte, from int, last bool) []byte {
	head, size := len(dst), len(src)-from
	offset, before := e.offset, e.before
	e.split(src, from)
	if size-len(e.literals) < size/64+16 { // of a few matches there is nothing to gain
		e.list, e.literals = e.list[:0], append(e.literals[:0], src[from:]...)
	}
	dst = appendBlockHeader(dst, compressedBlock, 0, last)
	body := len(dst)
	dst = e.huffman.append(dst, e.literals, len(e.list) > 0)
	dst = e.sequences.append(dst)
	raw := len(dst)-body >= size
	if raw || len(e.list) == 0 {
		e.offset, e.before = offset, before // a decoder that is told of no match keeps the last ones
	}
	if raw {
		return append(appendBlockHeader(dst[:head], rawBlock, size, last), src[from:]...)
	}
	appendBlockHeader(dst[:head], compressedBlock, len(dst)-body, last)
	return dst
}

func appendBlockHeader(dst []byte, kind, size int, last bool) []byte {
	v := size<<3 | kind<<1
	if last {
		v |= 1
	}
	return appendBytes(dst, v, 3)
}
