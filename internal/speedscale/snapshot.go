package speedscale

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/lines"
)

// Errors wrapped by a *PairError.
var (
	ErrNotRRPair = errors.New("not an RRPair: a JSON object is expected, one a line or one a file")
	ErrTooLarge  = fmt.Errorf("more than %d MiB in an RRPair", lines.MaxBytes>>20)
)

// PairError is an RRPair that cannot be read. The reader goes on behind it.
type PairError struct {
	Line int64 // where it begins, from 1
	Err  error
}

func (e *PairError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *PairError) Unwrap() error { return e.Err }

// RRPair is one request and its response.
type RRPair struct {
	Line int64  // where it begins in its file, from 1
	JSON []byte // an object
}

// Get finds a gjson path in the RRPair. The result is valid as long as JSON is.
func (p RRPair) Get(path string) gjson.Result { return gjson.Get(asString(p.JSON), path) }

// asString looks at bytes that nobody changes while the string is in use.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// UUID is the RRPair's id in its usual form with hyphens, whether it is recorded so or in base64; else as it is recorded.
func (p RRPair) UUID() string {
	id := p.Get("uuid").String()
	if raw, err := base64.StdEncoding.DecodeString(id); err == nil && len(raw) == 16 {
		return uuid.UUID(raw).String()
	}
	return id
}

// Reader reads the RRPairs of a file.
type Reader struct {
	in      *lines.Reader
	line    []byte // read and not used yet
	number  int64
	waiting bool
	pair    []byte
}

// NewReader returns a reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{in: lines.NewReader(r)} }

// Next returns the next RRPair, whose JSON is the reader's until the call after. The error is io.EOF after the last one, a *PairError, or
// that of the source.
func (r *Reader) Next() (RRPair, error) {
	for {
		line, n, err := r.next()
		switch {
		case err != nil:
			return RRPair{}, err
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case isObject(line):
			return RRPair{n, line}, nil
		}
		return r.long(line, n)
	}
}

// long is an RRPair over several lines, which ends before a line that begins one.
func (r *Reader) long(line []byte, first int64) (RRPair, error) {
	r.pair = append(r.pair[:0], line...)
	for {
		line, _, err := r.next()
		if err != nil && err != io.EOF {
			return RRPair{}, err
		}
		if err == io.EOF || len(line) > 0 && line[0] == '{' {
			r.waiting = err == nil
			break
		}
		if len(r.pair)+len(line) > lines.MaxBytes {
			return RRPair{}, &PairError{first, ErrTooLarge}
		}
		r.pair = append(append(r.pair, '\n'), line...)
	}
	if !isObject(r.pair) {
		return RRPair{}, &PairError{first, ErrNotRRPair}
	}
	return RRPair{first, r.pair}, nil
}

// next is the line that was put back, or the next one.
func (r *Reader) next() ([]byte, int64, error) {
	if r.waiting {
		r.waiting = false
		return r.line, r.number, nil
	}
	var err error
	r.line, r.number, err = r.in.Next()
	if long, ok := errors.AsType[*lines.TooLongError](err); ok {
		err = &PairError{long.Line, ErrTooLarge}
	}
	return r.line, r.number, err
}

func isObject(b []byte) bool {
	text := bytes.TrimLeft(b, " \t\r\n")
	return len(text) > 0 && text[0] == '{' && gjson.Valid(asString(b))
}
