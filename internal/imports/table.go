package imports

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/ondisk"
)

// table is rows of cells.
type table interface {
	// names are the columns, of which the first own are those of the table and the others lead into them; nil: of JSON, which has whatever
	// a path finds.
	names() (names []string, own int)
	// bind says which columns are asked for, by their place from then on.
	bind([]asked) error
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
	columns *binding
	row     Row
}

func newTableSource(t table, m Mapping) (Source, error) {
	b, err := m.bind(t)
	if err != nil {
		return nil, err
	}
	return &tableSource{table: t, mapping: m, columns: b}, nil
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

// get is the cell of a column; where there is no such column it is missing.
func (s *tableSource) get(b bound) cell {
	if b.place < 0 {
		return cell{}
	}
	return s.table.cell(b.place)
}

// given is the text of a cell without a prefix that may stand there; ok is false when it is missing, null or empty.
func (s *tableSource) given(b bound, prefix string) (text string, ok bool) {
	c := s.get(b)
	return strings.TrimPrefix(string(c.text), prefix), c.kind > nullCell && len(c.text) > 0
}

// The classes of cells that are not what their column says. What stands in a cell is in no error: it may be a secret.
var (
	errPartition = errors.New("not a partition")
	errTopic     = errors.New("not the name of a topic")
)

func (s *tableSource) fillPlace(r *Row) error {
	b := s.columns
	if text, ok := s.given(b.topic, ""); ok {
		if ondisk.CheckTopic(text) != nil {
			return inColumn(b.topic, errTopic)
		}
		r.Topic = text
	}
	if text, ok := s.given(b.partition, "Partition:"); ok {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return inColumn(b.partition, errPartition)
		}
		r.Partition, r.Placed = int32(n), true
	}
	if text, ok := s.given(b.offset, "Offset:"); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return inColumn(b.offset, ErrOffset)
		}
		r.Offset, r.Numbered = n, true
	}
	return nil
}

func inColumn(b bound, err error) error { return fmt.Errorf("column %s: %w", b.Name, err) }

func (s *tableSource) fillTimestamp(r *Row) error {
	r.TimestampMs, r.TimestampType = format.NoTimestamp, format.TimestampNone
	text, ok := s.given(s.columns.timestamp, "CreateTime:")
	text, appended := strings.CutPrefix(text, "LogAppendTime:")
	if !ok || text == "NO_TIMESTAMP" {
		return nil
	}
	ms, err := parseTime(text, s.mapping.TimeUnit)
	if err != nil {
		return inColumn(s.columns.timestamp, err)
	}
	switch r.TimestampMs = ms; {
	case ms == format.NoTimestamp:
	case appended:
		r.TimestampType = format.TimestampLogAppend
	default:
		r.TimestampType = format.TimestampCreate
	}
	return nil
}

func (s *tableSource) fillPayloads(r *Row) (err error) {
	b := s.columns
	if c := s.get(b.key); c.kind != missingCell {
		if r.Key, err = b.key.payload(c); err != nil {
			return inColumn(b.key, err)
		}
	}
	switch {
	case len(b.object) > 0:
		r.Value, err = s.object()
		return err
	case b.value.place < 0:
		r.Value = s.table.whole()
		return nil
	}
	c := s.get(b.value)
	if c.kind == missingCell && b.names == nil {
		if s.mapping.AbsentIsNull {
			return nil
		}
		return fmt.Errorf("it has no %s", b.value.Name)
	}
	if r.Value, err = b.value.payload(c); err != nil {
		return inColumn(b.value, err)
	}
	return nil
}

// object is a JSON object of the columns. What is missing is not in it.
func (s *tableSource) object() (out []byte, err error) {
	out = append(out, '{')
	for _, c := range s.columns.object {
		f := s.get(c)
		if f.kind == missingCell {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(jsonl.AppendPayload(out, []byte(c.Name)), ':')
		if out, err = c.appendJSON(out, f); err != nil {
			return nil, inColumn(c, err)
		}
	}
	return append(out, '}'), nil
}

func (s *tableSource) fillHeaders(r *Row) (err error) {
	if r.Headers, err = s.columns.list.headerList(s.get(s.columns.list)); err != nil {
		return inColumn(s.columns.list, err)
	}
	for i, b := range s.columns.headers {
		f := s.get(b)
		if f.kind == missingCell {
			continue
		}
		value, err := b.payload(f)
		if err != nil {
			return inColumn(b, err)
		}
		r.Headers = append(r.Headers, format.Header{Key: s.mapping.Headers[i].Header, Value: value})
	}
	return nil
}
