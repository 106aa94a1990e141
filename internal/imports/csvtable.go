package imports

import (
	"errors"
	"io"
	"strconv"

	"github.com/karchive/karchive/internal/csv"
)

// CSVOptions say how CSV is spelled. The zero value is commas, with a line of names.
type CSVOptions struct {
	Comma    byte // 0: what a first line such as sep=; says, or a comma
	NoHeader bool // the first line is a row; columns are called 1, 2, 3
	// Null is what a field is null for when it stands there without quotes. Empty: no field is null; one without anything is missing.
	Null string
}

// csvTable reads CSV. A column without a name has its number, from 1.
type csvTable struct {
	in      *csv.Reader
	null    string
	columns []string
	first   []csv.Field // a row that was read to count the columns
	line    int64

	fields []csv.Field // of the row
	places []int       // of the bound columns
}

func newCSVTable(r io.Reader, o CSVOptions, max int64) (*csvTable, error) {
	t := &csvTable{in: csv.NewReader(r, o.Comma, max), null: o.Null}
	fields, line, err := t.in.Read()
	switch {
	case err == io.EOF && o.NoHeader:
		return t, nil
	case err == io.EOF:
		return nil, errors.New("it is empty: not even a line with the names of its columns")
	case err != nil:
		return nil, err
	}
	for i, f := range fields {
		name := string(f.Text)
		if o.NoHeader || name == "" {
			name = strconv.Itoa(i + 1)
		}
		t.columns = append(t.columns, name)
	}
	if o.NoHeader {
		t.first, t.line = fields, line
	}
	return t, nil
}

func (t *csvTable) names() ([]string, int) {
	if t.columns == nil {
		return []string{"1"}, 1 // of a file without a row
	}
	return t.columns, len(t.columns)
}

func (t *csvTable) bind(columns []asked) error {
	for _, c := range columns {
		t.places = append(t.places, c.index)
	}
	return nil
}

func (t *csvTable) next() (int64, error) {
	line, err := t.line, error(nil)
	t.fields, t.first = t.first, nil
	if t.fields == nil {
		t.fields, line, err = t.in.Read()
	}
	if bad, ok := errors.AsType[*csv.RowError](err); ok {
		return line, &BadRow{Line: bad.Line, Err: bad.Err}
	}
	if err == nil && len(t.fields) != len(t.columns) {
		return line, &BadRow{Line: line, Err: &FieldsError{Got: len(t.fields), Want: len(t.columns)}}
	}
	return line, err
}

func (t *csvTable) cell(i int) cell {
	f := t.fields[t.places[i]]
	switch {
	case f.Quoted:
		return cell{textCell, f.Text}
	case t.null != "" && string(f.Text) == t.null:
		return cell{kind: nullCell}
	case len(f.Text) == 0:
		return cell{}
	}
	return cell{textCell, f.Text}
}

func (t *csvTable) whole() []byte { return nil }
