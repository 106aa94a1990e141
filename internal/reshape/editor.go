package reshape

import "bytes"

// editor makes a new document of an old one, by the hits and holes that a walk found. All that no rule is about stays byte for byte. One
// for the document in a string hands on to that of the document around it.
type editor struct {
	worker *Worker
	rules  []*rule // by pattern
	walked *walker
	from   int // what of the old document is not in out yet begins here

	outer     *editor // nil: the rest is its own
	out       []byte
	start     int // of the new document in out
	edits     int
	copies    []piece // what of the old document is in the new one
	old       marks   // in the old document
	fresh     marks   // in the new one
	undecided bool    // a rule left something as it was
	plain     bool    // names stay as they are
}

// edited is what an editor made of a document.
type edited struct {
	out       []byte
	edits     int
	undecided bool // a rule left something as it was
}

// edit walks data and appends the changed document to dst. With no edit it appends nothing. Known marks are carried on.
func (w *Worker) edit(dst []byte, d *document, data []byte, root Root) (edited, error) {
	if err := d.walk(data); err != nil {
		return edited{out: dst}, err
	}
	if len(d.missing) > 0 {
		return edited{out: dst}, &ruleError{d.rules[d.missing[0]], errMissingPath}
	}
	counted := len(w.pending)
	e, err := w.run(dst, d, root, false)
	if err == nil && d.check != nil && e.edits > 0 {
		if err = d.check.walk(e.out[e.start:]); err != nil {
			w.pending = w.pending[:counted]
			if err = w.excuse(root, err); err == nil {
				e, err = w.run(dst, d, root, true)
			}
		}
	}
	if err != nil {
		return edited{out: dst}, err
	}
	switch {
	case e.edits > 0:
		w.marks[root] = e.old.carry(append(w.marks[root][:0], e.fresh...), e.copies)
	default:
		w.marks[root] = append(w.marks[root][:0], e.old...)
	}
	return edited{e.out, e.edits, e.undecided}, nil
}

// run carries out what a walk found; plain leaves names as they are.
func (w *Worker) run(dst []byte, d *document, root Root, plain bool) (*editor, error) {
	e := &w.editor
	*e = editor{worker: w, rules: d.rules, walked: &d.walker, out: dst, start: len(dst), plain: plain,
		copies: e.copies[:0], old: append(e.old[:0], w.marks[root]...), fresh: e.fresh[:0]}
	if err := e.all(root); err != nil {
		return nil, err
	}
	if e.edits > 0 {
		e.copyTo(len(d.data))
	}
	return e, nil
}

// all goes through the hits and holes of one document.
func (e *editor) all(root Root) error {
	hits, holes := e.walked.hits, e.walked.holes
	for i := 0; i < len(hits); {
		h := &hits[i]
		for len(holes) > 0 && holes[0].at <= h.from {
			e.fill(&holes[0])
			holes = holes[1:]
		}
		n := 1
		switch {
		case h.inside != nil:
			if err := e.inside(h.inside, root); err != nil {
				return err
			}
		case e.rules[h.pattern].kind == dropKind:
			n = e.drop(hits[i:])
		default:
			if err := e.change(e.rules[h.pattern], h, root); err != nil {
				return err
			}
		}
		i += n
	}
	for i := range holes {
		e.fill(&holes[i])
	}
	return nil
}

// inside edits the document in a string.
func (e *editor) inside(sub *walker, root Root) error {
	in := editor{worker: e.worker, rules: e.rules, walked: sub, outer: e, plain: e.plain}
	return in.all(root)
}

// place is a place of the old document in the one around it.
func (e *editor) place(i int) int { return e.walked.at[i] }

// copyTo takes over what is old up to a place.
func (e *editor) copyTo(to int) {
	if e.outer != nil {
		e.outer.copyTo(e.place(to))
		e.from = to
		return
	}
	if to > e.from {
		at := len(e.out)
		e.out = append(e.out, e.walked.data[e.from:to]...)
		e.copies = append(e.copies, piece{e.from, to, at - e.start, len(e.out) - e.start})
	}
	e.from = to
}

// skipTo leaves out what is old up to a place.
func (e *editor) skipTo(to int) {
	if e.outer != nil {
		e.outer.skipTo(e.place(to))
	}
	e.from = to
}

