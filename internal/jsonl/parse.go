package jsonl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

// ErrLine is wrapped by the errors of Parse.
var ErrLine = errors.New("not a record as karchive cat prints it")

// parser fills in a record field by field.
type parser struct {
	tp    format.TopicPartition
	r     format.Record
	seen  uint16 // fields, by their place in fieldNames
	extra string // a field that may be there too; empty: none
	raw   []byte // of it
}

var fieldNames = []string{"topic", "partition", "offset", "timestamp_ms", "timestamp_type", "leader_epoch", "key", "value", "headers"}

// Parse reads a line that Append made, with or without its line feed; fields may come in any order and with spaces between, but all of
// them once and no others. The record is what Append was given. It points into line.
func Parse(line []byte) (format.TopicPartition, format.Record, error) {
	var p parser
	err := p.parse(line)
	return p.tp, p.r, err
}

// ParseWith is Parse of a line in which one more field may be there. Its JSON is returned, nil where it is not there.
func ParseWith(line []byte, field string) (format.TopicPartition, format.Record, []byte, error) {
	p := parser{extra: field}
	err := p.parse(line)
	return p.tp, p.r, p.raw, err
}

func (p *parser) parse(line []byte) (err error) {
	text := unsafe.String(unsafe.SliceData(line), len(line))
	object := gjson.Parse(text)
	if !object.IsObject() || !gjson.Valid(text) || !utf8.Valid(line) {
		return fmt.Errorf("%w: no JSON object", ErrLine)
	}
	object.ForEach(func(name, value gjson.Result) bool {
		err = p.field(name.String(), value)
		return err == nil
	})
	if err == nil && p.seen != 1<<len(fieldNames)-1 {
		err = fmt.Errorf("%w: no %s", ErrLine, p.firstMissing())
	}
	return err
}

func (p *parser) firstMissing() string {
	for i, name := range fieldNames {
		if p.seen>>i&1 == 0 {
			return name
		}
	}
	return ""
}

func (p *parser) field(name string, v gjson.Result) (err error) {
	for i, known := range fieldNames {
		if name != known {
			continue
		}
		if p.seen>>i&1 == 1 {
			return fmt.Errorf("%w: %s is there twice", ErrLine, name)
		}
		p.seen |= 1 << i
		if err := p.set(name, v); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrLine, name, err)
		}
		return nil
	}
	if p.extra == "" || name != p.extra || p.raw != nil {
		return fmt.Errorf("%w: it has another field", ErrLine)
	}
	p.raw = unsafe.Slice(unsafe.StringData(v.Raw), len(v.Raw))
	return nil
}

func (p *parser) set(name string, v gjson.Result) (err error) {
	switch name {
	case "topic":
		if v.Type != gjson.String {
			return errors.New("no text")
		}
		p.tp.Topic = v.Str
	case "partition":
		var n int64
		n, err = integer(v, 32)
		p.tp.Partition = int32(n)
	case "offset":
		p.r.Offset, err = integer(v, 64)
	case "timestamp_ms":
		p.r.TimestampMs, err = integer(v, 64)
	case "timestamp_type":
		p.r.TimestampType, err = parseTimestampType(v)
	case "leader_epoch":
		var n int64
		n, err = integer(v, 32)
		p.r.LeaderEpoch = int32(n)
	case "key":
		p.r.Key, err = parsePayload(v)
	case "value":
		p.r.Value, err = parsePayload(v)
	case "headers":
		p.r.Headers, err = parseHeaders(v)
	}
	return err
}

func integer(v gjson.Result, bits int) (int64, error) {
	n, err := strconv.ParseInt(v.Raw, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("not a whole number of %d bits", bits)
	}
	return n, nil
}

func parseTimestampType(v gjson.Result) (format.TimestampType, error) {
	for _, t := range []format.TimestampType{format.TimestampCreate, format.TimestampLogAppend, format.TimestampNone} {
		if v.Type == gjson.String && v.Str == timestampType(t) {
			return t, nil
		}
	}
	return 0, errors.New("neither create, log_append nor none")
}

// parsePayload reads what AppendPayload made.
func parsePayload(v gjson.Result) ([]byte, error) {
	switch {
	case v.Type == gjson.Null:
		return nil, nil
	case v.Type == gjson.String && v.Str == "":
		return []byte{}, nil
	case v.Type == gjson.String:
		return unsafe.Slice(unsafe.StringData(v.Str), len(v.Str)), nil
	case v.IsObject():
		return parseBase64(v)
	}
	return nil, errors.New(`neither text, {"base64":"..."} nor null`)
}

func parseBase64(v gjson.Result) (b []byte, err error) {
	fields := 0
	err = errors.New(`an object without a field base64`)
	v.ForEach(func(name, text gjson.Result) bool {
		fields++
		if name.Str == "base64" && text.Type == gjson.String {
			if b, err = base64.StdEncoding.Strict().DecodeString(text.Str); err != nil {
				err = errors.New("not base64")
			}
		}
		return true
	})
	if err == nil && fields > 1 {
		return nil, errors.New("an object with more than its base64")
	}
	return b, err
}

func parseHeaders(v gjson.Result) (out []format.Header, err error) {
	if !v.IsArray() {
		return nil, errors.New("no array")
	}
	v.ForEach(func(_, h gjson.Result) bool {
		var header format.Header
		header, err = parseHeader(h)
		out = append(out, header)
		return err == nil
	})
	return out, err
}

func parseHeader(h gjson.Result) (out format.Header, err error) {
	var key []byte
	fields := 0
	h.ForEach(func(name, v gjson.Result) bool {
		switch fields++; {
		case name.Str == "key" && key == nil:
			key, err = parsePayload(v)
		case name.Str == "value" && fields <= 2:
			out.Value, err = parsePayload(v)
		default:
			err = errors.New("a header with another field")
		}
		return err == nil
	})
	if err == nil && (!h.IsObject() || fields != 2 || key == nil) {
		err = errors.New("a header without key and value")
	}
	out.Key = string(key)
	return out, err
}
