// Package lines reads text line by line, and JSON value by value, with their lines and with a bound on their length.
package lines

import (
	"bufio"
	"bytes"
	"io"

	"github.com/karchive/karchive/internal/foreign"
)

// DefaultMaxBytes is the most that a line may have when nothing else is said: text without line breaks must not take all memory.
const DefaultMaxBytes = 256 << 20

// Error is a line, or a JSON value, that cannot be given. The reader goes on behind it.
type Error struct {
	Line int64 // where it begins, from 1
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// bufferBytes is how much is read at once, and looked at to tell what ends a line.
const bufferBytes = 1 << 18

// Reader reads lines. It is for one goroutine.
type Reader struct {
	in   *bufio.Reader
	max  int64
	end  byte // of a line; 0: not known yet
	line []byte
	n    int64
}

// NewReader returns a reader of r whose lines have at most max bytes; 0: DefaultMaxBytes. Lines end with a line feed, with or without a
// carriage return before it, or, where the text has carriage returns alone, with one.
func NewReader(r io.Reader, max int64) *Reader {
	if max <= 0 {
		max = DefaultMaxBytes
	}
	return &Reader{in: bufio.NewReaderSize(r, bufferBytes), max: max}
}

// findEnd looks what ends the lines.
func (r *Reader) findEnd() {
	begin := foreign.Begin(r.in, bufferBytes, func(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 })
	r.end = '\n'
	if bytes.IndexByte(begin, '\n') < 0 && bytes.IndexByte(bytes.TrimSuffix(begin, []byte("\r")), '\r') >= 0 {
		r.end = '\r'
	}
}

// Next returns a line without what ends it, which is the reader's until the next call, and its number from 1. The error is io.EOF after
// the last line, an *Error, or that of the source.
func (r *Reader) Next() ([]byte, int64, error) {
	if r.end == 0 {
		r.findEnd()
	}
	r.line = r.line[:0]
	for {
		part, err := r.in.ReadSlice(r.end)
		switch {
		case err == nil || err == io.EOF && len(r.line)+len(part) > 0:
			if r.n++; int64(len(r.line)+len(part)) > r.max+2 { // with what ends it
				return nil, r.n, &Error{r.n, foreign.RowTooLarge("a line", r.max)}
			}
			return r.whole(part), r.n, nil
		case err != bufio.ErrBufferFull:
			return nil, r.n, err
		case int64(len(r.line)+len(part)) > r.max:
			return nil, r.n, r.skip()
		}
		r.line = append(r.line, part...)
	}
}

// whole is the line that ends with part, which is not copied when it is all of it.
func (r *Reader) whole(part []byte) []byte {
	if len(r.line) > 0 {
		r.line = append(r.line, part...)
		part = r.line
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(part, []byte("\n")), []byte("\r"))
}

func (r *Reader) skip() error {
	r.n++
	for {
		if _, err := r.in.ReadSlice(r.end); err != bufio.ErrBufferFull {
			return &Error{r.n, foreign.RowTooLarge("a line", r.max)}
		}
	}
}
