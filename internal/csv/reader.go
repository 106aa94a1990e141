package csv

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/karchive/karchive/internal/foreign"
)

// DefaultMaxBytes is the most that a row may have when nothing else is said: a quote that nothing closes must not take all memory.
const DefaultMaxBytes = 256 << 20

// Errors wrapped by a *RowError, but ErrNotClosed.
var (
	ErrBareQuote  = errors.New(`a quote in a field that does not begin with one: write the field in quotes, and "" for a quote in it`)
	ErrAfterQuote = errors.New(`something follows the quote that ends a field: write "" for a quote in it`)
	ErrLineFeed   = errors.New("a line feed without quotes, in a file whose rows end with carriage returns")
	// ErrNotClosed ends the file: whatever follows the quote would be lost with it.
	ErrNotClosed = errors.New("a quote that nothing closes")
)

// RowError is a row that is not CSV. The reader goes on behind the line in which it was found.
type RowError struct {
	Line int64 // where the row begins, from 1
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *RowError) Unwrap() error { return e.Err }

// Field is one field of a row. Text is without quotes and belongs to the reader until its next Read.
type Field struct {
	Text   []byte
	Quoted bool
}

// Reader reads rows. It is for one goroutine.
type Reader struct {
	in    *bufio.Reader
	comma byte
	end   byte  // of a line
	max   int64 // bytes of a row
	lines int64 // that were read

	row    []byte // the lines of the row; quoted fields are unquoted in place
	spans  []span
	fields []Field
}

// span is a field's place in the row.
type span struct {
	from, until int
	quoted      bool
}

// NewReader returns a reader of fields that comma parts, whose rows have at most max bytes; 0: DefaultMaxBytes. A first line such as sep=;
// is no row, and says the comma where it is 0; it is , where nothing says another. Rows end with line feeds, with or without a carriage
// return before them, or, where there is no line feed outside quotes, with carriage returns.
func NewReader(r io.Reader, comma byte, max int64) *Reader {
	if max <= 0 {
		max = DefaultMaxBytes
	}
	out := &Reader{in: bufio.NewReaderSize(r, bufferBytes), comma: comma, max: max}
	begin := foreign.Begin(out.in, bufferBytes, func(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 && rowEnd(b) == '\n' })
	out.end = rowEnd(begin)
	if m := sepLine.FindSubmatch(begin[:min(len(begin), 16)]); m != nil {
		out.in.Discard(len(m[0]))
		out.lines++
		out.comma = cmp.Or(comma, m[1][0])
	}
	out.comma = cmp.Or(out.comma, ',')
	return out
}

// bufferBytes is how much is read at once, and looked at to tell what ends a row.
const bufferBytes = 1 << 18

// sepLine is what some spreadsheets write first.
var sepLine = regexp.MustCompile(`^"?sep=([^\w"\r\n])"?(?:\r\n|\n|\r)`)

// rowEnd is what ends rows, by how the file begins.
func rowEnd(begin []byte) byte {
	quoted, end := false, byte('\n')
	for i, c := range begin {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			return '\n'
		case c == '\r' && !quoted && i+1 < len(begin):
			end = '\r'
		}
	}
	return end
}

// Read returns the next row and the line in which it begins, from 1. Empty lines are no rows. The error is io.EOF after the last row,
// a *RowError for text that is no row, one that wraps ErrNotClosed, or that of the source.
func (r *Reader) Read() (fields []Field, line int64, err error) {
	for {
		r.row = r.row[:0]
		if err := r.readLine(); err != nil {
			return nil, 0, err
		}
		if lineEnd(r.row) > 0 {
			break
		}
	}
	line = r.lines
	switch err := r.split(); {
	case err == nil && int64(len(r.row)) > r.max:
		return nil, line, &RowError{line, r.errTooLarge()}
	case err == ErrNotClosed:
		return nil, line, fmt.Errorf("line %d: %w", line, err)
	case err != nil:
		return nil, line, &RowError{line, err}
	}
	r.fields = r.fields[:0]
	for _, s := range r.spans {
		r.fields = append(r.fields, Field{r.row[s.from:s.until:s.until], s.quoted})
	}
	return r.fields, line, nil
}

