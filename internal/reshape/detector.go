package reshape

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"
)

// look is what a detector knows about a place.
type look struct {
	asked  bool
	before string  // the last word of the name around it, with which was asked
	tells  telling // what its name tells
	named  string  // what its name itself looks like
	suspicions
	names suspicions // of names of members here
	kinds valueKinds // of what stood there
}

// suspicions counts records by what a field of them looks like.
type suspicions struct {
	record uint64 // the last one that counted
	counts map[string]int64
}

func (s *suspicions) add(record uint64, looks string) {
	if s.record == record {
		return
	}
	s.record = record
	if s.counts == nil {
		s.counts = map[string]int64{}
	}
	s.counts[looks]++
}

// detector looks for what looks personal, in the records of a topic. Names and texts are judged each for itself; what it remembers only
// saves time.
type detector struct {
	record    uint64                 // number of the record, from 1
	plain     map[string]*suspicions // by path, of what is not in a document
	headers   map[string]*suspicions // the same by the name of a header
	known     map[nameOf]telling     // what is known about names
	unescaped []byte
	folded    []byte               // a text without its odd characters
	spare     [maxScans + 1][]byte // for what is decoded, by depth
}

// nameOf is a name, and the last word of that around it.
type nameOf struct{ before, name string }

// tells judges a name.
func (d *detector) tells(before string, name []byte) telling {
	t, known := d.known[nameOf{before, asString(name)}]
	if known {
		return t
	}
	t = judgeName(before, string(d.fold(name)))
	if d.known == nil {
		d.known = map[nameOf]telling{}
	}
	if len(d.known) < maxShapes {
		d.known[nameOf{before, string(name)}] = t
	}
	return t
}

// place is where the detector counts what is in no document.
func (d *detector) place(path string) *suspicions {
	if d.plain == nil {
		d.plain = map[string]*suspicions{}
	}
	if d.plain[path] == nil {
		d.plain[path] = &suspicions{}
	}
	return d.plain[path]
}

// headerPlace is where the detector counts what is in a header.
func (d *detector) headerPlace(name string) *suspicions {
	if s := d.headers[name]; s != nil {
		return s
	}
	if len(d.headers) >= maxShapes {
		return d.place(otherHeaders)
	}
	s := d.place(d.headerPath(name))
	if d.headers == nil {
		d.headers = map[string]*suspicions{}
	}
	d.headers[name] = s
	return s
}

// otherHeaders stands for headers of which there are too many, and for those whose names are not told.
const otherHeaders = "headers.*"

// headerPath names a header as a rule would. A name that is itself something personal is not told.
func (d *detector) headerPath(name string) string {
	if looksLike(d.fold(asBytes(name))) != "" {
		return otherHeaders
	}
	return HeadersRoot.String() + "." + escapeHeader(name)
}

// lookout is a detector at one payload. It is the observer of a walker.
type lookout struct {
	*detector
	to    *marks   // where it puts what it finds
	last  bool     // what already has a mark is known, and what a rule is answerable for is right
	rules []*rule  // of the patterns of the walk; nil: there are none
	whole *finding // if set, all that is found is found there, and the first counts
}

func (l *lookout) find(w *walker, place *suspicions, looks string, unseen bool, from, to int) {
	if l.whole != nil {
		if l.whole.looks == "" || l.whole.unseen && !unseen {
			l.whole.looks, l.whole.unseen = looks, unseen
		}
		return
	}
	from, to = w.outermost(from), w.outermost(to)
	if l.last && (l.to.covers(from, to) || l.to.suspects(from, to)) {
		return
	}
	*l.to = append(*l.to, mark{from, to, finding{place, looks, unseen}})
}

func (l *lookout) name(w *walker, c *shape, name []byte, from, to int) telling {
	tells, named := c.look.tells, c.look.named
	if !c.learned() || !c.look.asked || c.look.before != w.telling.last {
		tells, named = l.tells(w.telling.last, name), looksLike(l.fold(name))
		if c.learned() {
			c.look.asked, c.look.before, c.look.tells, c.look.named = true, w.telling.last, tells, named
		}
	}
	if named != "" && !l.keeps(c) {
		l.find(w, &c.parent.look.names, named+" as a name", false, from, to)
	}
	if tells.looks == "" {
		tells.looks = w.telling.looks
	}
	return tells
}

// keeps says that a rule lets a member stay, name and all.
func (l *lookout) keeps(c *shape) bool {
	return l.rules != nil && len(c.ended) > 0 && l.rules[c.ended[0]].kind == keepKind
}

func (l *lookout) leaf(w *walker, s *shape, from, to int) {
	raw := w.data[from:to]
	if isBlank(raw) {
		return
	}
	text := raw
	if raw[0] == '"' {
		if text = raw[1 : len(raw)-1]; bytes.IndexByte(text, '\\') >= 0 {
			l.unescaped = appendUnescaped(l.unescaped[:0], raw)
			text = l.unescaped
		}
	} else {
		text = wholeNumber(raw)
	}
	looks, unseen := l.text(text)
	if looks == "" || unseen && w.telling.looks != "" {
		looks, unseen = cmp.Or(w.telling.looks, looks), false
	}
	if looks != "" {
		l.find(w, &s.look.suspicions, looks, unseen, from, to)
	}
}

