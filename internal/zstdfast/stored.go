package zstdfast

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// AppendStored appends src, which is not empty, to dst as a frame of raw blocks, with its size and checksum.
func AppendStored(dst, src []byte) []byte {
	dst = appendHeader(dst, len(src))
	for from := 0; from < len(src); from += maxBlock {
		block := src[from:min(from+maxBlock, len(src))]
		dst = append(appendBlockHeader(dst, rawBlock, len(block), from+len(block) == len(src)), block...)
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(xxhash.Sum64(src)))
}

// LooksRandom says whether bytes that are spread over b are about equally frequent. Of n random bytes the squares of how often each
// of the 256 occurs add up to n + n*n/256; of base64 it is four times as much, of text more.
func LooksRandom(b []byte) bool {
	const pieces, most = 16, 256
	piece := min(len(b)/pieces, most)
	var counts [256]uint32
	for i := range pieces {
		at := i * (len(b) - piece) / (pieces - 1)
		for _, c := range b[at : at+piece] {
			counts[c]++
		}
	}
	sum := uint32(0)
	for _, c := range counts {
		sum += c * c
	}
	n := uint32(pieces * piece)
	return sum < (n+n*n/256)*3/2
}