// readLine adds a line, with what ends it, to the row. The error is io.EOF only when there was nothing.
func (r *Reader) readLine() error {
	begin := len(r.row)
	for {
		part, err := r.in.ReadSlice(r.end)
		r.row = append(r.row, part...)
		switch {
		case err == bufio.ErrBufferFull:
			if int64(len(r.row)) > r.max {
				return r.tooLarge(begin)
			}
		case err == io.EOF && len(r.row) > begin, err == nil:
			r.lines++
			return nil
		default:
			return err
		}
	}
}

// tooLarge leaves the rest of an endless line out.
func (r *Reader) tooLarge(begin int) error {
	r.row = r.row[:begin]
	for {
		if _, err := r.in.ReadSlice(r.end); err != bufio.ErrBufferFull {
			break
		}
	}
	r.lines++
	return &RowError{r.lines, r.errTooLarge()}
}

func (r *Reader) errTooLarge() error { return foreign.RowTooLarge("a row", r.max) }

// lineEnd is where the text of a line ends: before its \n, \r\n, or \r at the end of the file.
func lineEnd(b []byte) int {
	n := len(b)
	if n > 0 && b[n-1] == '\n' {
		n--
	}
	if n > 0 && b[n-1] == '\r' {
		n--
	}
	return n
}

// split finds the fields of the row, and reads on where a quoted one has line breaks in it.
func (r *Reader) split() error {
	r.spans = r.spans[:0]
	for at, more := 0, true; more; {
		s, next, err := span{}, 0, error(nil)
		if at < len(r.row) && r.row[at] == '"' {
			s, next, err = r.quoted(at)
		} else {
			s, next, err = r.plain(at)
		}
		if err != nil {
			return err
		}
		r.spans = append(r.spans, s)
		end := lineEnd(r.row)
		switch {
		case next >= end:
			more = false
		case r.row[next] == r.comma:
			at = next + 1
		default:
			return ErrAfterQuote
		}
	}
	return nil
}

// plain is the field at a place where no quote stands, and where it ends.
func (r *Reader) plain(at int) (span, int, error) {
	text := r.row[min(at, lineEnd(r.row)):lineEnd(r.row)]
	if i := bytes.IndexByte(text, r.comma); i >= 0 {
		text = text[:i]
	}
	if bytes.IndexByte(text, '"') >= 0 {
		return span{}, 0, ErrBareQuote
	}
	if bytes.IndexByte(text, '\n') >= 0 {
		return span{}, 0, ErrLineFeed
	}
	return span{from: at, until: at + len(text)}, at + len(text), nil
}

// quoted is the field whose quote is at a place, and where it ends. Doubled quotes are made one.
func (r *Reader) quoted(at int) (span, int, error) {
	from := at + 1
	out := from
	for i := from; ; {
		n := bytes.IndexByte(r.row[i:], '"')
		if n < 0 {
			out += copy(r.row[out:], r.row[i:])
			r.row = r.row[:out] // so that the next line goes on where the text ends
			i = out
			if err := r.goOn(); err != nil {
				return span{}, 0, err
			}
			continue
		}
		out += copy(r.row[out:], r.row[i:i+n])
		i += n + 1
		if i == len(r.row) || r.row[i] != '"' {
			return span{from, out, true}, i, nil
		}
		r.row[out] = '"'
		out, i = out+1, i+1
	}
}

// goOn reads the next line of a quoted field.
func (r *Reader) goOn() error {
	if int64(len(r.row)) > r.max {
		return r.errTooLarge()
	}
	err := r.readLine()
	if err == io.EOF {
		return ErrNotClosed
	}
	if e, ok := errors.AsType[*RowError](err); ok {
		return e.Err
	}
	return err
}
