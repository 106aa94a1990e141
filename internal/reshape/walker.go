package reshape

// hit is a place in a document that a pattern leads to.
type hit struct {
	pattern int32
	shape   *shape

	from, to int // the value
	// Of a member or element: where it begins, with its name; where the next one begins, 0 when it is the last; and where the one
	// before ends, 0 when it is the first. The whole document has none of it.
	begin, next, before int
	nameTo              int // end of the name with its quotes, which begins at begin; 0: there is none

	inside *walker // of a string that holds JSON: what was found in it. Such a hit has no pattern, and begins nowhere.
}

// hole is where a member could be put that a pattern leads to and that is not there.
type hole struct {
	pattern, step int32 // the step is the name that is missing
	at            int
	empty         bool // the object has no member
}

// walker reads documents, checks them, and finds what its patterns lead to. It is for one goroutine, and used again for the next
// document of the same kind.
type walker struct {
	root *root
	data []byte

	hits  []hit // in the order of the document, an outer one before those in it
	holes []hole

	// cover makes rules of patterns: at a place only the first one counts, and nothing inside of it unless it is see-through.
	cover      bool
	seeThrough []bool
	// looks, if set, are told about names, and about strings and numbers, that no pattern leads to or over.
	looks observer

	missing []int32 // patterns that have to lead somewhere, and do not everywhere
	got     []bool  // of the objects and arrays around the place of now: which of their needs were met

	depth   int
	covered int     // hits around the place of now
	opaque  int     // those that are not see-through
	telling telling // what the names that lead to here tell
	scratch []byte  // a name without escapes
	names   map[memberName]struct{}

	// Of a document in a string of another one: that one, and where in it the bytes of data, and its end, stand.
	outer *walker
	body  []byte // its bytes
	at    []int
	subs  []*walker // for the documents in strings of this one
	used  int       // of subs
}

// observer looks at a document while a walker reads it. Places are those in w.data.
type observer interface {
	// name is told about the name of c, which begins at from. It says what the names tell about what stands there.
	name(w *walker, c *shape, name []byte, from, to int) telling
	leaf(w *walker, s *shape, from, to int)
	// inside says whether a string should be read as a document, and unread that it is none.
	inside(w *walker, from, to int) bool
	unread(w *walker, s *shape, from, to int)
}

// telling is what the names that lead to a place say about it.
type telling struct {
	looks string // why they look personal; empty: they do not
	last  string // the last word of the last of them
}

// memberName is a name that shapes do not tell apart, in one object.
type memberName struct {
	object uint64
	name   string
}

// walk reads a document. What it finds is valid until the next walk. Its error is a *syntax.
func (w *walker) walk(b []byte) error {
	w.depth, w.covered, w.opaque, w.telling = 0, 0, 0, telling{}
	return w.document(&w.root.shape, b)
}

// document reads a document of a shape, with the depth and what is around it as they are.
func (w *walker) document(s *shape, b []byte) error {
	w.data, w.hits, w.holes, w.used = b, w.hits[:0], w.holes[:0], 0
	w.missing, w.got = w.missing[:0], w.got[:0]
	i, err := w.value(s, place{}, skipSpace(b, 0))
	if len(w.names) > 0 {
		clear(w.names)
	}
	if err != nil {
		return &syntax{i, err.Error()}
	}
	if i = skipSpace(b, i); i < len(b) {
		return &syntax{i, errAfter.Error()}
	}
	return nil
}

// place is where a member or element begins, its name ends, and the one before ended.
type place struct{ begin, nameTo, before int }

// value reads the value at i and returns where it ends; with an error, where that is.
func (w *walker) value(s *shape, at place, i int) (int, error) {
	if len(s.ended) == 0 {
		return w.read(s, i)
	}
	slot := len(w.hits)
	for _, p := range s.ended {
		w.hits = append(w.hits, hit{pattern: p, shape: s, from: i, begin: at.begin, before: at.before, nameTo: at.nameTo})
		if w.cover {
			break
		}
	}
	own, missing, opaque := len(w.hits), len(w.missing), w.opaque
	w.covered++
	if w.cover && !w.seeThrough[s.ended[0]] {
		w.opaque++
	}
	end, err := w.read(s, i)
	w.covered--
	for k := slot; k < own; k++ {
		w.hits[k].to = end
	}
	if w.opaque > opaque {
		w.hits, w.missing, w.opaque = w.hits[:own], w.missing[:missing], opaque
	}
	return end, err
}

func (w *walker) read(s *shape, i int) (int, error) {
	if i >= len(w.data) {
		return i, errEnd
	}
	c := w.data[i]
	if w.looks != nil {
		s.look.kinds |= kindOf(c)
	}
	switch {
	case c == '"':
		end, _, err := scanString(w.data, i)
		if err == nil {
			err = w.text(s, i, end)
		}
		return end, err
	case c == '{':
		return w.object(s, i)
	case c == '[':
		return w.array(s, i)
	case c == '-' || isDigit(c):
		end, ok := scanNumber(w.data, i)
		if !ok {
			return end, errNumber
		}
		w.scalar(s, i, end)
		return end, nil
	case c == 't':
		return w.word(s, i, "true")
	case c == 'f':
		return w.word(s, i, "false")
	case c == 'n':
		return w.word(s, i, "null")
	}
	return i, errValue
}

func (w *walker) word(s *shape, i int, word string) (int, error) {
	if end, ok := scanWord(w.data, i, word); ok {
		w.lack(s.needs)
		return end, nil
	}
	return i, errValue
}

