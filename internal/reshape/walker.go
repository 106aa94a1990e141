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
	// leaf, if set, is told about strings and numbers that no pattern leads to or over.
	leaf func(s *shape, from, to int)

	serial  uint64 // of the last object
	depth   int
	covered int    // hits around the place of now
	scratch []byte // a name without escapes
	names   map[memberName]struct{}
}

// memberName is a name that shapes do not tell apart, in one object.
type memberName struct {
	object uint64
	name   string
}

// walk reads a document. What it finds is valid until the next walk. Its error is a *syntax.
func (w *walker) walk(b []byte) error {
	w.data, w.hits, w.holes = b, w.hits[:0], w.holes[:0]
	w.depth, w.covered = 0, 0
	i, err := w.value(&w.root.shape, place{}, skipSpace(b, 0))
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
	own := len(w.hits)
	w.covered++
	end, err := w.read(s, i)
	w.covered--
	for k := slot; k < own; k++ {
		w.hits[k].to = end
	}
	if w.cover && !w.seeThrough[s.ended[0]] {
		w.hits = w.hits[:own]
	}
	return end, err
}

func (w *walker) read(s *shape, i int) (int, error) {
	if i >= len(w.data) {
		return i, errEnd
	}
	switch c := w.data[i]; {
	case c == '"':
		end, _, err := scanString(w.data, i)
		return end, w.scalar(s, i, end, err)
	case c == '{':
		return w.object(s, i)
	case c == '[':
		return w.array(s, i)
	case c == '-' || isDigit(c):
		end, ok := scanNumber(w.data, i)
		if !ok {
			return end, errNumber
		}
		return end, w.scalar(s, i, end, nil)
	case c == 't':
		return w.word(i, "true")
	case c == 'f':
		return w.word(i, "false")
	case c == 'n':
		return w.word(i, "null")
	}
	return i, errValue
}

func (w *walker) word(i int, word string) (int, error) {
	if end, ok := scanWord(w.data, i, word); ok {
		return end, nil
	}
	return i, errValue
}

func (w *walker) scalar(s *shape, from, to int, err error) error {
	if err == nil && w.leaf != nil && w.covered == 0 {
		w.leaf(s, from, to)
	}
	return err
}

// object reads the object at i.
func (w *walker) object(s *shape, i int) (int, error) {
	if err := w.enter(); err != nil {
		return i, err
	}
	w.serial++
	serial, start := w.serial, i+1
	i = skipSpace(w.data, start)
	if i < len(w.data) && w.data[i] == '}' {
		w.depth--
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
		slot := len(w.hits)
		if i, err = w.value(c, at, skipSpace(w.data, i+1)); err != nil {
			return i, err
		}
		at.before = i
		more, next, err := w.comma(i, '}')
		if err != nil {
			return next, err
		}
		if !more {
			w.depth--
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
	return c, end, nil
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
	i = skipSpace(w.data, i+1)
	if i < len(w.data) && w.data[i] == ']' {
		w.depth--
		return i + 1, nil
	}
	at := place{}
	for n := 0; ; n++ {
		slot := len(w.hits)
		at.begin = i
		var err error
		if i, err = w.value(w.root.element(s, n), at, i); err != nil {
			return i, err
		}
		at.before = i
		more, next, err := w.comma(i, ']')
		if err != nil {
			return next, err
		}
		if !more {
			w.depth--
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
