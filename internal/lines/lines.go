// Package lines reads text line by line, with their numbers and with a bound on their length.
package lines

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// MaxBytes is the most that a line may have: text without line breaks must not take all memory.
const MaxBytes = 256 << 20

// TooLongError is a line of more than MaxBytes. The reader goes on behind it.
type TooLongError struct{ Line int64 }

func (e *TooLongError) Error() string {
	return fmt.Sprintf("line %d: more than %d MiB in a line", e.Line, MaxBytes>>20)
}

// Reader reads lines. It is for one goroutine.
type Reader struct {
	in   *bufio.Reader
	line []byte
	n    int64
}

// NewReader returns a reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, 1<<18)} }

// Next returns a line without what ends it, which is the reader's until the next call, and its number from 1. The error is io.EOF after
// the last line, a *TooLongError, or that of the source.
func (r *Reader) Next() ([]byte, int64, error) {
	r.line = r.line[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		switch {
		case err == nil || err == io.EOF && len(r.line)+len(part) > 0:
			r.n++
			return r.whole(part), r.n, nil
		case err != bufio.ErrBufferFull:
			return nil, r.n, err
		case len(r.line)+len(part) > MaxBytes:
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
		if _, err := r.in.ReadSlice('\n'); err != bufio.ErrBufferFull {
			return &TooLongError{r.n}
		}
	}
}
