package format

import (
	"encoding/binary"
	"math/bits"
)

// The block shape of DELTA_BINARY_PACKED that parquet-mr and the C++ library write too.
const (
	deltaBlock     = 128 // values
	deltaMini      = 32  // values, of which a block has four
	deltaMiniCount = deltaBlock / deltaMini
)

// appendDelta appends values in DELTA_BINARY_PACKED (parquet-format, Encodings.md). Values of a 32-bit column must fit; narrow says that
// differences wrap around at 32 bits, as its readers compute them.
func appendDelta(dst []byte, values []int64, narrow bool) []byte {
	dst = binary.AppendUvarint(dst, deltaBlock)
	dst = binary.AppendUvarint(dst, deltaMiniCount)
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendVarint(dst, 0)
	}
	dst = binary.AppendVarint(dst, values[0])
	for i := 1; i < len(values); i += deltaBlock {
		dst = appendDeltaBlock(dst, values[i-1:min(i+deltaBlock, len(values))], narrow)
	}
	return dst
}

// appendDeltaBlock appends the differences of values, at most a block of them. What is left of a last miniblock is zero.
func appendDeltaBlock(dst []byte, values []int64, narrow bool) []byte {
	var deltas [deltaBlock]int64
	n := len(values) - 1
	least := difference(values[1], values[0], narrow)
	for i := range n {
		deltas[i] = difference(values[i+1], values[i], narrow)
		least = min(least, deltas[i])
	}
	dst = binary.AppendVarint(dst, least)
	widths := len(dst)
	dst = append(dst, make([]byte, deltaMiniCount)...)
	for m := 0; m*deltaMini < n; m++ {
		mini := deltas[m*deltaMini : (m+1)*deltaMini]
		all := uint64(0)
		for i := range mini {
			if m*deltaMini+i < n {
				mini[i] -= least
				all |= uint64(mini[i])
			}
		}
		width := bits.Len64(all)
		dst[widths+m] = byte(width)
		dst = appendPacked(dst, mini, width)
	}
	return dst
}

func difference(a, b int64, narrow bool) int64 {
	if narrow {
		return int64(int32(a) - int32(b))
	}
	return a - b
}

// appendPacked appends a miniblock with width bits a value, least significant bit first.
func appendPacked(dst []byte, mini []int64, width int) []byte {
	if width == 0 {
		return dst
	}
	var word uint64
	used := 0
	for _, v := range mini {
		word |= uint64(v) << used
		if used += width; used >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, word)
			used -= 64
			word = uint64(v) >> (width - used) // all of it gone when nothing is left: shifts by 64 give zero
		}
	}
	if used > 0 { // 32 values of an odd width end in the middle of a word
		dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
	}
	return dst
}

// levelRun is the shortest run of equal levels that is stored as one: shorter ones are packed in groups of as many.
const levelRun = 8

// appendLevels appends definition or repetition levels of width bits in the RLE and bit-packing hybrid, with its length in front, as
// data pages of version 1 have them.
func appendLevels(dst []byte, levels []byte, width int) []byte {
	begin := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for i := 0; i < len(levels); {
		if n := runLength(levels[i:]); n >= levelRun {
			dst = append(binary.AppendUvarint(dst, uint64(n)<<1), levels[i])
			i += n
			continue
		}
		end := i
		for end < len(levels) && runLength(levels[end:]) < levelRun {
			end += levelRun
		}
		dst = binary.AppendUvarint(dst, uint64(end-i)/levelRun<<1|1)
		dst = appendPackedLevels(dst, levels[i:min(end, len(levels))], width)
		i = end
	}
	binary.LittleEndian.PutUint32(dst[begin:], uint32(len(dst)-begin-4))
	return dst
}

func runLength(levels []byte) int {
	n := 1
	for n < len(levels) && levels[n] == levels[0] {
		n++
	}
	return n
}

// appendPackedLevels packs groups of eight levels; the last group is filled up with zeros.
func appendPackedLevels(dst []byte, levels []byte, width int) []byte {
	for len(levels) > 0 {
		n := min(levelRun, len(levels))
		var word uint32
		for i, v := range levels[:n] {
			word |= uint32(v) << (i * width)
		}
		for b := range width { // eight levels of width bits are width bytes
			dst = append(dst, byte(word>>(8*b)))
		}
		levels = levels[n:]
	}
	return dst
}
