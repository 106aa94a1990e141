package zstdfast

import "encoding/binary"

// bitWriter writes numbers from the lowest bit on. It is passed by value and has no more fields, so that it stays in registers.
type bitWriter struct {
	at   int    // of the next byte
	bits uint64 // that are not written yet
	n    uint   // how many, at most 63
}

// add adds the lowest n bits of v, at most 31.
func (w bitWriter) add(v uint32, n uint) bitWriter {
	w.bits |= uint64(v&(1<<(n&31)-1)) << (w.n & 63)
	w.n += n
	return w
}

// flush writes whole bytes. At most seven bits stay. There must be room for eight bytes.
func (w bitWriter) flush(buf []byte) bitWriter {
	binary.LittleEndian.PutUint64(buf[w.at:], w.bits)
	w.at += int(w.n >> 3)
	w.bits >>= w.n &^ 7 & 63
	w.n &= 7
	return w
}

// next adds what leads a coder from its state to one that stands for another code.
func (w bitWriter) next(c *coder, state uint32, code uint8) (bitWriter, uint32) {
	t := &c.steps[code&maxCode]
	n := (state + t.bits) >> 16
	return w.add(state, uint(n)), uint32(c.states[(state>>(n&31)+t.first)&(maxStates-1)])
}

// extra is the bits, and how many, at most 54, that tell the lengths and the offset of a sequence apart from others of the same codes.
func extra(s *sequence) (v uint64, n uint) {
	l, m, o := literalsBits[s.literalsCode&maxCode]&31, matchBits[s.matchCode&maxCode]&31, s.offsetCode&31
	v = uint64(s.offset&(1<<o-1))<<m | uint64(s.match&(1<<m-1))
	return v<<l | uint64(s.literals&(1<<l-1)), uint(l + m + o)
}

// end gives what was written, and the bits of the last byte.
func (w bitWriter) end(buf []byte) []byte {
	if w.n > 0 {
		buf[w.at] = byte(w.bits)
		w.at++
	}
	return buf[:w.at]
}