func (l *lookout) inside(w *walker, from, to int) bool {
	for i := from + 1; i < to-1; i++ {
		switch c := w.data[i]; {
		case isSpace(c):
		case c == '\\' && bytes.IndexByte([]byte("nrt"), w.data[i+1]) >= 0:
			i++
		case c == '\\':
			return w.data[i+1] == 'u' || w.data[i+1] == '"'
		default:
			return c == '{' || c == '['
		}
	}
	return false
}

func (l *lookout) unread(w *walker, s *shape, from, to int) {
	l.leaf(w, s, from, to)
	if text := appendUnescaped(nil, w.data[from:to]); beginsDocument(text) {
		l.find(w, &s.look.suspicions, looksBroken, true, from, to)
	}
}

// payload looks at a whole payload that is in no document: a text, or what holds a document that cannot be read. A nil lookout does not.
func (l *lookout) payload(root Root, b []byte) {
	if l == nil || l.last && (l.to.covers(0, len(b)) || l.to.suspects(0, len(b))) {
		return
	}
	if looks, unseen := l.scanWhole(telling{}, b); looks != "" {
		*l.to = append(*l.to, mark{0, len(b), finding{l.place(root.String()), looks, unseen}})
	}
}

// scanWhole looks at a payload or header value, which has a name that may tell something.
func (d *detector) scanWhole(name telling, b []byte) (looks string, unseen bool) {
	if len(b) == 0 || string(b) == redacted {
		return "", false
	}
	looks, unseen = d.scan(b, 0)
	if name.looks != "" && (looks == "" || unseen) {
		return name.looks, false
	}
	return looks, unseen
}

// maxScans bounds how deep in each other encodings are taken off.
const maxScans = 4

// scan looks at bytes of any kind and says what they look like, and whether that is only that nobody could look.
func (d *detector) scan(b []byte, depth int) (looks string, unseen bool) {
	if isBinary(b) {
		if hasEmail(b) || hasEmail(fromUTF16(b)) {
			return looksEmail, false
		}
		return looksBinary, true
	}
	if b = bytes.TrimLeft(b, "\ufeff \t\r\n"); !looksLikeDocument(b) || depth > maxScans {
		return d.textIn(b, depth)
	}
	var first finding
	w := walker{root: newRoot(nil, false), looks: &lookout{detector: d, whole: &first}}
	err := w.walk(b)
	if err != nil && (first.looks == "" || first.unseen) {
		if looks, unseen = d.textIn(b, depth); looks == "" {
			return looksBroken, true
		}
		return looks, unseen
	}
	return first.looks, first.unseen
}

// text looks at text.
func (d *detector) text(b []byte) (looks string, unseen bool) { return d.textIn(b, 0) }

func (d *detector) textIn(b []byte, depth int) (looks string, unseen bool) {
	folded := d.fold(b)
	if looks = looksLike(folded); looks == "" {
		looks = d.namesIn(folded)
	}
	switch {
	case looks != "":
		return looks, false
	case depth > maxScans && holdsText(b):
		return looksNested, true
	case depth > maxScans:
		return "", false
	}
	return d.encoded(b, depth)
}

// isBinary says that bytes are no text.
func isBinary(b []byte) bool {
	return !utf8.Valid(b) || bytes.ContainsFunc(b, func(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0x7f })
}

// beginsDocument says that a text begins as only JSON does.
func beginsDocument(b []byte) bool {
	b = bytes.TrimLeft(b, "\ufeff \t\r\n")
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return false
	}
	rest := bytes.TrimLeft(b[1:], " \t\r\n")
	return len(rest) > 0 && (rest[0] == '"' || b[0] == '[' && (rest[0] == '{' || rest[0] == '['))
}

// suspects appends what was found at a place and below it.
func (s *shape) suspects(to []Suspect, topic, rootName string) []Suspect {
	to = s.look.suspects(to, topic, func() string { return s.path(rootName) })
	to = s.look.names.suspects(to, topic, func() string { return s.path(rootName) + ".*" })
	for _, list := range [][]*shape{s.children, s.others, s.elements} {
		for _, c := range list {
			to = c.suspects(to, topic, rootName)
		}
	}
	if s.inside != nil {
		to = s.inside.suspects(to, topic, rootName)
	}
	return to
}

func (s *suspicions) suspects(to []Suspect, topic string, path func() string) []Suspect {
	for _, looks := range slices.Sorted(maps.Keys(s.counts)) {
		to = append(to, Suspect{Topic: topic, Path: path(), Looks: looks, Records: s.counts[looks]})
	}
	return to
}
