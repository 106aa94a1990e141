package imports

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/suggest"
)

// Mapping says which columns of a table make a record. Of JSON, a column is a gjson path.
//
// Without Value, and without Object: when a CSV or Parquet file has a column called value, columns with the names that karchive extract
// gives (topic, partition, offset, timestamp, key, value, headers.NAME) are taken for what they say, as far as no other column is named
// for it; otherwise the first column that is not named for anything is the value. The value of JSON is then the JSON value.
type Mapping struct {
	Topic, Partition, Offset, Timestamp string // columns; empty: there is none
	TimeUnit                            TimeUnit
	Key, Value                          Column
	// Object makes the value a JSON object of these columns. A column called * is all that are not named for anything else.
	Object     []Column
	Headers    []HeaderColumn
	HeaderList Column // of all headers, as a list; the type is that of their values
	// OnlyNamed takes no column of a CSV or Parquet file for what its name says.
	OnlyNamed bool
	// AbsentIsNull takes a row of JSON that has no value for a record whose value is null. Otherwise it is bad.
	AbsentIsNull bool
}

// or is the mapping with what it does not say filled in from another.
func (m Mapping) or(o Mapping) Mapping {
	for _, f := range []struct {
		to   *string
		from string
	}{{&m.Topic, o.Topic}, {&m.Partition, o.Partition}, {&m.Offset, o.Offset}, {&m.Timestamp, o.Timestamp}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	for _, f := range []struct {
		to   *Column
		from Column
	}{{&m.Key, o.Key}, {&m.HeaderList, o.HeaderList}} {
		if f.to.Name == "" {
			*f.to = f.from
		}
	}
	if m.Value.Name == "" && len(m.Object) == 0 {
		m.Value = o.Value
	}
	m.AbsentIsNull = m.AbsentIsNull || o.AbsentIsNull
	return m
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

// asked is a column that is asked for.
type asked struct {
	name  string // a path, of a table without names
	index int    // of the table's columns; -1: it has none
}

// bound is a column that is asked for, with its place among them; -1: there is none.
type bound struct {
	Column
	place int
}

// binding is a mapping whose columns were found.
type binding struct {
	topic, partition, offset, timestamp, key, value, list bound

	object  []bound
	headers []bound // by Mapping.Headers
	asked   []asked
	names   []string // of the table
	own     int      // how many of them are columns; the others are parts of these
	private bool     // the names are a line of the file, which is somebody's data where there is no such line
}

// bind finds the columns of a mapping in a table.
func (m *Mapping) bind(t table) (*binding, error) {
	b := &binding{}
	b.names, b.own = t.names()
	if csv, ok := t.(*csvTable); ok {
		b.private = csv.first == nil
	}
	if b.names != nil && m.Value.Name == "" && len(m.Object) == 0 {
		m.defaults(b)
	}
	for _, f := range []struct {
		to *bound
		c  Column
	}{{&b.topic, Column{Name: m.Topic}}, {&b.partition, Column{Name: m.Partition}}, {&b.offset, Column{Name: m.Offset}},
		{&b.timestamp, Column{Name: m.Timestamp}}, {&b.key, m.Key}, {&b.value, m.Value}, {&b.list, m.HeaderList}} {
		if err := b.find(f.to, f.c); err != nil {
			return nil, err
		}
	}
	b.headers = make([]bound, len(m.Headers))
	for i, h := range m.Headers {
		if err := b.find(&b.headers[i], h.Column); err != nil {
			return nil, err
		}
	}
	if err := b.findObject(m.Object); err != nil {
		return nil, err
	}
	if b.names != nil && b.value.place < 0 && len(b.object) == 0 {
		return nil, errors.New("no column is left to be the value: name one")
	}
	return b, t.bind(b.asked)
}

// find asks for a column; one without a name is none.
func (b *binding) find(to *bound, c Column) error {
	*to = bound{c, -1}
	if c.Name == "" {
		return nil
	}
	index := -1
	if b.names != nil {
		var err error
		if index, err = b.index(c.Name); err != nil {
			return err
		}
	}
	b.ask(to, index)
	return nil
}

func (b *binding) ask(to *bound, index int) {
	to.place = len(b.asked)
	b.asked = append(b.asked, asked{to.Name, index})
}

// index is the place of a column in the table.
func (b *binding) index(name string) (int, error) {
	i := slices.Index(b.names, name)
	if i >= 0 && slices.Contains(b.names[i+1:], name) {
		return 0, b.twice(name)
	}
	if i >= 0 {
		return i, nil
	}
	hint := "there are " + strings.Join(b.names[:min(len(b.names), 50)], ", ")
	if b.private {
		hint = fmt.Sprintf("the first line names %d", len(b.names))
	}
	if near := suggest.Nearest(name, b.names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return 0, fmt.Errorf("no column %s: %s", name, hint)
}

// twice is the error for a name that two columns have.
func (b *binding) twice(name string) error {
	if !b.private {
		return fmt.Errorf("two columns are called %s", name)
	}
	first := slices.Index(b.names, name)
	return fmt.Errorf("columns %d and %d have the same name", first+1, first+2+slices.Index(b.names[first+1:], name))
}

// findObject asks for the columns of the value, with all that are left in place of *.
func (b *binding) findObject(columns []Column) error {
	rest := slices.IndexFunc(columns, func(c Column) bool { return c.Name == all })
	if rest >= 0 && b.names == nil {
		return errors.New("JSON has no list of columns: name them, or take the whole as the value")
	}
	var before, after []bound
	for i, c := range columns {
		if i == rest {
			continue
		}
		var one bound
		if err := b.find(&one, c); err != nil {
			return err
		}
		if b.names == nil {
			one.Name = memberName(one.Name)
		}
		if i < rest {
			before = append(before, one)
		} else {
			after = append(after, one)
		}
	}
	b.object = before
	if rest >= 0 {
		if err := b.findRest(); err != nil {
			return err
		}
	}
	b.object = append(b.object, after...)
	return b.checkObject()
}

// findRest asks for all columns that are not asked for.
func (b *binding) findRest() error {
	used := make(map[int]bool)
	for _, a := range b.asked {
		used[a.index] = true
	}
	n := len(b.object)
	for i, name := range b.names[:b.own] {
		if !used[i] {
			one := bound{Column: Column{Name: name}}
			b.ask(&one, i)
			b.object = append(b.object, one)
		}
	}
	if len(b.object) == n && n == 0 {
		return errors.New("no column is left to be in the value")
	}
	return nil
}

// checkObject refuses a name that an object would have twice.
func (b *binding) checkObject() error {
	seen := make(map[string]bool)
	for _, c := range b.object {
		if seen[c.Name] {
			return b.twice(c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// defaults finds the value, and with it the columns that karchive extract names.
func (m *Mapping) defaults(b *binding) {
	used := m.used()
	free := slices.DeleteFunc(slices.Clone(b.names[:b.own]), func(n string) bool { return slices.Contains(used, n) })
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
	m.Headers = slices.Clone(m.Headers)
	for _, name := range free {
		if header, ok := strings.CutPrefix(name, "headers."); ok && header != "" {
			m.Headers = append(m.Headers, HeaderColumn{strings.ReplaceAll(header, `\`, ""), Column{Name: name}})
		}
	}
}

// used are the columns that are named for something.
func (m *Mapping) used() []string {
	names := []string{m.Topic, m.Partition, m.Offset, m.Timestamp, m.Key.Name, m.HeaderList.Name}
	for _, h := range m.Headers {
		names = append(names, h.Column.Name)
	}
	return names
}
