package reshape

import (
	"errors"
	"slices"
	"unsafe"

	"github.com/karchive/karchive/format"
)

// stage is a group of rules as they are for one topic, with what a worker needs to carry them out. The rules of a stage do not see what
// the others do.
type stage struct {
	key, value target
	headers    []*rule
	timestamp  *rule
	take       *rule     // makes a field the whole key or value; nil: none
	looks      *detector // looks at what no rule is about; nil: nobody does
}

// target is a payload that rules are about.
type target struct {
	root  Root
	whole *rule     // about all of it; nil: none
	inner *document // nil: no rule is about its JSON, and nobody looks at it
	must  bool      // rules are about its JSON, so it had better be
}

// document is a walker and the rules of its patterns.
type document struct {
	walker
	rules []*rule
	check *walker // where rules change names, which may then be there twice; nil: none does
}

// newStage makes a stage of those rules that fit the topic; nil when there are none. With a detector it also looks at what no rule is
// about.
func newStage(rules []*rule, topic string, looks *detector) *stage {
	s := &stage{key: target{root: KeyRoot}, value: target{root: ValueRoot}, looks: looks}
	some := looks != nil
	var inner [2][]*rule
	for _, r := range rules {
		if !r.fits(topic) {
			continue
		}
		some = true
		switch t := s.target(r.path.root); {
		case r.kind == takeKind:
			s.take = first(s.take, r)
		case r.path.root == HeadersRoot:
			s.headers = append(s.headers, r)
		case r.path.root == TimestampRoot:
			s.timestamp = first(s.timestamp, r)
		case r.whole():
			t.whole = first(t.whole, r)
		default:
			inner[r.path.root] = append(inner[r.path.root], r)
			t.must = true
		}
	}
	if !some {
		return nil
	}
	s.value.compile(inner[ValueRoot], looks)
	s.key.compile(inner[KeyRoot], looks)
	return s
}

func first(a, b *rule) *rule {
	if a != nil {
		return a
	}
	return b
}

// target is the payload of a root; that of the value stands for what is none.
func (s *stage) target(root Root) *target {
	if root == KeyRoot {
		return &s.key
	}
	return &s.value
}

func (t *target) compile(rules []*rule, looks *detector) {
	if len(rules) == 0 && looks == nil {
		return
	}
	var ps patterns
	var required []bool
	fill := false
	d := &document{rules: rules}
	for i, r := range rules {
		ps = append(ps, r.steps)
		fill = fill || r.kind == setKind
		d.seeThrough = append(d.seeThrough, r.kind == keepKind || r.kind == renameKind)
		if r.required && required == nil {
			required = make([]bool, len(rules))
		}
		if r.required {
			required[i] = true
		}
	}
	d.root, d.cover = newRequiringRoot(ps, fill, required), true
	d.check = newNameCheck(rules)
	if looks != nil && t.whole == nil {
		d.looks = &lookout{detector: looks, rules: rules}
	}
	t.inner = d
}

// newNameCheck reads documents in which rules have changed names, also those in strings.
func newNameCheck(rules []*rule) *walker {
	var into patterns
	renames := false
	for _, r := range rules {
		if r.kind != renameKind {
			continue
		}
		renames = true
		for i := len(r.steps) - 1; i >= 0; i-- {
			if r.steps[i].kind == insideStep {
				into = append(into, append(slices.Clone(r.steps[:i+1]), step{kind: globStep, text: "*", index: -1}))
				break
			}
		}
	}
	if !renames {
		return nil
	}
	return &walker{root: newRoot(into, false)}
}

// errMissing is the reason when a field that should become the key or value is not there.
var errMissing = errors.New("not there")

// apply runs a stage. The error is why it cannot be.
func (s *stage) apply(w *Worker, r *Record) error {
	if s.take != nil {
		return s.takeField(w, r)
	}
	if err := w.changeIn(r, s, &s.key); err != nil {
		return err
	}
	if err := w.changeIn(r, s, &s.value); err != nil {
		return err
	}
	if len(s.headers) > 0 || s.looks != nil {
		if err := s.applyHeaders(w, r); err != nil {
			return err
		}
	}
	if s.timestamp != nil && r.TimestampMs != format.NoTimestamp {
		return s.shiftTimestamp(w, r)
	}
	return nil
}

