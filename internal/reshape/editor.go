package reshape

// editor makes a new document of an old one, by the hits and holes that a walk found. All that no rule is about stays byte for byte.
type editor struct {
	rules []*rule // by pattern
	old   []byte
	out   []byte
	from  int // what of old is not in out yet begins here
	edits int
}

// edit walks data and appends the changed document to dst. With no edit it appends nothing. It tells every hit to count.
func (w *Worker) edit(dst []byte, d *document, data []byte) (out []byte, edits int, err error) {
	if err := d.walk(data); err != nil {
		return dst, 0, err
	}
	e := editor{rules: d.rules, old: data, out: dst}
	holes := d.holes
	for i := 0; i < len(d.hits); {
		h := &d.hits[i]
		for len(holes) > 0 && holes[0].at <= h.from {
			e.fill(w, &holes[0])
			holes = holes[1:]
		}
		r := d.rules[h.pattern]
		if r.kind == dropKind {
			i += e.drop(w, d.hits[i:], d.rules)
			continue
		}
		if err := e.change(w, r, h); err != nil {
			return dst, 0, err
		}
		i++
	}
	for i := range holes {
		e.fill(w, &holes[i])
	}
	if e.edits == 0 {
		return dst, 0, nil
	}
	return append(e.out, data[e.from:]...), e.edits, nil
}

// copyTo takes over what is old up to a place.
func (e *editor) copyTo(to int) { e.out = append(e.out, e.old[e.from:to]...) }

// change does what a rule says to one hit, other than to drop it.
func (e *editor) change(w *Worker, r *rule, h *hit) (err error) {
	switch r.kind {
	case keepKind:
		w.hit(r)
		return nil
	case coverKind:
		return nil
	case renameKind:
		if h.nameTo == 0 {
			return nil
		}
		e.copyTo(h.begin)
		e.out, e.from = append(e.out, r.quoted...), h.nameTo
	default:
		e.copyTo(h.from)
		e.from = h.to
		if e.out, err = r.change.inJSON(w, e.out, e.old[h.from:h.to]); err != nil {
			return &ruleError{r, err}
		}
	}
	w.hit(r)
	e.edits++
	return nil
}

// drop takes away the first of hits and those that follow it in the same object or array without anything between, and returns how
// many. A comma goes with each: the one behind, or of the last member the one before.
func (e *editor) drop(w *Worker, hits []hit, rules []*rule) int {
	n := 1
	for n < len(hits) && hits[n-1].next != 0 && hits[n].begin == hits[n-1].next && rules[hits[n].pattern].kind == dropKind {
		n++
	}
	first, last := &hits[0], &hits[n-1]
	from, to := first.begin, last.next
	if last.next == 0 {
		to = last.to
		if first.before != 0 {
			from = first.before
		}
	}
	e.copyTo(from)
	e.from = to
	for i := range n {
		w.hit(rules[hits[i].pattern])
	}
	e.edits += n
	return n
}

// fill puts in a member that was missing, with the objects that lead on to it.
func (e *editor) fill(w *Worker, h *hole) {
	r := e.rules[h.pattern]
	e.copyTo(h.at)
	e.from = h.at
	if !h.empty {
		e.out = append(e.out, ',')
	}
	e.out = append(e.out, r.fills[h.step]...)
	w.hit(r)
	e.edits++
}
