package zstdfast

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

const (
	hashBits  = 13 // so that the table fits into the first cache
	hashBytes = 6
	minMatch  = 3  // bytes, of the format; those found here are longer but for one kind
	tail      = 16 // bytes at the end of a block in which no match begins: words are read across them
	haste     = 7  // after so many bits of bytes without a match the search goes one faster
)

// load64 and load32 read words without looking whether they are within b: the search does little else. Callers keep to: a place that is searched is
// `tail` before the end, and a candidate is in front of it. Under the race detector tests look, with checkptr.
func load64(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

func load32(b []byte, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

func load128(b []byte, i int) *[16]byte {
	return (*[16]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

// hash is of the first six bytes of a word.
func hash(word uint64) uint64 {
	const prime = 227718039650203
	return word << (64 - 8*hashBytes) * prime >> (64 - hashBits)
}

// alike says whether the bytes that are hashed are the same.
func alike(a, b uint64) bool { return (a^b)<<(64-8*hashBytes) == 0 }

// split makes literals and sequences of src, from a place on. Matches may begin in front of it.
func (e *Encoder) split(src []byte, from int) {
	e.reset()
	emitted, s := from, max(from, 1)
	for limit := len(src) - tail; s < limit; {
		at, match := e.search(src, s, emitted, limit)
		if at < 0 {
			break
		}
		n := matching(src, at, match)
		back := min(at-emitted, suffix(src, at, match))
		if back == 8 {
			back = further(src, at, match, at-emitted)
		}
		again := at-match == e.offset
		if again && back == at-emitted {
			back-- // without literals the last offset would mean another
		}
		at, match, n = at-back, match-back, n+back
		if !again {
			e.before, e.offset = e.offset, at-match
		}
		e.addLiterals(src, emitted, at)
		e.add(at-emitted, n, again, at-match)
		s = at + n
		if !again {
			s = e.alternate(src, s, limit)
		}
		emitted = s
	}
	e.literals = append(e.literals, src[emitted:]...)
}

// search looks for the next match from s on, and where it was before: at the last offset, or where the same six bytes were last. There is none
// before limit if at is negative.
func (e *Encoder) search(src []byte, s, emitted, limit int) (at, match int) {
	offset := e.offset
	for s < limit {
		word := load64(src, s)
		h, h1 := hash(word), hash(word>>8)
		c, c1 := int(e.places[h]), int(e.places[h1])
		e.places[h], e.places[h1] = uint32(s), uint32(s+1)
		if r := s + 2 - offset; r >= 0 && load32(src, r) == uint32(word>>16) {
			return s + 2, r
		}
		if alike(load64(src, c), word) && s-c <= window {
			return s, c
		}
		if alike(load64(src, c1), word>>8) && s+1-c1 <= window {
			return s + 1, c1
		}
		s += 2 + (s-emitted)>>haste
	}
	return -1, 0
}

// alternate takes matches at s that are at the last offset but one, as often as there is one, and says where they end.
func (e *Encoder) alternate(src []byte, s, limit int) int {
	for s < limit {
		r := s - e.before
		if r < 0 || load32(src, r) != load32(src, s) {
			break
		}
		n := matching(src, s, r)
		e.places[hash(load64(src, s))] = uint32(s)
		e.add(0, n, true, 0)
		e.offset, e.before = e.before, e.offset
		s += n
	}
	return s
}

// matching is how many bytes at two places, of which at is the later, are the same.
func matching(src []byte, at, match int) int {
	if x := load64(src, at) ^ load64(src, match); x != 0 {
		return bits.TrailingZeros64(x) >> 3
	}
	return longer(src, at, match)
}

// longer is matching where eight bytes at least are the same.
func longer(src []byte, at, match int) int {
	n := 8
	for at+n+8 <= len(src) {
		if x := load64(src, at+n) ^ load64(src, match+n); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
		n += 8
	}
	for at+n < len(src) && src[at+n] == src[match+n] {
		n++
	}
	return n
}

// suffix is how many bytes in front of two places are the same, up to eight.
func suffix(src []byte, at, match int) int {
	if match < 8 {
		return 0
	}
	return bits.LeadingZeros64(load64(src, at-8)^load64(src, match-8)) >> 3
}

// further is suffix where eight bytes are the same: behind many literals the search is fast, and finds a match late.
func further(src []byte, at, match, most int) int {
	n := 8
	for n < most && n < match && src[at-n-1] == src[match-n-1] {
		n++
	}
	return n
}

// addLiterals appends src[from:to] to the literals, of which most are few.
func (e *Encoder) addLiterals(src []byte, from, to int) {
	if to-from > 16 {
		e.literals = append(e.literals, src[from:to]...)
		return
	}
	n := len(e.literals)
	*(*[16]byte)(e.literals[n : n+16]) = *load128(src, from)
	e.literals = e.literals[:n+to-from]
}

// reset forgets the last block.
func (e *Encoder) reset() {
	if e.list == nil {
		e.list = make([]sequence, 0, maxBlock/4+1) // each takes four bytes at least
		e.literals = make([]byte, 0, maxBlock+tail)
	}
	e.list, e.literals = e.list[:0], e.literals[:0]
}