// changeIn changes a payload of a record, or its document where it is by a schema.
func (w *Worker) changeIn(r *Record, s *stage, t *target) (err error) {
	b := r.payload(t.root)
	if t.inner != nil || t.whole != nil {
		if err := w.open(r, t.root); err != nil && t.must {
			*b, err = w.unmaskable(t.root, *b, err)
			return err
		}
	}
	*b, err = w.change(s, t, *b)
	return err
}

// change gives what stands in the place of a payload.
func (w *Worker) change(s *stage, t *target, b []byte) ([]byte, error) {
	if b == nil {
		if t.root == KeyRoot && t.whole != nil && t.whole.kind == setKind {
			return w.changeWhole(t.whole, []byte{})
		}
		return nil, nil
	}
	switch r := t.whole; {
	case r == nil:
	case r.kind == keepKind:
		w.hit(r)
		w.marks[t.root] = append(w.marks[t.root], mark{from: 0, to: len(b)})
	default:
		return w.changeWhole(r, b)
	}
	if t.inner == nil {
		return b, nil
	}
	look, _ := t.inner.looks.(*lookout)
	if look != nil {
		look.to = &w.marks[t.root]
	}
	if !t.must && !looksLikeDocument(b) {
		look.payload(t.root, b)
		return b, nil
	}
	out, err := w.edit(w.buf[:0], t.inner, b, t.root)
	w.buf = out.out[:0]
	switch {
	case err != nil && !t.must:
		look.payload(t.root, b)
		return b, nil
	case err != nil && t.inner.root.required != nil: // nobody can say that the paths are there
		return nil, &payloadError{t.root, err}
	case err != nil:
		return w.unmaskable(t.root, b, err)
	}
	w.again[t.root] = w.again[t.root] || out.undecided || s.looks == nil && out.edits > 0
	if out.edits == 0 {
		return b, nil
	}
	return w.own(out.out), nil
}

// looksLikeDocument spares what is plain text, as most keys are, an attempt to read it.
func looksLikeDocument(b []byte) bool {
	i := skipSpace(b, 0)
	return i < len(b) && (b[i] == '{' || b[i] == '[' || b[i] == '"')
}

func (w *Worker) changeWhole(r *rule, b []byte) ([]byte, error) {
	root := r.path.root
	if r.kind == dropKind {
		w.hit(r)
		w.marks[root] = w.marks[root][:0]
		return nil, nil
	}
	out, isNull, err := w.replace(r, b)
	if err != nil {
		return w.unmaskable(root, b, &ruleError{r, err})
	}
	w.look(r)
	same := !isNull && string(out) == string(b)
	switch known := w.marks[root]; {
	case same && (r.leaves || len(b) > 0 && string(b) != redacted):
		w.again[root] = true
		return b, nil
	case isNull:
		w.marks[root], out = known[:0], nil
	case !r.leaves:
		w.marks[root] = append(known[:0], mark{from: 0, to: len(out)})
	default:
		w.again[root] = true
		w.marks[root] = known.carry(nil, parallel(b, out, 0, 0))
	}
	w.hit(r)
	return out, nil
}

// replace runs a rule's change on a whole payload.
func (w *Worker) replace(r *rule, b []byte) (out []byte, isNull bool, err error) {
	if c, ok := r.change.(constantChange); ok && c.null {
		return nil, true, nil
	}
	if w.isOpen(r.path.root) {
		w.noteTick(r, r.path.root)
		out, err = r.change.inJSON(w, w.buf[:0], b)
	} else if c, ok := r.change.(*endpointChange); ok && r.path.root == ValueRoot {
		if err = w.strings.walk(b); err == nil {
			out, err = c.inJSON(w, w.buf[:0], b)
		}
	} else {
		out, err = r.change.inPayload(w, w.buf[:0], b)
	}
	w.buf = out[:0]
	return w.own(out), false, err
}

