package imports

import (
	"fmt"
	"strconv"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
)

// table is rows of named cells.
type table interface {
	// names are the columns; nil: of JSON lines, which have whatever a path finds.
	names() []string
	// bind says which columns are asked for, by their place from then on.
	bind(names []string) error
	// next goes to the next row and returns its line. Errors are those of a Source.
	next() (int64, error)
	// cell is a cell of the row, by the place of its column.
	cell(i int) cell
	// whole is the row as it stands in the file, where a row is text; nil: it is not.
	whole() []byte
}

// tableSource makes records of rows.
type tableSource struct {
	table   table
	mapping Mapping
	place   map[string]int // of bound columns
	row     Row
}

func newTableSource(t table, m Mapping) (Source, error) {
	m, err := m.complete(t.names())
	if err != nil {
		return nil, err
	}
	used := m.used()
	if err := t.bind(used); err != nil {
		return nil, err
	}
	s := &tableSource{table: t, mapping: m, place: make(map[string]int)}
	for i, name := range used {
		s.place[name] = i
	}
	return s, nil
}

// Next implements Source.
func (s *tableSource) Next() (*Row, error) {
	line, err := s.table.next()
	if err != nil {
		return nil, err
	}
	s.row = Row{Line: line}
	if err := s.fill(&s.row); err != nil {
		return nil, &BadRow{Line: line, Err: err}
	}
	return &s.row, nil
}

func (s *tableSource) fill(r *Row) error {
	r.LeaderEpoch = format.NoLeaderEpoch
	for _, step := range []func(*Row) error{s.fillPlace, s.fillTimestamp, s.fillPayloads, s.fillHeaders} {
		if err := step(r); err != nil {
			return err
		}
	}
	return nil
}

// get is the cell of a column; one that is not named has none.
func (s *tableSource) get(name string) cell {
	if name == "" {
		return cell{}
	}
	return s.table.cell(s.place[name])
}

// given is the text of a cell; ok is false when it is missing, null or empty.
func (s *tableSource) given(name string) (text string, ok bool) {
	c := s.get(name)
	return string(c.text), c.kind > nullCell && len(c.text) > 0
}

func (s *tableSource) fillPlace(r *Row) error {
	m := &s.mapping
	r.Topic, _ = s.given(m.Topic)
	if text, ok := s.given(m.Partition); ok {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return fmt.Errorf("column %s: %.40q is no partition", m.Partition, text)
		}
		r.Partition, r.Placed = int32(n), true
	}
	if text, ok := s.given(m.Offset); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("column %s: %.40q: %w", m.Offset, text, ErrOffset)
		}
		r.Offset, r.Numbered = n, true
	}
	return nil
}

func (s *tableSource) fillTimestamp(r *Row) error {
	r.TimestampMs, r.TimestampType = format.NoTimestamp, format.TimestampNone
	text, ok := s.given(s.mapping.Timestamp)
	if !ok {
		return nil
	}
	ms, err := parseTime(text, s.mapping.TimeUnit)
	if err != nil {
		return fmt.Errorf("column %s: %w", s.mapping.Timestamp, err)
	}
	r.TimestampMs = ms
	if ms != format.NoTimestamp {
		r.TimestampType = format.TimestampCreate
	}
	return nil
}

func (s *tableSource) fillPayloads(r *Row) (err error) {
	m := &s.mapping
	if c := s.get(m.Key.Name); c.kind != missingCell {
		if r.Key, err = m.Key.payload(c); err != nil {
			return fmt.Errorf("column %s: %w", m.Key.Name, err)
		}
	}
	switch {
	case len(m.Object) > 0:
		r.Value, err = s.object()
		return err
	case m.Value.Name == "":
		r.Value = s.table.whole()
		return nil
	}
	c := s.get(m.Value.Name)
	if c.kind == missingCell && s.table.names() == nil {
		return fmt.Errorf("it has no %s", m.Value.Name)
	}
	if r.Value, err = m.Value.payload(c); err != nil {
		return fmt.Errorf("column %s: %w", m.Value.Name, err)
	}
	return nil
}

// object is a JSON object of the columns. What is missing is not in it.
func (s *tableSource) object() (out []byte, err error) {
	out = append(out, '{')
	for _, c := range s.mapping.Object {
		f := s.get(c.Name)
		if f.kind == missingCell {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(jsonl.AppendPayload(out, []byte(c.Name)), ':')
		if out, err = c.appendJSON(out, f); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return append(out, '}'), nil
}

func (s *tableSource) fillHeaders(r *Row) error {
	for _, h := range s.mapping.Headers {
		f := s.get(h.Column.Name)
		if f.kind == missingCell {
			continue
		}
		value, err := h.Column.payload(f)
		if err != nil {
			return fmt.Errorf("column %s: %w", h.Column.Name, err)
		}
		r.Headers = append(r.Headers, format.Header{Key: h.Header, Value: value})
	}
	return nil
}
