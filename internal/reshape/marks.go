package reshape

import (
	"bytes"
	"slices"
)

// mark is what is known about some bytes of a payload on its way through the stages: they look personal and no rule has changed them,
// or, without a finding, a rule put them there or lets them stay. What goes out with the mark of a finding is what coverage is about:
// it does not ask whether there was a rule, but what the rules have left.
type mark struct {
	from, to int
	finding
}

// finding is where something that looks personal was found. The zero value is none.
type finding struct {
	place  *suspicions
	looks  string
	unseen bool // nobody could look at it
}

func (m mark) settled() bool { return m.place == nil }

// marks are in no order.
type marks []mark

// covers says that a rule is answerable for all of a place.
func (m marks) covers(from, to int) bool {
	return slices.ContainsFunc(m, func(m mark) bool { return m.settled() && m.from <= from && to <= m.to })
}

// suspects says that something was found at a place.
func (m marks) suspects(from, to int) bool {
	return slices.ContainsFunc(m, func(m mark) bool { return !m.settled() && m.from < to && from < m.to })
}

// piece is bytes [from, to) of a payload that stand in the next one at [at, end), as they were or, with another length, as something
// that stands for them.
type piece struct{ from, to, at, end int }

// carry appends to dst where the marks are in the next payload, which is made of pieces in order. What is in no piece is gone.
func (m marks) carry(dst marks, pieces []piece) marks {
	for _, one := range m {
		i, _ := slices.BinarySearchFunc(pieces, one.from, func(p piece, from int) int {
			if p.to <= from {
				return -1
			}
			return 1
		})
		for ; i < len(pieces) && pieces[i].from < one.to; i++ {
			if moved, ok := one.through(pieces[i]); ok {
				dst = append(dst, moved)
			}
		}
	}
	return dst
}

// through is the part of a mark that is in a piece. Of a piece of another length it is the whole: of a rule, only if it was answerable
// for all of it.
func (m mark) through(p piece) (mark, bool) {
	if p.to-p.from == p.end-p.at {
		shift := p.at - p.from
		return mark{max(m.from, p.from) + shift, min(m.to, p.to) + shift, m.finding}, true
	}
	return mark{p.at, p.end, m.finding}, !m.settled() || m.from <= p.from && p.to <= m.to
}

// parallel are the pieces of two payloads that differ in what stands in their strings alone. Other payloads are one piece.
func parallel(old, next []byte, from, at int) []piece {
	var out []piece
	for i, k := 0, 0; ; {
		gap := bytes.IndexByte(old[i:], '"')
		if gap < 0 {
			gap = len(old) - i
		}
		if len(next)-k < gap || !bytes.Equal(old[i:i+gap], next[k:k+gap]) {
			break
		}
		out = append(out, piece{from + i, from + i + gap, at + k, at + k + gap})
		i, k = i+gap, k+gap
		if i == len(old) && k == len(next) {
			return out
		}
		if i == len(old) || k == len(next) || next[k] != '"' {
			break
		}
		end, _, err1 := scanString(old, i)
		to, _, err2 := scanString(next, k)
		if err1 != nil || err2 != nil {
			break
		}
		out = append(out, piece{from + i, from + end, at + k, at + to})
		i, k = end, to
	}
	return []piece{{from, from + len(old), at, at + len(next)}}
}

// joined makes one of marks that follow one another and say the same.
func (m marks) joined() marks {
	slices.SortFunc(m, func(a, b mark) int { return a.from - b.from })
	out := m[:0]
	for _, one := range m {
		if i := slices.IndexFunc(out, func(o mark) bool { return o.to == one.from && o.finding == one.finding }); i >= 0 {
			out[i].to = one.to
			continue
		}
		out = append(out, one)
	}
	return out
}
