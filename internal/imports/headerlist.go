package imports

import (
	"bytes"
	"errors"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

var errHeaders = errors.New(`not headers: use [{"key":"a","value":"b"}], [["a","b"]], ["a","b"], {"a":"b"} or a:b,c:d`)

// headerList reads all headers of a record from one cell: JSON in one of several shapes, or as Kafka's console consumer prints them. The
// column's type is that of the values.
func (c Column) headerList(f cell) ([]format.Header, error) {
	switch {
	case f.kind <= nullCell || len(f.text) == 0:
		return nil, nil
	case f.kind != jsonCell && (f.text[0] != '[' && f.text[0] != '{' || !gjson.ValidBytes(f.text)):
		return c.consoleHeaders(f.text)
	}
	list := gjson.ParseBytes(f.text)
	if list.IsObject() {
		return c.headerObject(list)
	}
	elements := list.Array()
	if len(elements) > 0 && elements[0].Type == gjson.String {
		return c.headerPairs(elements)
	}
	var out []format.Header
	for _, e := range elements {
		h, err := c.header(e)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// headerObject is headers by their names; an array is several of one name.
func (c Column) headerObject(list gjson.Result) (out []format.Header, err error) {
	list.ForEach(func(name, value gjson.Result) bool {
		values := []gjson.Result{value}
		if value.IsArray() {
			values = value.Array()
		}
		for _, v := range values {
			var b []byte
			if b, err = c.headerValue(v); err != nil {
				return false
			}
			out = append(out, format.Header{Key: name.String(), Value: b})
		}
		return true
	})
	return out, err
}

// headerPairs is a list in which names and values take turns.
func (c Column) headerPairs(list []gjson.Result) (out []format.Header, err error) {
	if len(list)%2 != 0 {
		return nil, errHeaders
	}
	for i := 0; i < len(list); i += 2 {
		h := format.Header{Key: list[i].String()}
		if h.Value, err = c.headerValue(list[i+1]); err != nil || list[i].Type != gjson.String {
			return nil, errors.Join(errHeaders, err)
		}
		out = append(out, h)
	}
	return out, nil
}

// header is an element with its name and its value. Go programs write both in base64, under names with capitals.
func (c Column) header(e gjson.Result) (h format.Header, err error) {
	var name, value gjson.Result
	switch {
	case e.IsArray():
		pair := e.Array()
		if len(pair) != 2 {
			return h, errHeaders
		}
		name, value = pair[0], pair[1]
	case e.Get("Key").Exists():
		name, value = e.Get("Key"), e.Get("Value")
		if c.Type == Base64 && name.Type == gjson.String {
			b, err := c.headerValue(name)
			if err != nil {
				return h, err
			}
			h.Key, h.Value = string(b), nil
			h.Value, err = c.headerValue(value)
			return h, err
		}
	default:
		name, value = firstOf(e, "key", "name"), e.Get("value")
	}
	if name.Type != gjson.String {
		return h, errHeaders
	}
	h.Key = name.String()
	h.Value, err = c.headerValue(value)
	return h, err
}

func firstOf(e gjson.Result, names ...string) gjson.Result {
	for _, name := range names {
		if v := e.Get(name); v.Exists() {
			return v
		}
	}
	return gjson.Result{}
}

// headerValue is the bytes of a value: text by the column's type, {"base64":"..."} whatever it is, other JSON as it stands.
func (c Column) headerValue(v gjson.Result) ([]byte, error) {
	if !v.Exists() || v.Type == gjson.Null {
		return nil, nil
	}
	if marked := v.Get("base64"); v.IsObject() && marked.Type == gjson.String && len(v.Map()) == 1 {
		return Column{Type: Base64}.payload(jsonValueCell(marked))
	}
	return c.payload(jsonValueCell(v))
}

// noHeaders is what the console consumer prints for none.
const noHeaders = "NO_HEADERS"

// consoleHeaders reads name:value pairs with commas between. The text does not tell a comma in a value from the next header: a piece
// without a colon is refused.
func (c Column) consoleHeaders(text []byte) (out []format.Header, err error) {
	if string(text) == noHeaders {
		return nil, nil
	}
	for piece := range bytes.SplitSeq(text, []byte(",")) {
		name, value, ok := bytes.Cut(piece, []byte(":"))
		if !ok {
			return nil, errHeaders
		}
		h := format.Header{Key: string(name)}
		if string(value) != "null" { // which is how null is printed
			if h.Value, err = c.payload(cell{textCell, value}); err != nil {
				return nil, err
			}
		}
		out = append(out, h)
	}
	return out, nil
}
