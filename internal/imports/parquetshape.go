package imports

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/internal/jsonl"
)

// shape is a part of a Parquet file's schema, and what JSON is made of it.
type shape struct {
	name     string
	kind     shapeKind
	level         // from which on it is there
	repeated bool // it is an array of its kind
	children []*shape
	leaves   []int // columns of the file that are of it
	leaf     columnDescriptor
	group    string // what is said of a group that is not read
}

type shapeKind uint8

const (
	leafShape shapeKind = iota
	structShape
	listShape // its only child is the elements, an array
	mapShape  // its only child is the entries, an array of structs
)

// level is a definition and a repetition level.
type level struct{ defined, repeat int16 }

// maxNesting bounds how deeply columns are nested.
const maxNesting = 100

func newShape(sc *schema.Schema, n schema.Node, above level) (*shape, error) {
	s := &shape{name: n.Name(), level: above, repeated: n.RepetitionType() == parquet.Repetitions.Repeated}
	if n.RepetitionType() != parquet.Repetitions.Required {
		s.defined++
	}
	if s.repeated {
		s.repeat++
	}
	if s.defined > maxNesting {
		return nil, &foreign.UnsupportedError{What: fmt.Sprintf("its columns are nested more than %d deep", maxNesting)}
	}
	if _, ok := n.(*schema.PrimitiveNode); ok {
		i := sc.ColumnIndexByNode(n)
		s.leaf, s.leaves = sc.Column(i), []int{i}
		return s, nil
	}
	return s, s.addChildren(sc, n.(*schema.GroupNode))
}

func (s *shape) addChildren(sc *schema.Schema, g *schema.GroupNode) error {
	s.kind = structShape
	for i := range g.NumFields() {
		child, err := newShape(sc, g.Field(i), s.level)
		if err != nil {
			return err
		}
		s.children = append(s.children, child)
		s.leaves = append(s.leaves, child.leaves...)
	}
	if len(s.leaves) == 0 {
		return &foreign.DamagedError{What: "Parquet file", Err: errors.New("a group without columns")}
	}
	one := s.children[0]
	switch l := g.LogicalType().(type) {
	case schema.ListLogicalType:
		if len(s.children) == 1 && one.repeated && one.kind != mapShape {
			s.kind = listShape
			one.unwrap(s.name)
		}
	case schema.MapLogicalType:
		if len(s.children) == 1 && one.repeated && one.kind == structShape && len(one.children) == 2 {
			s.kind = mapShape
		}
	case schema.VariantLogicalType:
		s.group = l.String()
	}
	return nil
}

// unwrap takes the group of a list's elements away where it is only there to hold them. A group of several fields, and one that is named
// as older writers do, is the element itself.
func (s *shape) unwrap(list string) {
	if s.kind != structShape || len(s.children) != 1 || s.name == "array" || s.name == list+"_tuple" {
		return
	}
	element := *s.children[0]
	s.kind, s.children, s.leaf, s.group = wrapped, []*shape{&element}, nil, ""
}

// wrapped is a group that stands for its only field.
const wrapped shapeKind = 100

// flat says whether a row has one value of it, without structure.
func (s *shape) flat() bool {
	return s.kind == leafShape && s.repeat == 0 && s.leaf.MaxRepetitionLevel() == 0
}

// check refuses what no JSON is made of.
func (s *shape) check() error {
	if s.group != "" {
		return &foreign.UnsupportedError{What: "its type " + s.group + " is not read"}
	}
	if s.kind == leafShape {
		return checkType(s.leaf)
	}
	for _, child := range s.children {
		if err := child.check(); err != nil {
			return err
		}
	}
	return nil
}

// assembler puts JSON together of the values of a row.
type assembler struct{ readers []*parquetColumn }

var (
	errLevels = errors.New("values that do not fit together")
	errMapKey = errors.New("a map with a key twice, or one that is not text")
)

// first is the next value of the first leaf of a shape.
func (a *assembler) first(s *shape) (*entryOfRow, error) {
	r := a.readers[s.leaves[0]]
	if r.used >= len(r.entries) {
		return nil, errLevels
	}
	return &r.entries[r.used], nil
}

// skip passes over a value of each leaf: that there is none.
func (a *assembler) skip(s *shape) {
	for _, leaf := range s.leaves {
		a.readers[leaf].used++
	}
}

// append appends what a row has of a shape.
func (a *assembler) append(dst []byte, s *shape) ([]byte, error) {
	e, err := a.first(s)
	if err != nil {
		return dst, err
	}
	there := e.level >= s.defined
	switch {
	case !there && s.repeated:
		a.skip(s)
		return append(dst, "[]"...), nil
	case !there:
		a.skip(s)
		return append(dst, "null"...), nil
	case s.repeated:
		return a.array(dst, s)
	}
	return a.one(dst, s)
}

func (a *assembler) array(dst []byte, s *shape) ([]byte, error) {
	dst = append(dst, '[')
	err := a.each(s, func(i int) (err error) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, err = a.one(dst, s)
		return err
	})
	return append(dst, ']'), err
}

// each calls do for the elements of an array that has some.
func (a *assembler) each(s *shape, do func(i int) error) error {
	r := a.readers[s.leaves[0]]
	for i := 0; ; i++ {
		if err := do(i); err != nil {
			return err
		}
		if r.used >= len(r.entries) || r.entries[r.used].repeat != s.repeat {
			return nil
		}
	}
}

// one is an element, or what is not repeated.
func (a *assembler) one(dst []byte, s *shape) ([]byte, error) {
	switch s.kind {
	case leafShape:
		e, err := a.first(s)
		if err != nil {
			return dst, err
		}
		a.skip(s)
		return Column{}.appendJSON(dst, e.cell)
	case listShape, wrapped:
		return a.append(dst, s.children[0])
	case mapShape:
		return a.mapping(dst, s.children[0])
	}
	for i, child := range s.children {
		dst = append(append(dst, "{,"[min(i, 1)]), jsonl.AppendPayload(nil, []byte(child.name))...)
		var err error
		if dst, err = a.append(append(dst, ':'), child); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// mapping is an object of the entries of a map.
func (a *assembler) mapping(dst []byte, entries *shape) ([]byte, error) {
	e, err := a.first(entries)
	if err != nil {
		return dst, err
	}
	if e.level < entries.defined {
		a.skip(entries)
		return append(dst, "{}"...), nil
	}
	dst = append(dst, '{')
	seen := make(map[string]bool)
	err = a.each(entries, func(i int) error {
		if i > 0 {
			dst = append(dst, ',')
		}
		key, err := a.append(nil, entries.children[0])
		if err != nil {
			return err
		}
		if key = asName(key); key == nil || seen[string(key)] {
			return errMapKey
		}
		seen[string(key)] = true
		dst, err = a.append(append(append(dst, key...), ':'), entries.children[1])
		return err
	})
	return append(dst, '}'), err
}

// asName makes the JSON of a map's key the name of a field: numbers and the like in quotes; nil: it can be none.
func asName(key []byte) []byte {
	switch {
	case !utf8.Valid(key) || bytes.HasPrefix(key, []byte("{")) || bytes.HasPrefix(key, []byte("[")) || string(key) == "null":
		return nil
	case key[0] == '"':
		return key
	}
	return append(append([]byte{'"'}, key...), '"')
}
