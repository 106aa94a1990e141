package imports

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/lines"
)

// LinesOptions say what lines of text are. The zero value is that a line is a value.
type LinesOptions struct {
	// Fields are what stands in a line, in this order, with Delimiter between: topic, partition, offset, timestamp, headers, key and value, of
	// which the last takes the rest of the line. A value that is not named comes last. Each may have a type.
	Fields    []Column
	Delimiter string // empty: a tab
	// Null is what a key or value is null for. Empty: none is.
	Null string
}

// lineFields are what may stand in a line.
var lineFields = []string{"topic", "partition", "offset", "timestamp", "headers", "key", "value"}

// ParseFields reads the fields of lines in a comma list.
func ParseFields(s string) ([]Column, error) {
	out, err := ParseObject(s)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, f := range out {
		if !slices.Contains(lineFields, f.Name) {
			return nil, fmt.Errorf("%q is no field of a line: use %s", f.Name, strings.Join(lineFields, ", "))
		}
		if seen[f.Name] {
			return nil, fmt.Errorf("%s is there twice", f.Name)
		}
		seen[f.Name] = true
	}
	return out, nil
}

// linesTable reads lines of text. Its columns are the fields.
type linesTable struct {
	in        *lines.Reader
	fields    []string
	delimiter []byte
	null      string
	cells     []cell // of the line
	places    []int  // of the bound columns
}

// newLinesTable returns the table, and what its columns are.
func newLinesTable(r io.Reader, o LinesOptions, max int64) (table, Mapping) {
	fields := slices.Clone(o.Fields)
	if !slices.ContainsFunc(fields, func(c Column) bool { return c.Name == "value" }) {
		fields = append(fields, Column{Name: "value"})
	}
	t := &linesTable{in: lines.NewReader(r, max), delimiter: []byte(cmp.Or(o.Delimiter, "\t")), null: o.Null}
	m := Mapping{OnlyNamed: true}
	for _, f := range fields {
		t.fields = append(t.fields, f.Name)
		switch f.Name {
		case "topic":
			m.Topic = f.Name
		case "partition":
			m.Partition = f.Name
		case "offset":
			m.Offset = f.Name
		case "timestamp":
			m.Timestamp = f.Name
		case "headers":
			m.HeaderList = f
		case "key":
			m.Key = f
		case "value":
			m.Value = f
		}
	}
	t.cells = make([]cell, len(fields))
	return t, m
}

func (t *linesTable) names() ([]string, int) { return t.fields, len(t.fields) }

func (t *linesTable) bind(columns []asked) error {
	for _, c := range columns {
		t.places = append(t.places, c.index)
	}
	return nil
}

var errFields = errors.New("fewer fields than a line is to have")

func (t *linesTable) next() (int64, error) {
	line, n, err := t.in.Next()
	if err != nil {
		return n, badLine(err)
	}
	for i, name := range t.fields {
		text, rest, more := bytes.Cut(line, t.delimiter)
		switch last := i == len(t.fields)-1; {
		case last:
			text = line
		case !more:
			return n, &BadRow{Line: n, Err: errFields}
		}
		t.cells[i], line = cell{textCell, text}, rest
		if t.null != "" && (name == "key" || name == "value") && string(text) == t.null {
			t.cells[i] = cell{kind: nullCell}
		}
	}
	return n, nil
}

func (t *linesTable) cell(i int) cell { return t.cells[t.places[i]] }

func (t *linesTable) whole() []byte { return nil }
