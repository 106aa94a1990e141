package schema

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/avro"

	"github.com/karchive/karchive/internal/jsonl"
)

// avroKind is a kind of Avro's types. Decimals and UUIDs are kinds of their own where JSON has something better for them than their bytes.
type avroKind uint8

const (
	avroNull avroKind = iota
	avroBoolean
	avroInt
	avroLong
	avroFloat
	avroDouble
	avroString
	avroBytes
	avroFixed
	avroDecimal // bytes, or fixed where size is not 0
	avroUUID    // fixed of 16 bytes
	avroEnum
	avroRecord
	avroArray
	avroMap
	avroUnion
)

var avroPrimitives = map[string]avroKind{
	"null": avroNull, "boolean": avroBoolean, "int": avroInt, "long": avroLong, "float": avroFloat, "double": avroDouble,
	"string": avroString, "bytes": avroBytes,
}

// avroType is a type of an Avro schema. A named one may lead back to itself. It is immutable once its schema is compiled.
type avroType struct {
	kind      avroKind
	name      string // as errors and the branches of unions have it: the full name of a named type
	fields    []avroField
	of        *avroType   // elements of an array, values of a map
	branches  []*avroType // of a union
	symbols   []string
	spelled   []string // symbols as JSON
	size      int      // of a fixed
	precision int      // of a decimal
	scale     int
	tick      time.Duration // of an int or a long: see Place.Ticks
}

// avroField is a field of a record.
type avroField struct {
	name    string
	spelled string // as JSON, with the colon
	typ     *avroType
	missing []byte // its default, encoded; nil: it has none
}

// avroCompiler makes types of schemas of which later ones may name the types of earlier ones.
type avroCompiler struct {
	cache avro.SchemaCache
	named map[string]*avroType
	types int
}

// maxAvroTypes bounds what one schema and those that it refers to may become.
const maxAvroTypes = 100_000

var errTooManyTypes = errors.New("too many types")

func (c *avroCompiler) compile(text string) (*avroType, error) {
	parsed, err := c.cache.Parse(text)
	if err != nil {
		return nil, err
	}
	if c.named == nil {
		c.named = map[string]*avroType{}
	}
	return c.of(parsed.Root(), "")
}

// of makes the type of a node within a namespace.
func (c *avroCompiler) of(n *avro.SchemaNode, space string) (*avroType, error) {
	if c.types++; c.types > maxAvroTypes {
		return nil, errTooManyTypes
	}
	if kind, ok := avroPrimitives[n.Type]; ok {
		return primitive(kind, n), nil
	}
	switch n.Type {
	case "union":
		return c.union(n, space)
	case "array":
		return c.container(avroArray, n.Items, space)
	case "map":
		return c.container(avroMap, n.Values, space)
	case "record", "error", "enum", "fixed":
		return c.define(n, space)
	}
	return c.reference(n.Type, space)
}

func primitive(kind avroKind, n *avro.SchemaNode) *avroType {
	t := &avroType{kind: kind, name: n.Type}
	if kind == avroInt || kind == avroLong {
		t.tick = avroTicks[n.LogicalType]
	}
	t.decimal(n)
	return t
}

// avroTicks are what whole numbers count by, by their logical type.
var avroTicks = map[string]time.Duration{
	"date":             24 * time.Hour,
	"timestamp-millis": time.Millisecond, "local-timestamp-millis": time.Millisecond,
	"timestamp-micros": time.Microsecond, "local-timestamp-micros": time.Microsecond,
	"timestamp-nanos": time.Nanosecond, "local-timestamp-nanos": time.Nanosecond,
	"time-millis": NoMoment, "time-micros": NoMoment,
}

// decimal makes a decimal of bytes.
func (t *avroType) decimal(n *avro.SchemaNode) {
	if n.LogicalType == "decimal" && (t.kind == avroBytes || t.kind == avroFixed) {
		t.kind, t.precision, t.scale = avroDecimal, n.Precision, n.Scale
	}
}

func (c *avroCompiler) union(n *avro.SchemaNode, space string) (*avroType, error) {
	t := &avroType{kind: avroUnion, name: "union"}
	for i := range n.Branches {
		b, err := c.of(&n.Branches[i], space)
		if err != nil {
			return nil, err
		}
		t.branches = append(t.branches, b)
	}
	return t, nil
}

func (c *avroCompiler) container(kind avroKind, of *avro.SchemaNode, space string) (*avroType, error) {
	inner, err := c.of(of, space)
	if err != nil {
		return nil, err
	}
	name := "array"
	if kind == avroMap {
		name = "map"
	}
	return &avroType{kind: kind, name: name, of: inner}, nil
}

// define makes a named type. It is known by its name before its parts are made, for they may name it.
func (c *avroCompiler) define(n *avro.SchemaNode, space string) (*avroType, error) {
	name := fullName(n.Name, n.Namespace)
	if known := c.named[name]; known != nil {
		return known, nil
	}
	t := &avroType{name: name, size: n.Size}
	c.named[name] = t
	switch n.Type {
	case "enum":
		t.kind, t.symbols = avroEnum, n.Symbols
		for _, s := range n.Symbols {
			t.spelled = append(t.spelled, spell(s))
		}
	case "fixed":
		t.kind = avroFixed
		if t.decimal(n); n.LogicalType == "uuid" && n.Size == 16 {
			t.kind = avroUUID
		}
	default:
		t.kind = avroRecord
		return t, c.fields(t, n, spaceOf(name))
	}
	return t, nil
}

func (c *avroCompiler) fields(t *avroType, n *avro.SchemaNode, space string) error {
	t.fields = make([]avroField, len(n.Fields))
	for i := range n.Fields {
		from, to := &n.Fields[i], &t.fields[i]
		of, err := c.of(&from.Type, space)
		if err != nil {
			return err
		}
		*to = avroField{name: from.Name, spelled: spell(from.Name) + ":", typ: of}
		if !from.HasDefault {
			continue
		}
		if to.missing, err = encodedDefault(from); err != nil {
			return fmt.Errorf("the default of field %s: %w", from.Name, err)
		}
	}
	return nil
}

// encodedDefault is a field's default, which may be of no bytes but is never nil.
func encodedDefault(f *avro.SchemaField) ([]byte, error) {
	s, err := f.Type.Schema()
	if err != nil {
		return nil, err
	}
	return s.AppendEncode([]byte{}, f.Default)
}

// reference finds a type by a name within a namespace.
func (c *avroCompiler) reference(name, space string) (*avroType, error) {
	for _, full := range []string{fullName(name, space), name} {
		if t := c.named[full]; t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the type %s is not there", name)
}

func fullName(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

func spaceOf(full string) string {
	if i := strings.LastIndexByte(full, '.'); i >= 0 {
		return full[:i]
	}
	return ""
}

// spell is a text as JSON.
func spell(s string) string { return string(jsonl.AppendPayload(nil, []byte(s))) }
