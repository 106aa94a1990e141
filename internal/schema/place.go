package schema

import (
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/karchive/karchive/format/origin"
)

// Place is a place in all documents of a schema. It is immutable.
type Place struct {
	Of string // the schema
	spot
}

// spot is a type, as the documents of its values see it.
type spot interface {
	named(name string) []spot // members
	elements() []spot
	// beginnings are the first characters that its values have in JSON, one of each kind but null: ", 0, t, { and [.
	beginnings() string
	holds(n *node) *FitError
	members(takes func(name string) bool) []spot // those whose names are taken
	ticks() []time.Duration
}

// What Ticks have where they are no time.
const (
	AnyTick  time.Duration = 0  // the type does not say what its numbers count
	NoMoment time.Duration = -1 // it says that they count something else than the time since 1970
)

// Places are the whole payloads of a topic, by each schema that is known for them: that of a file, or else those which a registry has under the
// topic's name.
func (s *Set) Places(topic string, part Part) []Place {
	if s == nil {
		return nil
	}
	if f := s.fileOf(topic, part); f != nil {
		return placesOf(f.name, f.coding)
	}
	var out []Place
	for _, one := range s.Schemas() {
		if !isOf(&one, topic+"-"+part.String()) {
			continue
		}
		e := s.find(Name{ID: one.ID})
		if l, err := e.language(s); err == nil {
			out = append(out, placesOf(Name{ID: one.ID}.String(), l)...)
		}
	}
	return out
}

// Place is the whole payload; false: its schema does not tell.
func (p Payload) Place() (Place, bool) {
	if all := placesOf(p.of, p.coding); len(all) == 1 {
		return all[0], true
	}
	return Place{}, false
}

func isOf(s *origin.Schema, subject string) bool {
	return slices.ContainsFunc(s.Versions, func(v origin.SchemaVersion) bool { return v.Subject == subject })
}

// Under are the places that a member's name leads to.
func (p Place) Under(name string) []Place { return p.each(p.named(name)) }

// Members are the places of the members whose names are taken.
func (p Place) Members(takes func(name string) bool) []Place { return p.each(p.members(takes)) }

// Ticks are the times that whole numbers count by here since 1970, of each type of whole numbers that there is; or AnyTick, or NoMoment.
func (p Place) Ticks() []time.Duration { return p.ticks() }

// Elements are the places of an array's elements.
func (p Place) Elements() []Place { return p.each(p.elements()) }

func (p Place) each(spots []spot) (out []Place) {
	for _, s := range spots {
		out = append(out, Place{p.Of, s})
	}
	return out
}

// Beginnings are the first characters that values have here in JSON, one of each kind but null: ", 0, t, { and [.
func (p Place) Beginnings() string { return p.beginnings() }

// Holds says why a value in JSON cannot stand here; nil: it can. Its error is a *FitError.
func (p Place) Holds(text []byte) error {
	n, err := parseJSON(text)
	if err != nil {
		return err
	}
	if fit := p.holds(n); fit != nil {
		return fit
	}
	return nil
}

func placesOf(name string, compiled any) (out []Place) {
	switch c := compiled.(type) {
	case avroLanguage:
		return []Place{{name, c.root}}
	case protobufMessage:
		return []Place{{name, c}}
	case protobufLanguage:
		for i := range c.file.Messages().Len() {
			out = append(out, Place{name, protobufMessage{c.file.Messages().Get(i)}})
		}
	}
	return out
}

func (t *avroType) named(name string) (out []spot) {
	for i := range t.fields {
		if t.fields[i].name == name {
			out = append(out, t.fields[i].typ)
		}
	}
	for _, b := range t.branches {
		out = append(out, b.named(name)...)
	}
	if t.kind == avroMap {
		out = append(out, t.of)
	}
	return out
}

func (t *avroType) members(takes func(name string) bool) (out []spot) {
	for i := range t.fields {
		if takes(t.fields[i].name) {
			out = append(out, t.fields[i].typ)
		}
	}
	for _, b := range t.branches {
		out = append(out, b.members(takes)...)
	}
	if t.kind == avroMap {
		out = append(out, t.of)
	}
	return out
}

func (t *avroType) ticks() (out []time.Duration) {
	if t.kind == avroInt || t.kind == avroLong {
		return []time.Duration{t.tick}
	}
	for _, b := range t.branches {
		out = append(out, b.ticks()...)
	}
	return out
}

func (t *avroType) elements() (out []spot) {
	for _, b := range t.branches {
		out = append(out, b.elements()...)
	}
	if t.kind == avroArray {
		out = append(out, t.of)
	}
	return out
}

func (t *avroType) beginnings() (out string) {
	switch t.kind {
	case avroNull:
	case avroUnion:
		for _, b := range t.branches {
			out += b.beginnings()
		}
	case avroBoolean:
		return "t"
	case avroInt, avroLong, avroFloat, avroDouble, avroDecimal:
		return "0"
	case avroRecord, avroMap:
		return "{"
	case avroArray:
		return "["
	default:
		return `"`
	}
	return out
}

func (t *avroType) holds(n *node) *FitError {
	e := avroEncoder{steps: stepsPerByte * leastDocument}
	_, fit := e.value(nil, t, nil, n)
	return fit
}

func (t protobufMessage) named(name string) []spot {
	if f := t.Fields().ByName(protoreflect.Name(name)); f != nil {
		return []spot{protobufField{f, false}}
	}
	return nil
}

func (t protobufMessage) members(func(string) bool) []spot { return nil } // no field says what it counts

func (t protobufMessage) ticks() []time.Duration { return nil }

func (t protobufMessage) elements() []spot { return nil }

func (t protobufMessage) beginnings() string { return "{" }

func (t protobufMessage) holds(n *node) *FitError {
	_, fit := readMessage(t.MessageDescriptor, nil, n)
	return fit
}

// protobufField is a field of a message.
type protobufField struct {
	protoreflect.FieldDescriptor
	one bool // an element of its list, or a value of its map
}

func (f protobufField) named(name string) []spot {
	switch {
	case f.IsMap() && !f.one:
		return []spot{protobufField{f.MapValue(), true}}
	case f.Message() != nil && (f.one || !f.IsList()):
		return protobufMessage{f.Message()}.named(name)
	}
	return nil
}

func (f protobufField) members(func(string) bool) []spot { return nil }

func (f protobufField) ticks() []time.Duration { return nil }

func (f protobufField) elements() []spot {
	if f.IsList() && !f.one {
		return []spot{protobufField{f.FieldDescriptor, true}}
	}
	return nil
}

func (f protobufField) beginnings() string {
	switch {
	case f.IsList() && !f.one:
		return "["
	case f.Message() != nil:
		return "{"
	}
	switch f.Kind() {
	case protoreflect.BoolKind:
		return "t"
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.EnumKind:
		return `"`
	}
	return "0"
}

func (f protobufField) holds(n *node) (fit *FitError) {
	switch {
	case f.one:
		_, fit = readProtobuf(f.FieldDescriptor, protoreflect.Value{}, n)
	case n.kind != 'n':
		fit = readField(dynamicpb.NewMessage(f.ContainingMessage()), f.FieldDescriptor, nil, n)
	}
	return fit
}
