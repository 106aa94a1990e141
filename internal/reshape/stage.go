package reshape

import (
	"errors"
	"slices"

	"github.com/karchive/karchive/format"
)

// stage is a group of rules as they are for one topic, with what a worker needs to carry them out. The rules of a stage do not see what
// the others do.
type stage struct {
	key, value target
	headers    []*rule
	timestamp  *rule
	take       *rule // makes a field the whole key or value; nil: none
	looks      *detector
}

// target is a payload that rules are about.
type target struct {
	root  Root
	whole *rule     // about all of it; nil: none
	inner *document // nil: no rule is about its JSON, and nobody looks at it
	must  bool      // rules are about its JSON, so it had better be
	names bool      // rules change names in it, which may then be there twice
}

// document is a walker and the rules of its patterns.
type document struct {
	walker
	rules []*rule
}

// newStage makes a stage of those rules that fit the topic; nil when there are none. With a detector it also looks at what no rule is
// about; others then are rules of later stages, of which those that hide count as well.
func newStage(rules, others []*rule, topic string, looks *detector) *stage {
	s := &stage{key: target{root: KeyRoot}, value: target{root: ValueRoot}, looks: looks}
	some := looks != nil
	var inner [2][]*rule
	add := func(r *rule) {
		switch t := s.target(r.path.root); {
		case r.kind == takeKind:
			s.choose(r)
		case r.path.root == HeadersRoot:
			s.headers = append(s.headers, r)
		case r.path.root == TimestampRoot:
			s.timestamp = first(s.timestamp, r)
		case r.whole():
			t.whole = first(t.whole, r)
		default:
			inner[r.path.root] = append(inner[r.path.root], r)
			t.must = t.must || r.kind != coverKind
			t.names = t.names || r.kind == renameKind
		}
	}
	for _, r := range rules {
		if r.fits(topic) {
			add(r)
			some = true
		}
	}
	for _, r := range others {
		if r.fits(topic) && r.hides() {
			add(r.cover())
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

func (s *stage) choose(r *rule) { s.take = first(s.take, r) }

// target is the payload of a root; that of the value stands for what is none.
func (s *stage) target(root Root) *target {
	if root == KeyRoot {
		return &s.key
	}
	return &s.value
}

// cover is a rule that stands for another one, which a later stage carries out.
func (r *rule) cover() *rule {
	return &rule{text: r.text, number: -1, path: r.path, steps: r.steps, topics: r.topics, header: r.header, kind: coverKind}
}

// hides says that nothing is left of what was there. A field that is merely left behind by a taken value does not count: whoever
// means it says drop.
func (r *rule) hides() bool {
	_, table := r.change.(*tableChange)
	return r.kind == dropKind || r.kind == setKind || table
}

func (t *target) compile(rules []*rule, looks *detector) {
	if len(rules) == 0 && looks == nil {
		return
	}
	var ps patterns
	fill := false
	d := &document{rules: rules}
	for _, r := range rules {
		ps = append(ps, r.steps)
		fill = fill || r.kind == setKind
		d.seeThrough = append(d.seeThrough, r.kind == keepKind || r.kind == coverKind || r.kind == renameKind)
	}
	d.root, d.cover = newRoot(ps, fill), true
	if looks != nil && (t.whole == nil) {
		d.leaf = func(s *shape, from, to int) { looks.leaf(d.data, s, from, to) }
	}
	t.inner = d
}

// errMissing is the reason when a field that should become the key or value is not there.
var errMissing = errors.New("not there")

// apply runs a stage. The error is why it cannot be.
func (s *stage) apply(w *Worker, r *Record) error {
	if s.take != nil {
		return s.takeField(w, r)
	}
	key, err := w.change(s, &s.key, r.Key)
	if err != nil {
		return err
	}
	value, err := w.change(s, &s.value, r.Value)
	if err != nil {
		return err
	}
	r.Key, r.Value = key, value
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

// change gives what stands in the place of a payload.
func (w *Worker) change(s *stage, t *target, b []byte) ([]byte, error) {
	if b == nil {
		if t.root == KeyRoot && t.whole != nil && t.whole.kind == setKind {
			return w.changeWhole(t.whole, []byte{})
		}
		return nil, nil
	}
	switch r := t.whole; {
	case r == nil || r.kind == coverKind:
	case r.kind == keepKind:
		w.hit(r)
	default:
		return w.changeWhole(r, b)
	}
	if t.inner == nil {
		return b, nil
	}
	if !t.must && !looksLikeDocument(b) {
		if t.inner.leaf != nil {
			s.looks.payload(t.root, "", b)
		}
		return b, nil
	}
	out, edits, err := w.edit(w.buf[:0], t.inner, b)
	w.buf = out[:0]
	switch {
	case err != nil && !t.must:
		if t.inner.leaf != nil {
			s.looks.payload(t.root, "", b)
		}
		return b, nil
	case err != nil:
		return w.unmaskable(t.root, b, err)
	case edits == 0:
		return b, nil
	case t.names:
		if err := w.strings.walk(out); err != nil {
			return w.unmaskable(t.root, b, err)
		}
	}
	return w.own(out), nil
}

// looksLikeDocument spares what is plain text, as most keys are, an attempt to read it.
func looksLikeDocument(b []byte) bool {
	i := skipSpace(b, 0)
	return i < len(b) && (b[i] == '{' || b[i] == '[' || b[i] == '"')
}

func (w *Worker) changeWhole(r *rule, b []byte) ([]byte, error) {
	w.hit(r)
	if r.kind == dropKind {
		return nil, nil
	}
	out, isNull, err := w.replace(r, b)
	switch {
	case err != nil:
		return w.unmaskable(r.path.root, b, &ruleError{r, err})
	case isNull:
		return nil, nil
	}
	return out, nil
}

// replace runs a rule's change on a whole payload.
func (w *Worker) replace(r *rule, b []byte) (out []byte, isNull bool, err error) {
	if c, ok := r.change.(constantChange); ok && c.null {
		return nil, true, nil
	}
	if c, ok := r.change.(*endpointChange); ok && r.path.root == ValueRoot {
		out, err = c.document(w, w.buf[:0], b)
	} else {
		out, err = r.change.inPayload(w, w.buf[:0], b)
	}
	w.buf = out[:0]
	return w.own(out), false, err
}

func (s *stage) takeField(w *Worker, r *Record) error {
	rule := s.take
	root, to := ValueRoot, &r.Value
	if rule.name == "key" {
		root, to = KeyRoot, &r.Key
	}
	if root == ValueRoot && r.Value == nil {
		return nil // a tombstone stays one
	}
	out, err := w.takePayload(rule, r)
	if err != nil {
		out, err = w.unmaskable(root, *to, &ruleError{rule, err})
	} else {
		w.hit(rule)
	}
	*to = out
	return err
}

// takePayload is what a path finds, as a payload of its own.
func (w *Worker) takePayload(rule *rule, r *Record) ([]byte, error) {
	if rule.path.rest != "" && rule.path.root <= KeyRoot {
		in := r.Value
		if rule.path.root == KeyRoot {
			in = r.Key
		}
		if err := w.strings.walk(in); err != nil {
			return nil, err
		}
	}
	f := rule.path.Get(r)
	switch f.Kind {
	case Missing:
		return nil, errMissing
	case Null:
		return nil, nil
	case Bytes:
		return f.Raw, nil
	}
	w.buf = f.AppendText(w.buf[:0])
	return w.own(w.buf), nil
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

// applyHeaders makes a new list of headers, if one of them changes.
func (s *stage) applyHeaders(w *Worker, r *Record) error {
	changed := false
	out := w.headers[:0]
	for i := range r.Headers {
		h := r.Headers[i]
		rule := s.ruleOf(h.Key)
		if rule == nil || rule.kind == keepKind || rule.kind == coverKind {
			if rule != nil {
				w.hit(rule)
			} else if s.looks != nil {
				s.looks.payload(HeadersRoot, h.Key, h.Value)
			}
			out = append(out, h)
			continue
		}
		changed = true
		if rule.kind == dropKind {
			w.hit(rule)
			continue
		}
		if err := w.changeHeader(rule, &h); err != nil {
			return err
		}
		out = append(out, h)
	}
	for _, rule := range s.headers {
		if rule.kind == setKind && !rule.header && !slices.ContainsFunc(out, func(h format.Header) bool { return h.Key == rule.path.name }) {
			out = append(out, format.Header{Key: rule.path.name, Value: rule.change.(constantChange).payload()})
			w.hit(rule)
			changed = true
		}
	}
	w.headers = out[:0]
	if changed {
		r.Headers = w.ownHeaders(out)
	}
	return nil
}

func (s *stage) ruleOf(header string) *rule {
	for _, r := range s.headers {
		if r.takesHeader(header) {
			return r
		}
	}
	return nil
}

func (w *Worker) changeHeader(r *rule, h *format.Header) error {
	if r.kind == renameKind {
		w.hit(r)
		h.Key = r.name
		return nil
	}
	if h.Value == nil && r.kind != setKind {
		return nil
	}
	value, err := w.changeWhole(r, h.Value)
	h.Value = value
	return err
}
