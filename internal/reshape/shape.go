package reshape

import (
	"slices"
	"strings"
)

// shape is what a walker has learned of one place in the documents of a topic: the names and elements there, in the order in which
// they came, and which patterns lead through it. Records of a topic look alike, so what a name means is mostly known by where it
// stands. It is for one goroutine.
type shape struct {
	parent  *shape
	name    string // of a member; # for elements, * for members of which there are too many to learn
	spelled string // a learned name in its quotes, as it mostly stands in documents
	at      []position
	ended   []int32    // patterns that lead to here
	wanted  []position // those that are to be filled in: a member of that name should be here

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
	fill     bool // members that patterns lead to and that are not there are wanted
	shapes   int
	scratch  []position
}

func newRoot(ps patterns, fill bool) *root {
	r := &root{patterns: ps, fill: fill}
	r.shape.at = ps.start()
	r.settle(&r.shape)
	return r
}

// settle fills in what follows from the positions.
func (r *root) settle(s *shape) *shape {
	s.ended = r.patterns.ended(s.at)
	s.numbered = r.patterns.numbered(s.at)
	if r.fill {
		s.wanted = r.patterns.makeable(s.at)
	}
	r.shapes++
	return s
}

// member is the shape of a member of s. Name is not kept.
func (r *root) member(s *shape, name []byte) *shape {
	if c, ok := s.index[string(name)]; ok {
		return c
	}
	if len(s.children) >= maxNames || r.shapes >= maxShapes {
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
		if slices.Equal(c.at, r.scratch) {
			return c
		}
	}
	c := r.settle(&shape{parent: s, name: name, at: slices.Clone(r.scratch), order: -1})
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
	name := s.name
	if s.learned() {
		name = escapeName(name)
	}
	return s.parent.path(rootName) + "." + name
}

// escapeName puts backslashes where a path would read something else.
func escapeName(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		c := name[i]
		if strings.IndexByte(`.*?|\=`, c) >= 0 || i == 0 && strings.IndexByte("@!{[#", c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// escapeHeader puts backslashes where a path would read a glob.
func escapeHeader(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "=", `\=`).Replace(name)
}
