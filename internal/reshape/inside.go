package reshape

import "errors"

// text is told about a string. Where rules are about a document in it, it had better hold one; an empty one holds nothing.
func (w *walker) text(s *shape, from, to int) error {
	switch rules := s.inside != nil && len(s.inside.at) > 0; {
	case w.opaque > 0:
		return nil
	case rules && to-from > 2:
		for _, need := range s.needs {
			if !s.inside.has(need) {
				w.missing = append(w.missing, need.pattern)
			}
		}
		return w.open(s, from, to)
	case !rules && w.looks != nil && w.covered == 0 && w.looks.inside(w, from, to):
		w.lack(s.needs)
		if w.open(s, from, to) != nil {
			w.looks.unread(w, s, from, to)
		}
		return nil
	}
	w.scalar(s, from, to)
	return nil
}

// errInside is the reason when rules are about a document in a string, and there is none.
var errInside = errors.New("a string that should hold JSON does not")

// open reads the document in a string.
func (w *walker) open(s *shape, from, to int) error {
	if w.used == len(w.subs) {
		w.subs = append(w.subs, &walker{})
	}
	sub := w.subs[w.used]
	w.used++
	sub.root, sub.outer, sub.cover, sub.seeThrough, sub.looks = w.root, w, w.cover, w.seeThrough, w.looks
	sub.depth, sub.covered, sub.opaque, sub.telling = w.depth+1, w.covered, w.opaque, w.telling
	if sub.depth > maxDepth {
		return errTooDeep
	}
	sub.body, sub.at = appendUnescapedAt(sub.body[:0], sub.at[:0], w.data, from, to)
	if sub.document(w.root.insideOf(s), sub.body) != nil {
		return errInside
	}
	w.missing = append(w.missing, sub.missing...)
	if len(sub.hits)+len(sub.holes) > 0 {
		w.hits = append(w.hits, hit{pattern: -1, shape: s, from: from, to: to, begin: -1, inside: sub})
	}
	return nil
}

// outermost is where in the whole payload a place of data is.
func (w *walker) outermost(i int) int {
	for ; w.outer != nil; w = w.outer {
		i = w.at[i]
	}
	return i
}

// each yields the bytes of every hit, also of those in strings.
func (w *walker) each(yield func(raw []byte) bool) bool {
	for i := range w.hits {
		h := &w.hits[i]
		if h.inside != nil && !h.inside.each(yield) || h.inside == nil && !yield(w.data[h.from:h.to]) {
			return false
		}
	}
	return true
}
