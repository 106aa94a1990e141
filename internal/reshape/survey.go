package reshape

import (
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
)

// Survey finds out what the records of a topic are made of: fields, headers, and what looks personal, by the same looks as
// [Rules].RequireCoverage. It takes no more memory however many records and names there are. It is for one goroutine.
type Survey struct {
	topic   string
	looks   detector
	payload [2]*walker // of values and keys
	marks   marks
	kinds   [2]map[PayloadKind]int64
	headers map[string]*HeaderCount // by the path that is told
}

// surveyedNames is how many names of one object are told. A table has hardly more columns; what has is mostly keyed by something that is data.
const surveyedNames = 256

// PayloadKind is what a key or value is as a whole.
type PayloadKind string

// The kinds of payloads.
const (
	PayloadJSON   PayloadKind = "JSON" // an object, array or string, strictly; what else is JSON is a text
	PayloadText   PayloadKind = "text"
	PayloadBinary PayloadKind = "binary"
	PayloadEmpty  PayloadKind = "empty"
	PayloadNull   PayloadKind = "null"
)

// Surveyed is what a survey found.
type Surveyed struct {
	Topic        string
	Keys, Values map[PayloadKind]int64 // records
	Fields       []SurveyedField       // by path
	Headers      []HeaderCount         // by path
	Suspects     []Suspect             // by path and looks
	// More says that a payload had more names than are learned, or there were more headers: * in Fields and Headers stands for those.
	More bool
}

// SurveyedField is a place in keys or values that are JSON.
type SurveyedField struct {
	// Path is as a rule would name it. A name that is itself something personal is told as *, # is each element of an array.
	Path string
	// Kinds are of what stood there: object, array, string, number, boolean, null.
	Kinds []string
}

// HeaderCount is how often there is a header.
type HeaderCount struct {
	Path    string // as that of a field
	Records int64
	Null    int64 // of them without a value
}

// NewSurvey begins a survey of a topic.
func NewSurvey(topic string) *Survey {
	s := &Survey{topic: topic, headers: map[string]*HeaderCount{}}
	for root := range s.payload {
		all := newRoot(nil, false)
		all.names = surveyedNames
		s.payload[root] = &walker{root: all, looks: &lookout{detector: &s.looks, to: &s.marks}}
		s.kinds[root] = map[PayloadKind]int64{}
	}
	return s
}

// Add looks at a record, and keeps nothing of it but names.
func (s *Survey) Add(r *format.Record) {
	s.looks.record++
	s.marks = s.marks[:0]
	s.kinds[ValueRoot][s.look(ValueRoot, r.Value)]++
	s.kinds[KeyRoot][s.look(KeyRoot, r.Key)]++
	for i := range r.Headers {
		s.header(r.Headers, i)
	}
	for _, m := range s.marks {
		m.place.add(s.looks.record, m.looks)
	}
}

func (s *Survey) look(root Root, b []byte) PayloadKind {
	switch {
	case b == nil:
		return PayloadNull
	case len(b) == 0:
		return PayloadEmpty
	case looksLikeDocument(b) && s.payload[root].walk(b) == nil:
		return PayloadJSON
	}
	s.payload[root].looks.(*lookout).payload(root, b)
	if isBinary(b) {
		return PayloadBinary
	}
	return PayloadText
}

// header looks at header number i of a record.
func (s *Survey) header(all []format.Header, i int) {
	h, state := &all[i], headerState{}
	s.looks.header(&state, h, true)
	for _, f := range []finding{state.name, state.value} {
		if f.place != nil {
			s.marks = append(s.marks, mark{finding: f})
		}
	}
	if slices.ContainsFunc(all[:i], func(before format.Header) bool { return before.Key == h.Key }) {
		return
	}
	path := s.looks.headerPath(h.Key)
	c := s.headers[path]
	if c == nil && len(s.headers) >= maxShapes {
		path = otherHeaders
		c = s.headers[path]
	}
	if c == nil {
		c = &HeaderCount{Path: path}
		s.headers[path] = c
	}
	c.Records++
	if h.Value == nil {
		c.Null++
	}
}

// Result is what was found so far.
func (s *Survey) Result() Surveyed {
	out := Surveyed{Topic: s.topic, Keys: s.kinds[KeyRoot], Values: s.kinds[ValueRoot], More: s.headers[otherHeaders] != nil}
	fields := map[string]valueKinds{}
	for _, root := range []Root{KeyRoot, ValueRoot} {
		top := &s.payload[root].root.shape
		out.More = top.list(fields, root.String()) || out.More
		out.Suspects = top.suspects(out.Suspects, s.topic, root.String())
	}
	for path, found := range s.looks.plain {
		out.Suspects = found.suspects(out.Suspects, s.topic, func() string { return path })
	}
	out.Suspects = merge(out.Suspects)
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		out.Fields = append(out.Fields, SurveyedField{path, fields[path].names()})
	}
	for _, c := range s.headers {
		out.Headers = append(out.Headers, *c)
	}
	slices.SortFunc(out.Headers, func(a, b HeaderCount) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// list adds the places below a shape to fields, and says whether there are names that were not learned.
func (s *shape) list(fields map[string]valueKinds, rootName string) (more bool) {
	if s.look.kinds != 0 {
		fields[s.path(rootName)] |= s.look.kinds
	}
	for _, below := range [][]*shape{s.children, s.others, s.elements} {
		for _, c := range below {
			more = c.list(fields, rootName) || more
		}
	}
	if s.inside != nil {
		more = s.inside.list(fields, rootName) || more
	}
	return more || s.crowded
}

// valueKinds are the kinds of JSON values that stood at a place.
type valueKinds uint8

// kindNames are those of the bits of valueKinds.
var kindNames = [...]string{"object", "array", "string", "number", "boolean", "null"}

// kindOf is the kind of a value by its first byte.
func kindOf(c byte) valueKinds {
	switch c {
	case '{':
		return 1 << 0
	case '[':
		return 1 << 1
	case '"':
		return 1 << 2
	case 't', 'f':
		return 1 << 4
	case 'n':
		return 1 << 5
	}
	return 1 << 3
}

func (k valueKinds) names() (names []string) {
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// PayloadKinds are all of them, in the order in which they are told.
func PayloadKinds() []PayloadKind {
	return []PayloadKind{PayloadJSON, PayloadText, PayloadBinary, PayloadEmpty, PayloadNull}
}

// Personal says that the suspect looks like something, and is not only what nobody can look at.
func (s Suspect) Personal() bool { return !strings.HasPrefix(s.Looks, unreadable) }
