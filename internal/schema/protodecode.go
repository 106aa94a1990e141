package schema

import (
	"encoding/base64"
	"errors"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/karchive/karchive/internal/jsonl"
)

// protobufMessage is a type of Protobuf messages.
type protobufMessage struct{ protoreflect.MessageDescriptor }

var errNoProtobuf = errors.New("it is no message of its type")

// read reads a message. Fields that its type does not have stay in it. No extension is known, so those stay as such fields.
func (t protobufMessage) read(body []byte) (protoreflect.Message, error) {
	if err := checkWire(t.MessageDescriptor, body, 0); err != nil { // first, as the library panics on a map's key that is encoded as another type
		return nil, err
	}
	m := dynamicpb.NewMessage(t.MessageDescriptor)
	how := proto.UnmarshalOptions{AllowPartial: true, RecursionLimit: maxDepth, Resolver: noExtensions{}}
	if how.Unmarshal(body, m) != nil {
		return nil, errNoProtobuf
	}
	return m, nil
}

func (t protobufMessage) appendJSON(dst, body []byte) ([]byte, error) {
	m, err := t.read(body)
	if err != nil {
		return dst, err
	}
	w := protobufWriter{limit: len(dst) + leastDocument + mostPerByte*len(body)}
	dst = w.message(dst, m, 0)
	return dst, w.err
}

// unknownFields is the member of a document that has the fields of a message which its type does not know, in pairs of number and value. No field
// can have such a name.
const unknownFields = "unknown-fields"

// protobufWriter writes messages as JSON: fields in the order of the schema under the names that they have there, numbers of 64 bits as
// numbers, enums by name, bytes as base64. A field is there when it is set, or when its type does not know of being set.
type protobufWriter struct {
	limit int
	err   error
}

func (w *protobufWriter) message(dst []byte, m protoreflect.Message, depth int) []byte {
	if depth > maxDepth {
		w.err = errTooDeep
	}
	if len(dst) > w.limit {
		w.err = errTooLarge
	}
	if w.err != nil {
		return dst
	}
	dst = append(dst, '{')
	fields := m.Descriptor().Fields()
	for i, first := 0, true; i < fields.Len(); i++ {
		f := fields.Get(i)
		if f.HasPresence() && !m.Has(f) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsonl.AppendPayload(dst, []byte(f.Name())), ':')
		dst = w.field(dst, f, m.Get(f), depth)
	}
	if b := m.GetUnknown(); len(b) > 0 {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = appendUnknown(append(dst, `"`+unknownFields+`":`...), b)
	}
	return append(dst, '}')
}

// appendUnknown appends fields without a type: whole numbers, text, and what is none as base64.
func appendUnknown(dst, b []byte) []byte {
	dst = append(dst, '[')
	for first := true; len(b) > 0; first = false {
		number, kind, size := protowire.ConsumeTag(b)
		if b = b[max(size, 0):]; size < 0 {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendInt(append(dst, '['), int64(number), 10), ',')
		size = max(protowire.ConsumeFieldValue(number, kind, b), 0)
		dst = append(appendUntyped(dst, number, kind, b[:size]), ']')
		b = b[size:]
	}
	return append(dst, ']')
}

func appendUntyped(dst []byte, number protowire.Number, kind protowire.Type, b []byte) []byte {
	switch kind {
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(b)
		return strconv.AppendUint(dst, v, 10)
	case protowire.Fixed32Type:
		v, _ := protowire.ConsumeFixed32(b)
		return strconv.AppendUint(dst, uint64(v), 10)
	case protowire.Fixed64Type:
		v, _ := protowire.ConsumeFixed64(b)
		return strconv.AppendUint(dst, v, 10)
	case protowire.BytesType:
		b, _ = protowire.ConsumeBytes(b)
	default:
		b, _ = protowire.ConsumeGroup(number, b)
	}
	if utf8.Valid(b) {
		return jsonl.AppendPayload(dst, b)
	}
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"')
}

func (w *protobufWriter) field(dst []byte, f protoreflect.FieldDescriptor, v protoreflect.Value, depth int) []byte {
	switch {
	case f.IsMap():
		return w.entries(dst, f, v.Map(), depth)
	case f.IsList():
		list := v.List()
		dst = append(dst, '[')
		for i := range list.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.value(dst, f, list.Get(i), depth)
		}
		return append(dst, ']')
	}
	return w.value(dst, f, v, depth)
}

// entries writes a map in the order of its keys.
func (w *protobufWriter) entries(dst []byte, f protoreflect.FieldDescriptor, m protoreflect.Map, depth int) []byte {
	dst = append(dst, '{')
	for i, key := range sortedKeys(m) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(w.text(dst, key.String()), ':')
		dst = w.value(dst, f.MapValue(), m.Get(key), depth)
	}
	return append(dst, '}')
}

func (w *protobufWriter) value(dst []byte, f protoreflect.FieldDescriptor, v protoreflect.Value, depth int) []byte {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return w.message(dst, v.Message(), depth+1)
	case protoreflect.BoolKind:
		return strconv.AppendBool(dst, v.Bool())
	case protoreflect.EnumKind:
		if d := f.Enum().Values().ByNumber(v.Enum()); d != nil {
			return jsonl.AppendPayload(dst, []byte(d.Name()))
		}
		return strconv.AppendInt(dst, int64(v.Enum()), 10)
	case protoreflect.StringKind:
		return w.text(dst, v.String())
	case protoreflect.BytesKind:
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, v.Bytes()), '"')
	case protoreflect.FloatKind:
		return appendFloat(dst, v.Float(), 32)
	case protoreflect.DoubleKind:
		return appendFloat(dst, v.Float(), 64)
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(dst, v.Uint(), 10)
	}
	return strconv.AppendInt(dst, v.Int(), 10)
}

// text writes a text, which in proto2 need not be UTF-8.
func (w *protobufWriter) text(dst []byte, s string) []byte {
	dst, err := appendText(dst, []byte(s))
	if err != nil && w.err == nil {
		w.err = err
	}
	return dst
}
