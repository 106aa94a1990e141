package zstdfast

import "github.com/klauspost/compress/huff0"

// huffman writes the literals of blocks.
type huffman struct{ scratch huff0.Scratch }

// Kinds of literals.
const (
	rawLiterals = iota
	sameLiterals
	huffmanLiterals
)

const (
	fewLiterals  = 1 << 10 // fewer are one stream, more are four
	leastHuffman = 32      // fewer are not worth a tree
	leastSaved   = 8       // bytes, and one of 64: what saves less takes longer to read than it is worth
)

// append appends the section of literals. Those of a block without matches look random in most pages; then no code is made for them.
func (h *huffman) append(dst, literals []byte, matches bool) []byte {
	if len(literals) < leastHuffman || !matches && LooksRandom(literals) {
		return append(appendLiteralHeader(dst, rawLiterals, len(literals)), literals...)
	}
	h.scratch.Reuse = huff0.ReusePolicyNone
	compress := huff0.Compress4X
	if len(literals) < fewLiterals {
		compress = huff0.Compress1X
	}
	out, _, err := compress(literals, &h.scratch)
	switch {
	case err == nil && len(out)+leastSaved+len(literals)/64 < len(literals):
		return append(appendCompressedHeader(dst, len(literals), len(out)), out...)
	case err == huff0.ErrUseRLE:
		return append(appendLiteralHeader(dst, sameLiterals, len(literals)), literals[0])
	}
	return append(appendLiteralHeader(dst, rawLiterals, len(literals)), literals...)
}

// appendLiteralHeader says how many literals follow as they are, or one for all.
func appendLiteralHeader(dst []byte, kind, n int) []byte {
	switch {
	case n < 1<<5:
		return append(dst, byte(kind|n<<3))
	case n < 1<<12:
		return appendBytes(dst, kind|1<<2|n<<4, 2)
	}
	return appendBytes(dst, kind|3<<2|n<<4, 3)
}

// appendCompressedHeader says how many literals follow, and in how many bytes.
func appendCompressedHeader(dst []byte, n, size int) []byte {
	regenerated, compressed := uint64(n)<<4, uint64(size)
	switch most := max(n, size); {
	case n < fewLiterals:
		return appendBytes(dst, huffmanLiterals|regenerated|compressed<<14, 3)
	case most < 1<<14:
		return appendBytes(dst, huffmanLiterals|2<<2|regenerated|compressed<<18, 4)
	}
	return appendBytes(dst, huffmanLiterals|3<<2|regenerated|compressed<<22, 5)
}

// appendBytes appends the lowest n bytes of v.
func appendBytes[T int | uint64](dst []byte, v T, n int) []byte {
	for range n {
		dst = append(dst, byte(v))
		v >>= 8
	}
	return dst
}
