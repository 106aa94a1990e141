package extract

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/csv"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
)

// textWriter writes CSV, with any separator.
type textWriter struct {
	lines
	comma         byte
	null, missing []byte // missing is never empty in a table of one column
	safe, shown   bool
	scratch       []byte
	notUTF8       int64
}

func newTextWriter(w io.Writer, columns []Column, comma byte, o FormatOptions) (*textWriter, error) {
	if err := checkMark("null", o.Null, comma); err != nil {
		return nil, err
	}
	if err := checkMark("what is missing", o.Missing, comma); err != nil {
		return nil, err
	}
	t := &textWriter{lines: lines{w: w}, comma: comma, null: []byte(o.Null), missing: []byte(o.Missing), safe: o.SpreadsheetSafe, shown: o.ForPeople}
	if len(columns) == 1 { // readers drop empty lines
		t.null, t.missing = orQuotes(t.null), orQuotes(t.missing)
	}
	if !o.NoHeader {
		t.header(columns)
	}
	return t, nil
}

func orQuotes(mark []byte) []byte {
	if len(mark) == 0 {
		return []byte(`""`)
	}
	return mark
}

func (t *textWriter) header(columns []Column) {
	for i := range columns {
		t.separate(i)
		t.text([]byte(columns[i].Name))
	}
	t.buf = append(t.buf, '\n')
}

func (t *textWriter) separate(i int) {
	if i > 0 {
		t.buf = append(t.buf, t.comma)
	}
}

func (t *textWriter) text(text []byte) {
	if t.shown {
		text = []byte(printable.Text(string(text)))
	}
	if t.safe {
		if isFormula(text) {
			text = append([]byte{'\''}, text...)
		}
		t.buf = csv.AppendField(t.buf, text, t.comma, true)
		return
	}
	mark := len(text) == 0 || string(text) == string(t.null) || string(text) == string(t.missing)
	t.buf = csv.AppendField(t.buf, text, t.comma, mark)
}

// Row implements Writer.
func (t *textWriter) Row(cells []reshape.Field) error {
	for i := range cells {
		t.separate(i)
		t.cell(cells[i])
	}
	t.buf = append(t.buf, '\n')
	return t.flushFull()
}

func (t *textWriter) cell(f reshape.Field) {
	switch f.Kind {
	case reshape.Missing:
		t.buf = append(t.buf, t.missing...)
	case reshape.Null:
		t.buf = append(t.buf, t.null...)
	case reshape.Bytes:
		t.count(f)
		t.text(f.Raw)
	case reshape.Number:
		t.count(f)
		t.number(f)
	default:
		t.count(f)
		t.scratch = f.AppendText(t.scratch[:0])
		t.text(t.scratch)
	}
}

// number writes a number, which is none for a spreadsheet to run when it is JSON's: the value of a record may be anything.
func (t *textWriter) number(f reshape.Field) {
	t.scratch = f.AppendText(t.scratch[:0])
	if t.safe && gjson.ValidBytes(t.scratch) {
		t.buf = append(t.buf, t.scratch...)
		return
	}
	t.text(t.scratch)
}

// isFormula says whether a spreadsheet may run text: what begins with =, +, - or @, in their wide forms too, whatever invisible stands
// before, and what begins with a tab or a line break, which some drop.
func isFormula(text []byte) bool {
	if len(text) > 0 && (text[0] == '\t' || text[0] == '\r' || text[0] == '\n') {
		return true
	}
	bare := bytes.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || printable.Hidden(r) })
	first, _ := utf8.DecodeRune(bare)
	return strings.ContainsRune("=+-@＝＋－＠", first)
}

func (t *textWriter) count(f reshape.Field) {
	if !isUTF8(f) {
		t.notUTF8++
	}
}

// Close implements Writer.
func (t *textWriter) Close() error { return t.flush() }

// NotUTF8 implements Writer. The bytes are written as they are.
func (t *textWriter) NotUTF8() int64 { return t.notUTF8 }
