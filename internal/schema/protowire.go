package schema

import (
	"errors"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Reasons why a message has more in its bytes than a document of it could show. A mask that finds nothing to change in the document leaves the
// bytes as they are, so nothing may be hidden in them.
var (
	errTwice    = errors.New("a field that has one value is there twice")
	errWireType = errors.New("a field is encoded as another type than its own")
)

// wireChecker looks for what a reader of one message passes over: a value before the last one of a field, of a oneof or of a key, a field that is
// encoded as another type, bits above those of a number, and what is in a map's entry beside key and value.
type wireChecker struct {
	seen  []bool // fields and behind them oneofs, by index; nil until one of one value is there
	keys  map[wireKey]struct{}
	depth int
}

// wireKey is a key of a map.
type wireKey struct {
	field protowire.Number
	text  string
}

// checkWire checks a message and all in it.
func checkWire(d protoreflect.MessageDescriptor, b []byte, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	c := wireChecker{depth: depth}
	for len(b) > 0 {
		number, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errNoProtobuf
		}
		b = b[size:]
		if size = protowire.ConsumeFieldValue(number, kind, b); size < 0 {
			return errNoProtobuf
		}
		f := d.Fields().ByNumber(number)
		if f == nil && d.IsMapEntry() {
			return errWireType
		}
		if f != nil {
			if err := c.field(f, kind, b[:size]); err != nil {
				return err
			}
		}
		b = b[size:]
	}
	return nil
}

func (c *wireChecker) field(f protoreflect.FieldDescriptor, kind protowire.Type, b []byte) error {
	own := wireType(f.Kind())
	if !f.IsList() && !f.IsMap() && c.again(f) {
		return errTwice
	}
	switch {
	case f.IsList() && kind == protowire.BytesType && own != protowire.BytesType && own != protowire.StartGroupType:
		return checkPacked(f, b)
	case kind != own:
		return errWireType
	case own == protowire.VarintType:
		_, err := checkVarint(f, b)
		return err
	case f.Message() == nil:
		return nil
	}
	inner, _ := protowire.ConsumeBytes(b)
	if own == protowire.StartGroupType {
		inner, _ = protowire.ConsumeGroup(f.Number(), b)
	}
	if err := checkWire(f.Message(), inner, c.depth+1); err != nil || !f.IsMap() {
		return err
	}
	return c.key(f, inner)
}

// again notes a field of one value, or its oneof, and says whether it was there before.
func (c *wireChecker) again(f protoreflect.FieldDescriptor) bool {
	of := f.ContainingMessage()
	if c.seen == nil {
		c.seen = make([]bool, of.Fields().Len()+of.Oneofs().Len())
	}
	at := f.Index()
	if o := f.ContainingOneof(); o != nil {
		at = of.Fields().Len() + o.Index()
	}
	was := c.seen[at]
	c.seen[at] = true
	return was
}

// key notes the key of a map's entry.
func (c *wireChecker) key(f protoreflect.FieldDescriptor, entry []byte) error {
	k := wireKey{field: f.Number(), text: keyText(f.MapKey(), entry)}
	if _, twice := c.keys[k]; twice {
		return errKeyTwice
	}
	if c.keys == nil {
		c.keys = map[wireKey]struct{}{}
	}
	c.keys[k] = struct{}{}
	return nil
}

// keyText is what tells the key of a checked entry from all others.
func keyText(f protoreflect.FieldDescriptor, entry []byte) string {
	for len(entry) > 0 {
		number, kind, size := protowire.ConsumeTag(entry)
		entry = entry[size:]
		size = protowire.ConsumeFieldValue(number, kind, entry)
		if number != f.Number() {
			entry = entry[size:]
			continue
		}
		switch kind {
		case protowire.VarintType:
			v, _ := checkVarint(f, entry)
			return strconv.FormatUint(v, 10)
		case protowire.BytesType:
			b, _ := protowire.ConsumeBytes(entry)
			return string(b)
		}
		return string(entry[:size])
	}
	switch wireType(f.Kind()) { // it is not there, which means that it is nothing
	case protowire.BytesType:
		return ""
	case protowire.Fixed32Type:
		return string(make([]byte, 4))
	case protowire.Fixed64Type:
		return string(make([]byte, 8))
	}
	return "0"
}

// checkPacked checks the numbers of a list that are in one field.
func checkPacked(f protoreflect.FieldDescriptor, b []byte) error {
	if wireType(f.Kind()) != protowire.VarintType {
		return nil
	}
	b, _ = protowire.ConsumeBytes(b)
	for len(b) > 0 {
		if _, err := checkVarint(f, b); err != nil {
			return err
		}
		_, size := protowire.ConsumeVarint(b)
		b = b[max(size, 1):]
	}
	return nil
}

// checkVarint reads a whole number, which has to be one of its type. Negative ones of 32 bits may have 32 or 64.
func checkVarint(f protoreflect.FieldDescriptor, b []byte) (uint64, error) {
	v, size := protowire.ConsumeVarint(b)
	most := uint64(math.MaxUint64)
	switch f.Kind() {
	case protoreflect.BoolKind:
		most = 1
	case protoreflect.Int32Kind, protoreflect.EnumKind:
		if int64(v) == int64(int32(v)) {
			v = uint64(uint32(v))
		}
		most = math.MaxUint32
	case protoreflect.Sint32Kind, protoreflect.Uint32Kind:
		most = math.MaxUint32
	}
	if size < 0 || v > most {
		return 0, errRange
	}
	return v, nil
}

// wireType is how the values of a kind are encoded, one at a time.
func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	}
	return protowire.VarintType
}
