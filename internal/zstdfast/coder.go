package zstdfast

import "math/bits"

// coder writes codes by finite state entropy (RFC 8878, 4.1): in a table of states each code has as many as it is frequent.
type coder struct {
	log    uint // of the number of states
	states [maxStates]uint16
	steps  [maxCode + 1]step
	shares shares
}

// step leads from a state to one of a code: it writes (state + bits) >> 16 bits of the state.
type step struct {
	bits  uint32
	first uint32 // plus what is left of the state: where the new one is
}

const (
	maxStates = 512
	minLog    = 5
)

type (
	counts [maxCode + 1]uint32
	shares [maxCode + 1]int16 // of the states; -1 is one that takes all bits
)

// usual is a distribution that a decoder knows (RFC 8878, 3.1.1.3.2.2), and the most states of one that it is told.
type usual struct {
	log, maxLog uint
	codes       int
	shares      shares
}

var (
	literalsUsual = usual{6, 9, 36, shares{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}}
	matchesUsual  = usual{6, 9, 53, shares{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}}
	offsetsUsual = usual{5, 8, 29, shares{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}}
)

// Modes of codes.
const (
	usualMode = iota
	sameMode
	toldMode
)

// fewSequences are coded as usual, because a distribution of their own takes more than it saves.
const fewSequences = 20

// choose makes the coder ready for n codes, of which each occurs so often, and appends what a decoder must be told.
func (c *coder) choose(dst []byte, often *counts, n int, u *usual) ([]byte, byte) {
	end, most := 0, 0
	for i, k := range often {
		if k > 0 {
			end = i + 1
		}
		if k > often[most] {
			most = i
		}
	}
	switch {
	case int(often[most]) == n:
		c.log, c.states[0], c.steps[most] = 0, 0, step{}
		return append(dst, byte(most)), sameMode
	case n < fewSequences:
		c.log, c.shares = u.log, u.shares
		c.build(u.codes)
		return dst, usualMode
	}
	c.log = min(u.maxLog, uint(max(bits.Len(uint(n-1))-3, bits.Len(uint(end-1))+1, minLog)))
	c.share(often[:end], n, most)
	c.build(end)
	return c.appendShares(dst), toldMode
}

// share gives each of n codes a share of the states. Rounding is made up for by the most frequent ones.
func (c *coder) share(often []uint32, n, most int) {
	left := 1 << c.log
	for i, k := range often {
		c.shares[i] = 0
		if k > 0 {
			c.shares[i] = int16(max(1, (uint64(k)<<(c.log+1)/uint64(n)+1)>>1))
			left -= int(c.shares[i])
		}
	}
	for left < 0 && -left >= int(c.shares[most])/2 {
		largest := 0
		for i, s := range c.shares[:len(often)] {
			if s > c.shares[largest] {
				largest = i
			}
		}
		c.shares[largest]--
		left++
	}
	c.shares[most] += int16(left)
}

// build makes the tables of so many codes from their shares.
func (c *coder) build(codes int) {
	var places [maxCode + 1]uint32 // of the next state of a code
	total := uint32(0)
	for i, share := range c.shares[:codes] {
		n := uint32(max(share, -share))
		places[i] = total
		c.steps[i] = c.stepOf(n, total)
		total += n
	}
	of := c.spread(codes)
	for u, code := range of[:1<<c.log] {
		c.states[places[code]&(maxStates-1)] = uint16(1<<c.log + u)
		places[code]++
	}
}

// stepOf is of a code that has n states from a place on.
func (c *coder) stepOf(n, place uint32) step {
	most := uint32(c.log) + 1 - uint32(bits.Len32(n-1))
	return step{bits: most<<16 - n<<most, first: place - n}
}

// spread gives each state its code, as the format demands.
func (c *coder) spread(codes int) (of [maxStates]uint8) {
	size := 1 << c.log
	high := size - 1
	for i, share := range c.shares[:codes] {
		if share < 0 {
			of[high] = uint8(i)
			high--
		}
	}
	at := 0
	for i, share := range c.shares[:codes] {
		for range share {
			of[at&(maxStates-1)] = uint8(i)
			at = c.after(at, size)
			for at > high {
				at = c.after(at, size)
			}
		}
	}
	return of
}

func (c *coder) after(at, size int) int { return (at + size>>1 + size>>3 + 3) & (size - 1) }

// begin is a state of a code, to begin with.
func (c *coder) begin(code uint8) uint32 {
	if c.log == 0 {
		return 0
	}
	t := &c.steps[code&maxCode]
	n := (t.bits + 1<<15) >> 16
	return uint32(c.states[((n<<16-t.bits)>>n+t.first)&(maxStates-1)])
}

// appendShares tells a decoder the shares (RFC 8878, 4.1.1).
func (c *coder) appendShares(dst []byte) []byte {
	buf, w := make([]byte, 2*(maxCode+1)+8), bitWriter{}
	w = w.add(uint32(c.log-minLog), 4)
	left, threshold, width := 1<<c.log+1, 1<<c.log, c.log+1
	for i := 0; left > 1; {
		share := int(c.shares[i])
		i++
		v, short := share+1, 2*threshold-1-left
		n := width
		if v < short {
			n--
		}
		if v >= threshold {
			v += short
		}
		w = w.add(uint32(v), n).flush(buf)
		left -= share
		for left < threshold {
			width--
			threshold >>= 1
		}
		if share == 0 {
			zeros := 0
			for ; c.shares[i] == 0; i++ {
				zeros++
			}
			w = w.zeros(buf, zeros)
		}
	}
	return append(dst, w.end(buf)...)
}

// zeros adds how many more codes have no share, two bits for up to three of them.
func (w bitWriter) zeros(buf []byte, n int) bitWriter {
	for ; n >= 3; n -= 3 {
		w = w.add(3, 2).flush(buf)
	}
	return w.add(uint32(n), 2).flush(buf)
}
