package imports

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/suggest"
)

// Mapping says which columns of a table make a record. Of JSON lines, a column is a gjson path.
//
// Without Value, and without Object: when a CSV or Parquet file has a column called value, columns with the names that karchive extract
// gives (topic, partition, offset, timestamp, key, value, headers.NAME) are taken for what they say, as far as no other column is named
// for it; otherwise the first column that is not named for anything is the value. The value of JSON lines is then the line.
type Mapping struct {
	Topic, Partition, Offset, Timestamp string // columns; empty: there is none
	TimeUnit                            TimeUnit
	Key, Value                          Column
	// Object makes the value a JSON object of these columns. A column called * is all that are not named for anything else.
	Object  []Column
	Headers []HeaderColumn
	// OnlyNamed takes no column of a CSV or Parquet file for what its name says.
	OnlyNamed bool
}

// HeaderColumn is a column that is a header. A row without it has no such header.
type HeaderColumn struct {
	Header string
	Column Column
}

// ParseHeader reads NAME=COLUMN or NAME=COLUMN:TYPE.
func ParseHeader(s string) (HeaderColumn, error) {
	name, column, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return HeaderColumn{}, errors.New("not a header: write NAME=COLUMN")
	}
	c, err := ParseColumn(column)
	return HeaderColumn{name, c}, err
}

// ParseObject reads columns in a comma list.
func ParseObject(s string) (out []Column, err error) {
	for _, one := range strings.Split(s, ",") {
		c, err := ParseColumn(strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// all is the name of a column of Object that stands for the rest.
const all = "*"

// complete fills in what the names of the columns tell. Names is nil for JSON lines.
func (m Mapping) complete(names []string) (Mapping, error) {
	m.Headers, m.Object = slices.Clone(m.Headers), slices.Clone(m.Object)
	if names == nil {
		return m, m.checkPaths()
	}
	if m.Value.Name == "" && len(m.Object) == 0 {
		m.defaults(names)
	}
	if err := m.expand(names); err != nil {
		return m, err
	}
	for _, name := range m.used() {
		if err := checkColumn(name, names); err != nil {
			return m, err
		}
	}
	if m.Value.Name == "" && len(m.Object) == 0 {
		return m, errors.New("no column is left to be the value: name one")
	}
	return m, nil
}

func (m *Mapping) checkPaths() error {
	if slices.ContainsFunc(m.Object, func(c Column) bool { return c.Name == all }) {
		return errors.New("JSON lines have no list of columns: name them, or take the line as the value")
	}
	return nil
}

func checkColumn(name string, names []string) error {
	i := slices.Index(names, name)
	if i >= 0 && slices.Contains(names[i+1:], name) {
		return fmt.Errorf("two columns are called %s", name)
	}
	if i >= 0 {
		return nil
	}
	hint := "there are " + strings.Join(names, ", ")
	if near := suggest.Nearest(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("no column %s: %s", name, hint)
}

// defaults finds the value, and with it the columns that karchive extract names.
func (m *Mapping) defaults(names []string) {
	used := m.used()
	free := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(used, n) })
	if m.OnlyNamed || !slices.Contains(free, "value") {
		if len(free) > 0 {
			m.Value.Name = free[0]
		}
		return
	}
	for _, own := range []struct {
		name string
		to   *string
	}{{"topic", &m.Topic}, {"partition", &m.Partition}, {"offset", &m.Offset}, {"timestamp", &m.Timestamp}, {"key", &m.Key.Name}, {"value", &m.Value.Name}} {
		if *own.to == "" && slices.Contains(free, own.name) {
			*own.to = own.name
		}
	}
	for _, name := range free {
		if header, ok := strings.CutPrefix(name, "headers."); ok && header != "" {
			m.Headers = append(m.Headers, HeaderColumn{strings.ReplaceAll(header, `\`, ""), Column{Name: name}})
		}
	}
}

// expand puts the names in place of *.
func (m *Mapping) expand(names []string) error {
	i := slices.IndexFunc(m.Object, func(c Column) bool { return c.Name == all })
	if i < 0 {
		return nil
	}
	used := m.used()
	var rest []Column
	for _, name := range names {
		if !slices.Contains(used, name) {
			rest = append(rest, Column{Name: name})
		}
	}
	m.Object = slices.Replace(m.Object, i, i+1, rest...)
	if len(m.Object) == 0 {
		return errors.New("no column is left to be in the value")
	}
	return nil
}

// used are the columns that are named for something.
func (m *Mapping) used() []string {
	names := []string{m.Topic, m.Partition, m.Offset, m.Timestamp, m.Key.Name, m.Value.Name}
	for _, h := range m.Headers {
		names = append(names, h.Column.Name)
	}
	for _, c := range m.Object {
		names = append(names, c.Name)
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" || n == all })
}
