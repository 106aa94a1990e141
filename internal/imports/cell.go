package imports

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/jsonl"
)

// cell is one field of a table. Its text is the table's until the next row.
type cell struct {
	kind cellKind
	text []byte
}

type cellKind uint8

const (
	missingCell cellKind = iota // the row does not have it
	nullCell
	textCell
	numberCell // as JSON spells numbers
	boolCell   // true or false
	jsonCell   // an object or array
)

// Type says how a column becomes bytes.
type Type string

// The types of columns. As part of a JSON object, text is a string and what is already JSON stays so.
const (
	Text   Type = "text"   // as it is
	Base64 Type = "base64" // the bytes that it stands for
	Hex    Type = "hex"    // likewise
	JSON   Type = "json"   // as JSON: text in quotes, what is JSON already as it is
	Number Type = "number" // a JSON number, or the row is bad
	Bool   Type = "bool"   // true or false, or the row is bad
)

// Types lists the types, the default first.
func Types() []Type { return []Type{Text, Base64, Hex, JSON, Number, Bool} }

// Column is a column of a table and what to make of it.
type Column struct {
	Name string
	Type Type // empty: Text
}

// ParseColumn reads NAME or NAME:TYPE. Text behind a colon that is no type is part of the name.
func ParseColumn(s string) (Column, error) {
	if s == "" {
		return Column{}, errors.New("a column without a name")
	}
	if i := strings.LastIndexByte(s, ':'); i > 0 && slices.Contains(Types(), Type(s[i+1:])) {
		return Column{s[:i], Type(s[i+1:])}, nil
	}
	return Column{Name: s}, nil
}

// payload is the bytes of a key, value or header; nil for null.
func (c Column) payload(f cell) ([]byte, error) {
	if f.kind == nullCell {
		return nil, nil
	}
	switch c.Type {
	case Base64:
		b, err := base64.StdEncoding.AppendDecode([]byte{}, f.text)
		return decoded(b, err, errBase64)
	case Hex:
		b, err := hex.AppendDecode([]byte{}, f.text)
		return decoded(b, err, errHex)
	case JSON, Number, Bool:
		return c.appendJSON(nil, f)
	}
	return append([]byte{}, f.text...), nil
}

// The classes of cells that are not of the type of their column.
var (
	errBase64 = errors.New("not base64")
	errHex    = errors.New("not hexadecimal")
	errNumber = errors.New("not a number")
	errBool   = errors.New("neither true nor false")
)

func decoded(b []byte, err, class error) ([]byte, error) {
	if err != nil {
		return nil, class
	}
	return append([]byte{}, b...), nil
}

// appendJSON appends the cell as JSON.
func (c Column) appendJSON(dst []byte, f cell) ([]byte, error) {
	switch {
	case f.kind == nullCell:
		return append(dst, "null"...), nil
	case c.Type == Number:
		if text := bytes.TrimSpace(f.text); isNumber(text) {
			return append(dst, text...), nil
		}
		return dst, errNumber
	case c.Type == Bool:
		b, err := strconv.ParseBool(strings.ToLower(string(f.text)))
		if err != nil {
			return dst, errBool
		}
		return strconv.AppendBool(dst, b), nil
	case c.Type == JSON && f.kind == textCell && gjson.ValidBytes(f.text), f.kind == numberCell, f.kind == boolCell, f.kind == jsonCell:
		return append(dst, f.text...), nil
	}
	b, err := Column{Type: c.Type}.bytesOf(f)
	return jsonl.AppendPayload(dst, b), err
}

// bytesOf is the bytes of a column that is to be a JSON string.
func (c Column) bytesOf(f cell) ([]byte, error) {
	if c.Type == JSON {
		c.Type = Text
	}
	return c.payload(f)
}

func isNumber(b []byte) bool {
	return len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9') && gjson.ValidBytes(b)
}
