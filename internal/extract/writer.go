package extract

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/karchive/karchive/internal/reshape"
)

// Writer writes rows in one format.
type Writer interface {
	// Row writes a row, which has a cell for every column. It keeps nothing of it.
	Row(cells []reshape.Field) error
	// Close writes what is still to be written. It does not close what is beneath.
	Close() error
	// NotUTF8 is the number of cells whose text was not UTF-8.
	NotUTF8() int64
}

// The formats of a table. The first is the default.
const (
	CSV     = "csv"
	TSV     = "tsv"
	JSONL   = "jsonl"
	Parquet = "parquet"
)

// Formats lists the formats, the default first.
func Formats() []string { return []string{CSV, TSV, JSONL, Parquet} }

// DefaultNull is how CSV and TSV spell null where nothing else is asked for.
const DefaultNull = `\N`

// FormatOptions say how a table is written. The zero value writes CSV with a header line, where null and missing are empty.
type FormatOptions struct {
	Format   string // empty: CSV
	NoHeader bool   // leaves the line of names out of CSV and TSV
	// Null and Missing are how CSV and TSV spell null and what a path did not find, without quotes. Text that is empty, or equal to
	// one of them, is in quotes.
	Null, Missing string
	// SpreadsheetSafe puts a ' before text in CSV and TSV that a spreadsheet would take for a formula, and all text in quotes.
	SpreadsheetSafe bool
	// ForPeople shows in CSV and TSV what a terminal would obey, instead of writing it as the record has it.
	ForPeople bool
}

// NewWriter returns a writer of tables with these columns to w, in steps of many rows.
func NewWriter(w io.Writer, columns []Column, o FormatOptions) (Writer, error) {
	if len(columns) == 0 {
		return nil, errors.New("no columns")
	}
	switch o.Format {
	case CSV, "":
		return newTextWriter(w, columns, ',', o)
	case TSV:
		return newTextWriter(w, columns, '\t', o)
	case JSONL:
		return newJSONLWriter(w, columns), nil
	case Parquet:
		return newParquetWriter(w, columns)
	}
	return nil, fmt.Errorf("%q is no format of tables: use %s", o.Format, strings.Join(Formats(), ", "))
}

// isUTF8 says that the text of a cell is. A cell that is part of a JSON text is when its text is.
func isUTF8(f reshape.Field) bool { return utf8.Valid(f.Raw) }

// checkMark refuses a spelling of null or missing that would need quotes.
func checkMark(what, mark string, comma byte) error {
	if strings.ContainsAny(mark, "\"\r\n"+string(rune(comma))) || strings.TrimSpace(mark) != mark {
		return fmt.Errorf("%s is written without quotes, so that %q cannot stand for it", what, mark)
	}
	return nil
}

// lines buffers lines and hands them on in large pieces.
type lines struct {
	w   io.Writer
	buf []byte
}

const flushBytes = 1 << 18

func (l *lines) flushFull() error {
	if len(l.buf) < flushBytes {
		return nil
	}
	return l.flush()
}

func (l *lines) flush() error {
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}