func (w *walker) scalar(s *shape, from, to int) {
	w.lack(s.needs)
	if w.looks != nil && w.covered == 0 {
		w.looks.leaf(w, s, from, to)
	}
}

// object reads the object at i.
func (w *walker) object(s *shape, i int) (int, error) {
	if err := w.enter(); err != nil {
		return i, err
	}
	w.root.serial++
	serial, start, need, around := w.root.serial, i+1, w.need(s, false), w.telling
	i = skipSpace(w.data, start)
	if i < len(w.data) && w.data[i] == '}' {
		w.leave(s, need)
		w.fill(s, serial, start, true)
		return i + 1, nil
	}
	at := place{}
	for hint := 0; ; {
		c, nameTo, err := w.name(s, i, hint, serial)
		if err != nil {
			return i, err
		}
		hint = c.order + 1
		at.begin, at.nameTo = i, nameTo
		if i = skipSpace(w.data, nameTo); i >= len(w.data) || w.data[i] != ':' {
			return i, errColon
		}
		w.meet(need, c)
		slot := len(w.hits)
		if i, err = w.value(c, at, skipSpace(w.data, i+1)); err != nil {
			return i, err
		}
		w.telling = around
		at.before = i
		more, next, err := w.comma(i, '}')
		if err != nil {
			return next, err
		}
		if !more {
			w.leave(s, need)
			w.fill(s, serial, at.before, false)
			return next, nil
		}
		w.follow(slot, at.begin, next)
		i = next
	}
}

// name reads the name at i, in the object of that serial number. It is most likely the one at hint.
func (w *walker) name(s *shape, i, hint int, serial uint64) (c *shape, end int, err error) {
	if hint < len(s.children) {
		c = s.children[hint]
		if end = i + len(c.spelled); end <= len(w.data) && string(w.data[i:end]) == c.spelled && c.spelled != "" && c.seen != serial {
			c.seen = serial
			w.tell(c, asBytes(c.name), i, end)
			return c, end, nil
		}
	}
	if i >= len(w.data) || w.data[i] != '"' {
		return nil, i, errName
	}
	end, escaped, err := scanString(w.data, i)
	if err != nil {
		return nil, end, err
	}
	name := w.data[i+1 : end-1]
	if escaped {
		w.scratch = appendUnescaped(w.scratch[:0], w.data[i:end])
		name = w.scratch
	}
	c = w.root.member(s, name)
	if c.learned() && c.seen == serial || !c.learned() && w.twice(serial, name, escaped) {
		return nil, end, errTwice
	}
	c.seen = serial
	w.tell(c, name, i, end)
	return c, end, nil
}

// tell lets a name be looked at.
func (w *walker) tell(c *shape, name []byte, from, to int) {
	if w.looks != nil && w.covered == 0 {
		w.telling = w.looks.name(w, c, name, from, to)
	}
}

// twice notes a name that is not learned, and says whether its object had it before.
func (w *walker) twice(serial uint64, name []byte, copied bool) bool {
	key := memberName{serial, asString(name)}
	if copied {
		key.name = string(name)
	}
	if w.names == nil {
		w.names = map[memberName]struct{}{}
	}
	before := len(w.names)
	w.names[key] = struct{}{}
	return len(w.names) == before
}

// array reads the array at i.
func (w *walker) array(s *shape, i int) (int, error) {
	if err := w.enter(); err != nil {
		return i, err
	}
	need := w.need(s, true)
	i = skipSpace(w.data, i+1)
	if i < len(w.data) && w.data[i] == ']' {
		w.leave(s, need)
		return i + 1, nil
	}
	at := place{}
	for n := 0; ; n++ {
		slot := len(w.hits)
		at.begin = i
		c := w.root.element(s, n)
		w.meet(need, c)
		var err error
		if i, err = w.value(c, at, i); err != nil {
			return i, err
		}
		at.before = i
		more, next, err := w.comma(i, ']')
		if err != nil {
			return next, err
		}
		if !more {
			w.leave(s, need)
			return next, nil
		}
		w.follow(slot, at.begin, next)
		i = next
	}
}

func (w *walker) enter() error {
	w.depth++
	if w.depth > maxDepth {
		return errTooDeep
	}
	return nil
}

// comma reads what follows a value: a comma, then next is where the next one begins, or the closing bracket, then it is behind that.
func (w *walker) comma(i int, closing byte) (more bool, next int, err error) {
	i = skipSpace(w.data, i)
	switch {
	case i >= len(w.data):
		return false, i, errEnd
	case w.data[i] == ',':
		return true, skipSpace(w.data, i+1), nil
	case w.data[i] == closing:
		return false, i + 1, nil
	}
	return false, i, errComma
}

// follow tells the hits of the member or element that began at begin where the next one begins.
func (w *walker) follow(slot, begin, next int) {
	for ; slot < len(w.hits) && w.hits[slot].begin == begin; slot++ {
		w.hits[slot].next = next
	}
}

// fill notes the members that the object of that serial number does not have.
func (w *walker) fill(s *shape, serial uint64, at int, empty bool) {
	for _, p := range s.wanted {
		name := w.root.patterns[p.pattern][p.step].text
		if c := w.root.member(s, []byte(name)); c.seen != serial {
			w.holes = append(w.holes, hole{p.pattern, p.step, at, empty})
		}
	}
}
