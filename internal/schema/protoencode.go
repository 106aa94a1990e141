package schema

import (
	"cmp"
	"encoding/base64"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// noExtensions knows no extension.
type noExtensions struct{}

func (noExtensions) FindExtensionByName(protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return nil, protoregistry.NotFound
}

func (noExtensions) FindExtensionByNumber(protoreflect.FullName, protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	return nil, protoregistry.NotFound
}

// appendChanged appends the message of a document. The order of fields in its bytes is always the same.
func (t protobufMessage) appendChanged(dst, before, document []byte) ([]byte, error) {
	n, err := parseJSON(document)
	if err != nil {
		return dst, err
	}
	var old protoreflect.Message
	if before != nil {
		if old, err = t.read(before); err != nil {
			return dst, err
		}
	}
	m, fit := readMessage(t.MessageDescriptor, old, n)
	if fit != nil {
		return dst, fit
	}
	return proto.MarshalOptions{Deterministic: true, AllowPartial: true}.MarshalAppend(dst, m.Interface())
}

// readMessage makes a message of an object.
func readMessage(d protoreflect.MessageDescriptor, old protoreflect.Message, n *node) (protoreflect.Message, *FitError) {
	refused := &FitError{Type: string(d.FullName()), What: n.what()}
	if n.kind != '{' {
		return nil, refused
	}
	m := dynamicpb.NewMessage(d)
	for i := range n.children {
		c := &n.children[i]
		if c.name == unknownFields && old != nil {
			keepUnknown(m, old, &c.node)
			continue
		}
		f := fieldNamed(d, c.name)
		if f == nil {
			refused.What = "a field that it does not have"
			return nil, refused
		}
		if c.kind == 'n' { // as if it were not there
			continue
		}
		if o := f.ContainingOneof(); o != nil && m.WhichOneof(o) != nil {
			return nil, &FitError{c.name, "a oneof", "two of its fields at once"}
		}
		if fit := readField(m, f, old, &c.node); fit != nil {
			return nil, fit.at(c.name)
		}
	}
	return m, nil
}

// keepUnknown keeps the fields that a type does not know, where nothing of them was changed. Otherwise none stays: nobody can say what else in them
// the change was about.
func keepUnknown(m, old protoreflect.Message, n *node) {
	was, err := parseJSON(appendUnknown(nil, old.GetUnknown()))
	if err == nil && was.equal(n) {
		m.SetUnknown(old.GetUnknown())
	}
}

// fieldNamed finds a field by the name that it has in the schema, or in Protobuf's own JSON.
func fieldNamed(d protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if f := d.Fields().ByName(protoreflect.Name(name)); f != nil {
		return f
	}
	return d.Fields().ByJSONName(name)
}

func readField(m *dynamicpb.Message, f protoreflect.FieldDescriptor, old protoreflect.Message, n *node) *FitError {
	was := protoreflect.Value{}
	if old != nil && old.Has(f) {
		was = old.Get(f)
	}
	switch {
	case f.IsMap():
		return readEntries(m, f, was, n)
	case f.IsList():
		return readList(m, f, was, n)
	}
	v, fit := readProtobuf(f, was, n)
	if fit == nil {
		m.Set(f, v)
	}
	return fit
}

func readList(m *dynamicpb.Message, f protoreflect.FieldDescriptor, was protoreflect.Value, n *node) *FitError {
	if n.kind != '[' {
		return &FitError{Type: "repeated " + typeName(f), What: n.what()}
	}
	list := m.Mutable(f).List()
	paired := was.IsValid() && was.List().Len() == len(n.children) // else nobody can say which element was which
	for i := range n.children {
		one := protoreflect.Value{}
		if paired {
			one = was.List().Get(i)
		}
		v, fit := readProtobuf(f, one, &n.children[i].node)
		if fit != nil {
			return fit.at("#")
		}
		list.Append(v)
	}
	return nil
}

func readEntries(m *dynamicpb.Message, f protoreflect.FieldDescriptor, was protoreflect.Value, n *node) *FitError {
	if n.kind != '{' {
		return &FitError{Type: "map", What: n.what()}
	}
	entries := m.Mutable(f).Map()
	for i := range n.children {
		c := &n.children[i]
		key, fit := readKey(f.MapKey(), c.name)
		if fit != nil {
			return fit
		}
		one := protoreflect.Value{}
		if was.IsValid() && was.Map().Has(key) {
			one = was.Map().Get(key)
		}
		v, fit := readProtobuf(f.MapValue(), one, &c.node)
		if fit != nil {
			return fit.at("*")
		}
		entries.Set(key, v)
	}
	return nil
}

// readKey reads the key of a map, which in JSON is text.
func readKey(f protoreflect.FieldDescriptor, name string) (protoreflect.MapKey, *FitError) {
	n := &node{kind: '0', text: name}
	switch f.Kind() {
	case protoreflect.StringKind:
		n.kind = '"'
	case protoreflect.BoolKind:
		n.kind = 'f'
		if name == "true" {
			n.kind = 't'
		} else if name != "false" {
			n.kind = '"'
		}
	}
	v, fit := readProtobuf(f, protoreflect.Value{}, n)
	if fit != nil {
		return protoreflect.MapKey{}, &FitError{Type: "map of " + typeName(f), What: "such a key"}
	}
	return v.MapKey(), nil
}

// readProtobuf makes one value, of the type of a field.
func readProtobuf(f protoreflect.FieldDescriptor, was protoreflect.Value, n *node) (protoreflect.Value, *FitError) {
	if f.Message() != nil {
		var old protoreflect.Message
		if was.IsValid() {
			old = was.Message()
		}
		m, fit := readMessage(f.Message(), old, n)
		if fit != nil {
			return protoreflect.Value{}, fit
		}
		return protoreflect.ValueOfMessage(m), nil
	}
	v, ok := readScalar(f, was, n)
	if !ok {
		return v, &FitError{Type: typeName(f), What: n.what()}
	}
	return v, nil
}

func readScalar(f protoreflect.FieldDescriptor, was protoreflect.Value, n *node) (protoreflect.Value, bool) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n.kind == 't'), n.kind == 't' || n.kind == 'f'
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(n.text), n.kind == '"'
	case protoreflect.BytesKind:
		b, err := base64.StdEncoding.DecodeString(n.text)
		return protoreflect.ValueOfBytes(b), n.kind == '"' && err == nil
	case protoreflect.EnumKind:
		return readEnum(f.Enum(), n)
	case protoreflect.FloatKind:
		v, ok := n.float(32)
		if was.IsValid() && math.IsNaN(v) && math.IsNaN(was.Float()) {
			return was, true // there are many
		}
		return protoreflect.ValueOfFloat32(float32(v)), ok
	case protoreflect.DoubleKind:
		v, ok := n.float(64)
		if was.IsValid() && math.IsNaN(v) && math.IsNaN(was.Float()) {
			return was, true
		}
		return protoreflect.ValueOfFloat64(v), ok
	}
	return readWhole(f.Kind(), n)
}

