package zstdfast

import (
	"math/bits"
	"slices"
)

// sequence is literals and the match behind them, as the format has them.
type sequence struct {
	literals uint32
	match    uint32 // its length less minMatch
	offset   uint32 // 1 is the last one again, others are three more than their value

	literalsCode, matchCode, offsetCode uint8
	_                                   uint8
}

// sequences are those of a block, and what codes them.
type sequences struct {
	list                                   []sequence
	literalsCoder, matchCoder, offsetCoder coder
}

// add adds literals and a match of so many bytes, at an offset or at the last one again.
func (q *sequences) add(literals, match int, again bool, offset int) {
	n := len(q.list)
	q.list = q.list[:n+1]
	s := &q.list[n]
	s.literals, s.match, s.offset = uint32(literals), uint32(match-minMatch), uint32(offset)+3
	if again {
		s.offset = 1
	}
}

// append appends the section of sequences.
func (q *sequences) append(dst []byte) []byte {
	const long = 0x7F00
	switch n := len(q.list); {
	case n == 0:
		return append(dst, 0)
	case n < 128:
		dst = append(dst, byte(n))
	case n < long:
		dst = append(dst, byte(128+n>>8), byte(n))
	default:
		dst = append(dst, 255, byte(n-long), byte((n-long)>>8))
	}
	modes := len(dst)
	dst = append(dst, 0)
	literals, offsets, matches := q.count()
	var l, o, m byte
	dst, l = q.literalsCoder.choose(dst, &literals, len(q.list), &literalsUsual)
	dst, o = q.offsetCoder.choose(dst, &offsets, len(q.list), &offsetsUsual)
	dst, m = q.matchCoder.choose(dst, &matches, len(q.list), &matchesUsual)
	dst[modes] = l<<6 | o<<4 | m<<2
	return q.appendBits(dst)
}

// count finds the codes of all sequences, and how often each is.
func (q *sequences) count() (literals, offsets, matches counts) {
	for i := range q.list {
		s := &q.list[i]
		s.literalsCode = codeOf(&literalsCodes, s.literals, literalsDelta)
		s.matchCode = codeOf(&matchCodes, s.match, matchDelta)
		s.offsetCode = uint8(bits.Len32(s.offset)) - 1
		literals[s.literalsCode&maxCode]++
		offsets[s.offsetCode&maxCode]++
		matches[s.matchCode&maxCode]++
	}
	return literals, offsets, matches
}

// A code stands for a range of lengths, with as many extra bits as tell them apart (RFC 8878, 3.1.1.3.2.1.1). Small lengths are looked up, of
// larger ones each power of two has a code. The code of an offset is its number of bits, less the first.
var (
	literalsBits = [maxCode + 1]uint8{16: 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	matchBits    = [maxCode + 1]uint8{32: 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}

	literalsCodes = smallCodes(&literalsBits)
	matchCodes    = smallCodes(&matchBits)
)

const (
	maxCode       = 63  // more than any is
	smallLength   = 127 // lengths that are looked up
	literalsDelta = 18  // from the number of bits of a larger one to its code
	matchDelta    = 35
)

func smallCodes(extra *[maxCode + 1]uint8) (codes [smallLength + 1]uint8) {
	code, end := 0, 1
	for i := range codes {
		for i == end {
			code++
			end += 1 << extra[code]
		}
		codes[i] = uint8(code)
	}
	return codes
}

func codeOf(small *[smallLength + 1]uint8, length uint32, delta int) uint8 {
	if length <= smallLength {
		return small[length]
	}
	return uint8(bits.Len32(length) + delta)
}

// appendBits appends the sequences from the last to the first, as they are read backwards.
func (q *sequences) appendBits(dst []byte) []byte {
	const most = 12 // bytes of a sequence: 26 bits of states, and 16 + 16 + 23
	dst = slices.Grow(dst, most*len(q.list)+32)
	literals, offsets, matches := &q.literalsCoder, &q.offsetCoder, &q.matchCoder
	buf, w := dst[:cap(dst)], bitWriter{at: len(dst)}
	end := len(q.list) - 1
	last := &q.list[end]
	l, o, m := literals.begin(last.literalsCode), offsets.begin(last.offsetCode), matches.begin(last.matchCode)
	w.bits, w.n = extra(last)
	for i := end - 1; i >= 0; i-- {
		s := &q.list[i]
		w = w.flush(buf)
		w, o = w.next(offsets, o, s.offsetCode)
		w, m = w.next(matches, m, s.matchCode)
		w, l = w.next(literals, l, s.literalsCode)
		v, n := extra(s)
		if w.n+n > 63 {
			w = w.flush(buf)
		}
		w.bits |= v << (w.n & 63)
		w.n += n
	}
	w = w.flush(buf).add(m, matches.log).flush(buf).add(o, offsets.log).flush(buf).add(l, literals.log)
	w = w.add(1, 1).flush(buf)
	return w.end(buf)
}