// put writes what is new. Settled says that a rule is answerable for it.
func (e *editor) put(b []byte, settled bool) {
	if e.outer != nil {
		e.outer.put(appendBody(nil, b), settled)
		return
	}
	at := len(e.out) - e.start
	e.out = append(e.out, b...)
	if settled {
		e.fresh = append(e.fresh, mark{from: at, to: len(e.out) - e.start})
	}
	e.edits++
}

// keep notes that a rule lets something stay.
func (e *editor) keep(from, to int) {
	if e.outer != nil {
		e.outer.keep(e.place(from), e.place(to))
		return
	}
	e.old = append(e.old, mark{from: from, to: to})
}

// change does what a rule says to one hit, other than to drop it.
func (e *editor) change(r *rule, h *hit, root Root) error {
	switch r.kind {
	case keepKind:
		e.keep(h.start(), h.to)
		e.worker.hit(r)
		return nil
	case renameKind:
		if h.nameTo != 0 && !e.plain {
			e.copyTo(h.begin)
			e.skipTo(h.nameTo)
			e.put(r.quoted, true)
			e.worker.hit(r)
		}
		return nil
	}
	return e.replace(r, h, root)
}

// start is where a member begins with its name, and what has none.
func (h *hit) start() int {
	if h.nameTo != 0 {
		return h.begin
	}
	return h.from
}

// replace puts something into the place of a value.
func (e *editor) replace(r *rule, h *hit, root Root) error {
	w, raw := e.worker, e.walked.data[h.from:h.to]
	w.noteTick(r, root)
	made, err := r.change.inJSON(w, w.made[:0], raw)
	w.made = made[:0]
	if err != nil {
		if err := w.excuse(root, &ruleError{r, err}); err != nil {
			return err
		}
		if w.pipeline.rules.Unmaskable == PassOn {
			e.failed(h)
			return nil
		}
		made, _ = redactChange{}.inJSON(w, made[:0], raw)
	}
	w.look(r)
	switch same := bytes.Equal(made, raw); {
	case err == nil && same && r.leaves:
	case same && isBlank(raw):
		w.hit(r)
		e.keep(h.from, h.to)
	case same:
		e.undecided = true
	default:
		e.exchange(h, made, err != nil || !r.leaves)
		if err == nil {
			w.hit(r)
		}
	}
	return nil
}

// exchange writes what stands in the place of a value. What no rule hides keeps the marks that it had.
func (e *editor) exchange(h *hit, made []byte, settled bool) {
	e.copyTo(h.from)
	e.skipTo(h.to)
	whole := e.whole()
	at := len(whole.out) - whole.start
	e.put(made, settled)
	switch end := len(whole.out) - whole.start; {
	case settled:
	case e.outer == nil:
		e.copies = append(e.copies, parallel(e.walked.data[h.from:h.to], made, h.from, at)...)
	default:
		whole.copies = append(whole.copies, piece{e.walked.outermost(h.from), e.walked.outermost(h.to), at, end})
	}
}

// whole is the editor of the whole payload.
func (e *editor) whole() *editor {
	for e.outer != nil {
		e = e.outer
	}
	return e
}

// failed notes that a value goes on though a rule about it could not be applied.
func (e *editor) failed(h *hit) {
	whole := e.whole()
	whole.old = append(whole.old, mark{e.walked.outermost(h.from), e.walked.outermost(h.to), finding{place: &h.shape.look.suspicions, looks: looksUnchanged}})
}

// drop takes away the first of hits and those that follow it in the same object or array without anything between, and returns how
// many. A comma goes with each: the one behind, or of the last member the one before.
func (e *editor) drop(hits []hit) int {
	n := 1
	for n < len(hits) && hits[n-1].next != 0 && hits[n].begin == hits[n-1].next && e.rules[hits[n].pattern].kind == dropKind {
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
	e.skipTo(to)
	e.put(nil, false)
	for i := range n {
		e.worker.hit(e.rules[hits[i].pattern])
	}
	return n
}

// fill puts in a member that was missing, with the objects that lead on to it.
func (e *editor) fill(h *hole) {
	r := e.rules[h.pattern]
	e.copyTo(h.at)
	if !h.empty {
		e.put([]byte(","), false)
	}
	e.put(r.fills[h.step], true)
	e.worker.hit(r)
}