func (s *stage) takeField(w *Worker, r *Record) error {
	rule := s.take
	root := ValueRoot
	if rule.name == "key" {
		root = KeyRoot
	}
	to := r.payload(root)
	if root == ValueRoot && r.Value == nil {
		return nil // a tombstone stays one
	}
	if err := w.openFor(rule, r); err != nil {
		*to, err = w.unmaskable(root, *to, err)
		return err
	}
	out, known, err := w.takePayload(rule, r)
	if err != nil {
		*to, err = w.unmaskable(root, *to, &ruleError{rule, err})
		return err
	}
	w.forget(root)
	w.hit(rule)
	w.marks[root], w.again[root], *to = known, true, out
	return nil
}

// openFor makes a payload what the path of a rule takes of it: a document where the path leads into that, and else what the record has.
func (w *Worker) openFor(rule *rule, r *Record) error {
	root := rule.path.root
	switch {
	case root > KeyRoot:
		return nil
	case rule.path.rest == "":
		return w.encode(r, root)
	}
	return w.open(r, root)
}

// takePayload is what a path finds, as a payload of its own, and what is known about it.
func (w *Worker) takePayload(rule *rule, r *Record) ([]byte, marks, error) {
	root := rule.path.root
	in := r.Value
	if root == KeyRoot {
		in = r.Key
	}
	if rule.path.rest != "" && root <= KeyRoot {
		if err := w.strings.walk(in); err != nil {
			return nil, nil, err
		}
	}
	f := rule.path.Get(r)
	switch f.Kind {
	case Missing:
		return nil, nil, errMissing
	case Null:
		return nil, nil, nil
	}
	out := f.Raw
	if f.Kind != Bytes {
		w.buf = f.AppendText(w.buf[:0])
		out = w.own(w.buf)
	}
	switch {
	case root == HeadersRoot:
		return out, w.headerMarks(r, rule.path.name, len(out)), nil
	case root <= KeyRoot:
		return out, w.taken(w.marks[root], in, f, len(out)), nil
	}
	return out, marks{{from: 0, to: len(out)}}, nil // the place of a record is nobody's
}

// taken is what is known about a field that becomes a payload of its own, of size bytes. Of what stands nowhere in the payload, as
// what a path has put together, nothing is known.
func (w *Worker) taken(known marks, in []byte, f Field, size int) marks {
	from := offsetIn(in, f.Raw)
	if from < 0 {
		return nil
	}
	if f.Kind != String {
		return known.carry(nil, []piece{{from, from + len(f.Raw), 0, size}})
	}
	_, at := appendUnescapedAt(nil, nil, in, from, from+len(f.Raw))
	var pieces []piece
	for i := 0; i < len(at)-1; {
		end := i + 1
		for end < len(at)-1 && at[end] == at[i] {
			end++
		}
		if n := len(pieces); n > 0 && end == i+1 && at[end] == at[i]+1 && pieces[n-1].to == at[i] && pieces[n-1].to-pieces[n-1].from == pieces[n-1].end-pieces[n-1].at {
			pieces[n-1].to, pieces[n-1].end = at[end], end
		} else {
			pieces = append(pieces, piece{at[i], at[end], i, end})
		}
		i = end
	}
	return known.carry(nil, pieces).joined()
}

// offsetIn is where part, which is a part of whole in memory, begins; -1: it is none.
func offsetIn(whole, part []byte) int {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	if len(part) == 0 || at < from || at+uintptr(len(part)) > from+uintptr(len(whole)) {
		return -1
	}
	return int(at - from)
}

func (s *stage) shiftTimestamp(w *Worker, r *Record) error {
	if s.timestamp.kind == keepKind {
		return nil
	}
	by := s.timestamp.change.(shiftChange).by.Milliseconds()
	moved, ok := addInt64(r.TimestampMs, by)
	if !ok || moved < 0 && r.TimestampMs >= 0 {
		return &ruleError{s.timestamp, errNotATime}
	}
	w.hit(s.timestamp)
	r.TimestampMs = moved
	return nil
}
