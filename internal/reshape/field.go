package reshape

import (
	"strconv"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

// Kind is what a path found.
type Kind uint8

// The kinds. Missing is not Null, and neither is an empty String or Bytes.
const (
	Missing Kind = iota // the path leads nowhere: no such field or header, or a payload that is not JSON
	Null                // JSON's null, a null key, value or header value, or no timestamp
	Bool
	Number
	String // a JSON string
	JSON   // a JSON object or array
	Bytes  // a whole key, value or header value, or a topic's name
)

// Field is what a path found in a record. It points into the record.
type Field struct {
	Kind Kind
	// Raw is how the record has it: the JSON text of a Bool, Number, String (with its quotes) or JSON, the bytes of Bytes. Empty for
	// partition, offset and timestamp.
	Raw []byte

	integer int64 // of a Number without Raw
}

// Get finds the path in r. Behind key and value it is gjson's reading of the payload, which takes the first of equal names and does
// not ask whether the rest is JSON: CheckJSON does.
func (p Path) Get(r *Record) Field {
	switch p.root {
	case ValueRoot:
		return p.getIn(r.Value)
	case KeyRoot:
		return p.getIn(r.Key)
	case HeadersRoot:
		return lastHeader(r.Headers, p.name)
	case TimestampRoot:
		if r.TimestampMs == format.NoTimestamp {
			return Field{Kind: Null}
		}
		return Field{Kind: Number, integer: r.TimestampMs}
	case PartitionRoot:
		return Field{Kind: Number, integer: int64(r.Partition)}
	case OffsetRoot:
		return Field{Kind: Number, integer: r.Offset}
	}
	return payload(asBytes(r.Topic))
}

func lastHeader(headers []format.Header, name string) Field {
	for i := len(headers) - 1; i >= 0; i-- {
		if headers[i].Key == name {
			return payload(headers[i].Value)
		}
	}
	return Field{}
}

// payload is a whole key, value or header value.
func payload(b []byte) Field {
	if b == nil {
		return Field{Kind: Null}
	}
	return Field{Kind: Bytes, Raw: b}
}

func (p Path) getIn(b []byte) Field {
	if p.rest == "" {
		return payload(b)
	}
	return jsonField(gjson.Get(asString(b), p.gjson()))
}

// JSONField is a JSON value as a field, which points into it.
func JSONField(raw []byte) Field { return jsonField(gjson.Parse(asString(raw))) }

func jsonField(found gjson.Result) Field {
	if !found.Exists() {
		return Field{}
	}
	f := Field{Kind: JSON, Raw: asBytes(found.Raw)}
	switch found.Type {
	case gjson.Null:
		f = Field{Kind: Null}
	case gjson.True, gjson.False:
		f.Kind = Bool
	case gjson.Number:
		f.Kind = Number
		if f.Raw == nil { // a count, of a path that ends in #
			f.integer = int64(found.Num)
		}
	case gjson.String:
		f.Kind = String
	}
	return f
}

// AppendText appends the field as plain text: strings without quotes and escapes, numbers as they are spelled, objects and arrays as
// their JSON. Of Missing and Null it appends nothing.
func (f Field) AppendText(dst []byte) []byte {
	switch {
	case f.Kind == String:
		return appendUnescaped(dst, f.Raw)
	case f.Kind == Number && f.Raw == nil:
		return strconv.AppendInt(dst, f.integer, 10)
	}
	return append(dst, f.Raw...)
}

// AppendIdentity is AppendText, but appends the same of all JSON that means the same: members in order, numbers without needless zeros. The
// field must be of strict JSON.
func (f Field) AppendIdentity(dst []byte) []byte {
	if f.Kind == Bytes || len(f.Raw) == 0 {
		return f.AppendText(dst)
	}
	return appendIdentity(dst, f.Raw)
}

// asString and asBytes look at the same memory in two ways. Nobody writes to it while the result is in use.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func asBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