func readEnum(d protoreflect.EnumDescriptor, n *node) (protoreflect.Value, bool) {
	if n.kind == '"' {
		v := d.Values().ByName(protoreflect.Name(n.text))
		if v == nil {
			return protoreflect.Value{}, false
		}
		return protoreflect.ValueOfEnum(v.Number()), true
	}
	v, err := strconv.ParseInt(n.text, 10, 32)
	return protoreflect.ValueOfEnum(protoreflect.EnumNumber(v)), n.kind == '0' && err == nil
}

// readWhole reads a whole number. Those of 64 bits may be text, as Protobuf's own JSON has them.
func readWhole(kind protoreflect.Kind, n *node) (protoreflect.Value, bool) {
	wide := kind == protoreflect.Int64Kind || kind == protoreflect.Sint64Kind || kind == protoreflect.Sfixed64Kind ||
		kind == protoreflect.Uint64Kind || kind == protoreflect.Fixed64Kind
	if n.kind != '0' && !(wide && n.kind == '"') {
		return protoreflect.Value{}, false
	}
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		v, err := strconv.ParseInt(n.text, 10, 32)
		return protoreflect.ValueOfInt32(int32(v)), err == nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		v, err := strconv.ParseUint(n.text, 10, 32)
		return protoreflect.ValueOfUint32(uint32(v)), err == nil
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		v, err := strconv.ParseUint(n.text, 10, 64)
		return protoreflect.ValueOfUint64(v), err == nil
	}
	v, err := strconv.ParseInt(n.text, 10, 64)
	return protoreflect.ValueOfInt64(v), err == nil
}

// typeName is the type of a field as the schema spells it.
func typeName(f protoreflect.FieldDescriptor) string {
	switch {
	case f.Enum() != nil:
		return "enum " + string(f.Enum().FullName())
	case f.Message() != nil:
		return string(f.Message().FullName())
	}
	return f.Kind().String()
}

// sortedKeys are the keys of a map in the order of their text.
func sortedKeys(m protoreflect.Map) []protoreflect.MapKey {
	var keys []protoreflect.MapKey
	m.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return cmp.Compare(a.String(), b.String()) })
	return keys
}
