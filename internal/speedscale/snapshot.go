package speedscale

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/lines"
)

// ErrNotRRPair is wrapped by a *PairError.
var ErrNotRRPair = errors.New("not an RRPair, which is a JSON object")

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

// Reader reads the RRPairs of a file: one a line, over several lines, or in an array.
type Reader struct{ in *lines.Values }

// NewReader returns a reader of r whose RRPairs have at most max bytes; 0: lines.DefaultMaxBytes.
func NewReader(r io.Reader, max int64) *Reader {
	in := lines.NewValues(r, max)
	in.OnlyElements = true
	return &Reader{in}
}

// Next returns the next RRPair, whose JSON is the reader's until the call after. The error is io.EOF after the last one, a *PairError, or
// that of the source.
func (r *Reader) Next() (RRPair, error) {
	value, line, err := r.in.Next()
	bad, isBad := errors.AsType[*lines.Error](err)
	switch {
	case isBad && errors.Is(bad, lines.ErrNotJSON), err == nil && value[0] != '{':
		return RRPair{}, &PairError{line, ErrNotRRPair}
	case isBad:
		return RRPair{}, &PairError{bad.Line, bad.Err}
	}
	return RRPair{line, value}, err
}
