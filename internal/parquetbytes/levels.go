package parquetbytes

import (
	"encoding/binary"
	"slices"

	"github.com/karchive/karchive/internal/ondisk"
)

// levelRun is the shortest run of equal levels that is stored as one: shorter ones are packed in groups of as many.
const levelRun = 8

// AppendLevels appends definition or repetition levels of width bits in the RLE and bit-packing hybrid, with its length in front, as
// data pages of version 1 have them.
func AppendLevels(dst []byte, levels []byte, width int) []byte {
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

// DecodeLevels decodes n levels of width bits that stand at the beginning of b with their length in front, and returns what follows.
func DecodeLevels(dst, b []byte, n, width int) (levels, rest []byte, err error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return dst, nil, ondisk.Corruptf("levels are longer than their page")
	}
	size := binary.LittleEndian.Uint32(b)
	r := varints{rest: b[4 : 4+size]}
	levels = slices.Grow(dst[:0], n)
	for len(levels) < n {
		head := r.unsigned()
		if count := head >> 1; head&1 == 0 {
			if len(r.rest) < 1 || count == 0 || count > uint64(n-len(levels)) || r.rest[0] >= 1<<width {
				return levels, nil, ondisk.Corruptf("run of levels")
			}
			levels = appendRun(levels, r.rest[0], int(count))
			r.rest = r.rest[1:]
		} else {
			if count == 0 || count > uint64(len(r.rest)/width) {
				return levels, nil, ondisk.Corruptf("packed levels")
			}
			levels = unpackLevels(levels, r.rest[:int(count)*width], n, width)
			r.rest = r.rest[int(count)*width:]
		}
	}
	return levels, b[4+size:], nil
}

func appendRun(levels []byte, level byte, n int) []byte {
	for range n {
		levels = append(levels, level)
	}
	return levels
}

// unpackLevels appends groups of eight levels, width bytes each, until there are n.
func unpackLevels(levels, b []byte, n, width int) []byte {
	for ; len(b) > 0; b = b[width:] {
		var word uint32
		for i, c := range b[:width] {
			word |= uint32(c) << (8 * i)
		}
		for i := 0; i < levelRun && len(levels) < n; i++ {
			levels = append(levels, byte(word>>(i*width))&(1<<width-1))
		}
	}
	return levels
}
