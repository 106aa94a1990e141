package parquetbytes

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/karchive/karchive/internal/ondisk"
)

// ErrForeign says that pages are not laid out as segments are written here. The Parquet library reads those.
var ErrForeign = errors.New("pages of another writer")

// The block shape of DELTA_BINARY_PACKED that parquet-mr and the C++ library write too.
const (
	deltaBlock     = 128 // values
	deltaMini      = 32  // values, of which a block has four
	deltaMiniCount = deltaBlock / deltaMini
)

// AppendDelta appends values in DELTA_BINARY_PACKED (parquet-format, Encodings.md). Values of a 32-bit column must fit; narrow says that
// differences wrap around at 32 bits, as its readers compute them.
func AppendDelta(dst []byte, values []int64, narrow bool) []byte {
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

// DecodeDelta decodes the n values that AppendDelta encoded, into dst's memory, and returns what follows them.
func DecodeDelta(dst []int64, b []byte, n int, narrow bool) (values []int64, rest []byte, err error) {
	r := varints{rest: b}
	block, minis, total, value := r.unsigned(), r.unsigned(), r.unsigned(), r.signed()
	if !r.bad && (block != deltaBlock || minis != deltaMiniCount) {
		return dst, nil, ErrForeign
	}
	if r.bad || total != uint64(n) {
		return dst, nil, ondisk.Corruptf("%d numbers, expected %d", total, n)
	}
	values = slices.Grow(dst[:0], n)[:n]
	if n == 0 {
		return values, r.rest, nil
	}
	values[0] = value
	for i := 1; i < n; i += deltaBlock {
		if !r.deltaBlock(values[i:min(i+deltaBlock, n)], values[i-1], narrow) {
			return values, nil, ondisk.Corruptf("numbers end early")
		}
	}
	return values, r.rest, nil
}

// varints reads the parts of encoded numbers.
type varints struct {
	rest []byte
	bad  bool
}

func (r *varints) unsigned() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *varints) signed() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *varints) skip(n int) {
	if n <= 0 {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

// deltaBlock decodes a block of differences on top of value.
func (r *varints) deltaBlock(values []int64, value int64, narrow bool) bool {
	least := r.signed()
	if r.bad || len(r.rest) < deltaMiniCount {
		return false
	}
	widths := r.rest[:deltaMiniCount]
	r.rest = r.rest[deltaMiniCount:]
	var mini [deltaMini]uint64
	for m := 0; m*deltaMini < len(values); m++ {
		width := int(widths[m])
		size := width * deltaMini / 8
		if width > 64 || size > len(r.rest) {
			return false
		}
		unpack(&mini, r.rest[:size], width)
		r.rest = r.rest[size:]
		for i := m * deltaMini; i < min((m+1)*deltaMini, len(values)); i++ {
			value += least + int64(mini[i-m*deltaMini])
			if narrow {
				value = int64(int32(value))
			}
			values[i] = value
		}
	}
	return true
}

// unpack is the reverse of appendPacked.
func unpack(mini *[deltaMini]uint64, b []byte, width int) {
	var word uint64
	held := 0 // bits of word that are not used
	mask := uint64(1)<<width - 1
	for i := range mini {
		v := word
		if held < width {
			var next uint64
			if len(b) >= 8 {
				next, b = binary.LittleEndian.Uint64(b), b[8:]
			} else {
				for j, c := range b {
					next |= uint64(c) << (8 * j)
				}
				b = nil
			}
			v |= next << held
			word = next >> (width - held)
			held += 64 - width
		} else {
			word >>= width
			held -= width
		}
		mini[i] = v & mask
	}
}
