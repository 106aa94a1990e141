package extract

import (
	"bytes"
	"io"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
)

// jsonlWriter writes an object a row. What is missing is not in it. JSON stays as it is spelled but for characters that a terminal
// obeys or does not show, which are escaped; bytes that are not UTF-8 are an object
// with their base64, as in the lines of cat.
type jsonlWriter struct {
	lines
	names   [][]byte // with quotes and colon
	scratch []byte
	notUTF8 int64
}

func newJSONLWriter(w io.Writer, columns []Column) *jsonlWriter {
	j := &jsonlWriter{lines: lines{w: w}}
	for _, c := range columns {
		j.names = append(j.names, append(jsonl.AppendPayload(nil, []byte(c.Name)), ':'))
	}
	return j
}

// Row implements Writer.
func (j *jsonlWriter) Row(cells []reshape.Field) error {
	first := true
	j.buf = append(j.buf, '{')
	for i := range cells {
		if cells[i].Kind == reshape.Missing {
			continue
		}
		if !first {
			j.buf = append(j.buf, ',')
		}
		first = false
		j.buf = append(j.buf, j.names[i]...)
		j.cell(cells[i])
	}
	j.buf = append(j.buf, '}', '\n')
	return j.flushFull()
}

func (j *jsonlWriter) cell(f reshape.Field) {
	switch {
	case f.Kind == reshape.Null:
		j.buf = append(j.buf, "null"...)
	case f.Kind == reshape.Number && f.Raw == nil:
		j.buf = f.AppendText(j.buf)
	case f.Kind == reshape.Bytes:
		j.text(f.Raw)
	case isUTF8(f) && isJSON(f.Raw):
		j.json(f.Raw)
	default: // found in a payload that is not JSON
		j.scratch = f.AppendText(j.scratch[:0])
		j.text(j.scratch)
	}
}

func (j *jsonlWriter) text(b []byte) {
	before := len(j.buf)
	j.buf = jsonl.AppendPayload(j.buf, b)
	if j.buf[before] == '{' {
		j.notUTF8++
	}
}

// json appends JSON with its line breaks, which can only stand between its tokens, made spaces, and what a terminal obeys escaped.
func (j *jsonlWriter) json(text []byte) {
	before := len(j.buf)
	j.buf = printable.AppendJSON(j.buf, text)
	if bytes.ContainsAny(text, "\r\n") {
		for i, c := range j.buf[before:] {
			if c == '\r' || c == '\n' {
				j.buf[before+i] = ' '
			}
		}
	}
}

func isJSON(b []byte) bool { return gjson.Valid(unsafe.String(unsafe.SliceData(b), len(b))) }

// Close implements Writer.
func (j *jsonlWriter) Close() error { return j.flush() }

// NotUTF8 implements Writer.
func (j *jsonlWriter) NotUTF8() int64 { return j.notUTF8 }
