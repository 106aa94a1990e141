package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/foreign"
)

// ErrNotJSON is wrapped by an *Error for text that is no JSON value.
var ErrNotJSON = errors.New("not JSON")

// Values reads JSON values: one a line, over several lines, one behind the other in a line, or the elements of arrays. It is for one
// goroutine.
//
// A text that is one array is its elements, and so is one whose first array goes over several lines. Arrays that have a line each, in a
// text of several lines, are values themselves, unless OnlyElements is set.
type Values struct {
	// OnlyElements takes every array at the top for its elements.
	OnlyElements bool

	in    *Reader
	back  []byte // lines to be given before those of in
	at    int64  // the number of the line that was given last
	begun bool   // a value or an array was there
	array bool   // inside an array at the top, whose elements are the values
	comma bool   // one must come before the next element
	rest  []byte // of the line
	value []byte // over several lines
}

// NewValues returns a reader of r whose values have at most max bytes; 0: DefaultMaxBytes.
func NewValues(r io.Reader, max int64) *Values { return &Values{in: NewReader(r, max)} }

// Next returns the next value, which is the reader's until the call after, and the line in which it begins, from 1. The error is io.EOF
// after the last value, an *Error, or that of the source. Behind text that is no value the reader goes on with the next line, or, when that
// was found out in a later line, with the next one that begins with a bracket.
func (v *Values) Next() (value []byte, line int64, err error) {
	for {
		if err := v.toText(); err != nil {
			return nil, v.at, err
		}
		switch c := v.rest[0]; {
		case v.array && c == ']':
			v.array, v.rest = false, v.rest[1:]
		case v.array && v.comma && c == ',':
			v.comma, v.rest = false, v.rest[1:]
		case v.array && v.comma:
			return v.bad(v.at)
		case !v.array && c == '[' && v.isElements():
			v.array, v.comma, v.rest = true, false, v.rest[1:]
		default:
			v.begun, v.comma = true, true
			return v.one()
		}
	}
}

// nextLine is the next line, and its number.
func (v *Values) nextLine() (line []byte, err error) {
	if v.back == nil {
		line, v.at, err = v.in.Next()
		return line, err
	}
	line, v.back, _ = bytes.Cut(v.back, []byte("\n"))
	v.at++
	return line, nil
}

// putBack gives lines once more, of which the first has the number at.
func (v *Values) putBack(text []byte, at int64) {
	text = append([]byte{}, text...)
	if v.back != nil {
		text = append(append(text, '\n'), v.back...)
	}
	v.back, v.at, v.rest = text, at-1, nil
}

// toText goes to the next byte that is no space.
func (v *Values) toText() error {
	for {
		if v.rest = bytes.TrimLeft(v.rest, " \t\r\n"); len(v.rest) > 0 {
			return nil
		}
		line, err := v.nextLine()
		if err == io.EOF && v.array {
			v.array = false
			return &Error{v.at, fmt.Errorf("%w: an array is not closed", ErrNotJSON)}
		}
		if err != nil {
			return err
		}
		v.rest = line
	}
}

// isElements says whether the array that begins here is to be its elements.
func (v *Values) isElements() bool {
	if v.OnlyElements || v.begun {
		return v.OnlyElements
	}
	v.begun = true
	if !isValue(v.rest) {
		v.OnlyElements = true
		return true
	}
	first := append([]byte{}, v.rest...) // the line is the reader's
	number := v.at
	for {
		line, err := v.nextLine()
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err == nil {
			v.putBack(line, v.at)
		}
		v.rest, v.at = first, number
		return err == io.EOF
	}
}

// one is the value that begins here.
func (v *Values) one() ([]byte, int64, error) {
	if !v.array && isValue(v.rest) { // by far the most of them
		value := bytes.TrimRight(v.rest, " \t\r\n")
		v.rest = nil
		return value, v.at, nil
	}
	var s scanner
	n, verdict := s.scan(v.rest)
	if verdict == more && !s.end() {
		return v.long(&s)
	}
	value := v.rest[:n]
	if verdict == wrong || !isValue(value) {
		return v.bad(v.at)
	}
	v.rest = v.rest[n:]
	return value, v.at, nil
}

// long is a value over several lines.
func (v *Values) long(s *scanner) ([]byte, int64, error) {
	first := v.at
	v.value = append(v.value[:0], v.rest...)
	for {
		line, err := v.nextLine()
		if err == io.EOF {
			return v.goBack(first, nil)
		}
		if err != nil {
			v.rest = nil
			return nil, first, err
		}
		if int64(len(v.value)+len(line)) > v.in.max {
			v.rest = nil
			return nil, first, &Error{first, foreign.RowTooLarge("a JSON value", v.in.max)}
		}
		n, verdict := s.line(line)
		if verdict == wrong {
			return v.goBack(first, line)
		}
		v.value = append(append(v.value, '\n'), line[:n]...)
		if v.rest = line[n:]; verdict == whole {
			if !isValue(v.value) {
				return v.bad(first)
			}
			return v.value, first, nil
		}
	}
}

// bad is text that is no value, in the line that was read last.
func (v *Values) bad(first int64) ([]byte, int64, error) {
	v.rest = nil
	return nil, first, &Error{first, ErrNotJSON}
}

// backLines is how many lines are looked at once more at most: what is hostile must not be looked at again and again.
const backLines = 64

// goBack is text that begins in line first and was found to be no value in a later line. Where a line between them begins a value, the
// first one was cut.
func (v *Values) goBack(first int64, last []byte) ([]byte, int64, error) {
	if v.at-first <= backLines {
		text := append(v.value, '\n')
		if last != nil {
			text = append(append(text, last...), '\n')
		}
		if i := nextBracket(text); i >= 0 {
			v.putBack(text[i+1:len(text)-1], first+int64(bytes.Count(text[:i+1], []byte("\n"))))
		}
	}
	return v.bad(first)
}

// nextBracket is the line break before the first line but one that begins with a bracket; -1: there is none.
func nextBracket(text []byte) int {
	for i, c := range text[:len(text)-1] {
		if c == '\n' && (text[i+1] == '{' || text[i+1] == '[') {
			return i
		}
	}
	return -1
}

// maxDepth bounds the nesting of a value.
const maxDepth = 1000

// isValue says whether b is one JSON value. What might be nested deeply enough to take all of the stack is not given to the parser.
func isValue(b []byte) bool {
	if bytes.Count(b, []byte("{"))+bytes.Count(b, []byte("[")) > maxDepth {
		var s scanner
		if _, verdict := s.scan(bytes.TrimLeft(b, " \t\r\n")); verdict != whole {
			return false
		}
	}
	return gjson.Valid(unsafe.String(unsafe.SliceData(b), len(b)))
}
