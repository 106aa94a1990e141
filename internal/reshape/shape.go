package reshape

import "slices"

// shape is what a walker has learned of one place in the documents of a topic: the names and elements there, in the order in which
// they came, and which patterns lead through it. Records of a topic look alike, so what a name means is mostly known by where it
// stands. It is for one goroutine.
type shape struct {
	parent  *shape
	name    string     // of a member; # for elements, * for members of which there are too many to learn
	spelled string     // a learned name in its quotes, as it mostly stands in documents
	came    []position // of a shape that several places share: those with which a walk comes here
	at      []position // those, and what follows from them
	ended   []int32    // patterns that lead to here
	wanted  []position // those that are to be filled in: a member of that name should be here
	needs   []position // those that have to lead on from here
	meets   []bool     // of the parent's needs, which are met by this
	inside  *shape     // of documents in strings here; nil: there were none, and no pattern leads to one

	children []*shape          // learned members, in the order in which they first came
	index    map[string]*shape // the same by name
	others   []*shape          // of members that were not learned, one for each set of patterns
	elements []*shape          // likewise for elements
	numbered bool              // elements differ by their number
	order    int               // of this in parent.children
	crowded  bool              // no more names are learned here

	seen uint64 // serial number of the last object that had this member
	look look   // what the detector knows about it
}

// The most that is learned of one object, and of one kind of document. What is beyond takes longer and means the same.
const (
	maxNames  = 64
	maxShapes = 2048
)

// root is the shape of whole documents.
type root struct {
	shape
	patterns patterns
	fill     bool   // members that patterns lead to and that are not there are wanted
	required []bool // patterns that have to lead somewhere; nil: none
	names    int    // that are learned of one object, at most
	shapes   int
	serial   uint64 // of the last object
	scratch  []position
}

func newRoot(ps patterns, fill bool) *root { return newRequiringRoot(ps, fill, nil) }

func newRequiringRoot(ps patterns, fill bool, required []bool) *root {
	r := &root{patterns: ps, fill: fill, required: required, names: maxNames}
	r.shape.at = ps.start()
	r.settle(&r.shape)
	return r
}

// settle fills in what follows from the positions.
func (r *root) settle(s *shape) *shape {
	inside := r.enter(s)
	s.ended = r.patterns.ended(s.at)
	s.numbered = r.patterns.numbered(s.at)
	if r.fill {
		s.wanted = r.patterns.makeable(s.at)
	}
	r.require(s)
	r.shapes++
	if len(inside) > 0 {
		s.inside = r.settle(&shape{parent: s, name: insideName, at: inside, order: -1})
	}
	return s
}

// insideName stands for the document in a string.
const insideName = "|json"

// enter returns the positions that lead into a string here. What leads into a string also leads into what stands there as it is.
func (r *root) enter(s *shape) (inside []position) {
	for i := 0; i < len(s.at); i++ {
		p := s.at[i]
		if steps := r.patterns[p.pattern]; int(p.step) < len(steps) && steps[p.step].kind == insideStep {
			p.step++
			inside = append(inside, p)
			if !s.has(p) {
				s.at = append(s.at, p)
			}
		}
	}
	return inside
}

func (s *shape) has(p position) bool { return slices.Contains(s.at, p) }

// insideOf is the shape of documents in strings at s.
func (r *root) insideOf(s *shape) *shape {
	if s.inside == nil {
		s.inside = r.settle(&shape{parent: s, name: insideName, order: -1})
	}
	return s.inside
}

// require fills in what has to lead on from here, and what of that of the parent leads to here.
func (r *root) require(s *shape) {
	if r.required == nil {
		return
	}
	for _, p := range s.at {
		if steps := r.patterns[p.pattern]; r.required[p.pattern] && int(p.step) < len(steps) && steps[p.step].kind != insideStep {
			s.needs = append(s.needs, p)
		}
	}
	if s.parent == nil || s.name == insideName {
		return
	}
	for _, p := range s.parent.needs {
		s.meets = append(s.meets, s.has(position{p.pattern, p.step + 1}))
	}
}

// member is the shape of a member of s. Name is not kept.
func (r *root) member(s *shape, name []byte) *shape {
	if c, ok := s.index[string(name)]; ok {
		return c
	}
	if len(s.children) >= r.names || r.shapes >= maxShapes {
		s.crowded = true
	}
	r.scratch = r.patterns.advance(r.scratch[:0], s.at, func(st *step) bool { return st.takesName(asString(name)) })
	if s.crowded {
		return r.shared(s, &s.others, "*")
	}
	c := r.settle(&shape{parent: s, name: string(name), at: slices.Clone(r.scratch), order: len(s.children)})
	c.spelled = string(appendQuoted(nil, name))
	s.children = append(s.children, c)
	if s.index == nil {
		s.index = map[string]*shape{}
	}
	s.index[c.name] = c
	return c
}

// element is the shape of an element of s.
func (r *root) element(s *shape, i int) *shape {
	if !s.numbered && len(s.elements) > 0 {
		return s.elements[0]
	}
	r.scratch = r.patterns.advance(r.scratch[:0], s.at, func(st *step) bool { return st.takesElement(i) })
	return r.shared(s, &s.elements, "#")
}

// shared is the one of list that the positions in r.scratch lead to. There are as many as sets of patterns, which are few.
func (r *root) shared(s *shape, list *[]*shape, name string) *shape {
	for _, c := range *list {
		if slices.Equal(c.came, r.scratch) {
			return c
		}
	}
	came := slices.Clone(r.scratch)
	c := r.settle(&shape{parent: s, name: name, came: came, at: slices.Clip(came), order: -1})
	*list = append(*list, c)
	return c
}

// learned says that the shape stands for one name alone.
func (s *shape) learned() bool { return s.order >= 0 }

// path spells the place as a rule would, behind the root's name.
func (s *shape) path(rootName string) string {
	if s.parent == nil {
		return rootName
	}
	switch parent := s.parent.path(rootName); {
	case s.name == insideName && !s.learned():
		return parent + insideName
	case s.learned() && looksLike(asBytes(s.name)) == "":
		return parent + "." + escapeName(s.name)
	case s.learned(): // the name is itself something personal
		return parent + ".*"
	default:
		return parent + "." + s.name
	}
}
