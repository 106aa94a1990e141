package imports

import (
	"errors"

	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/lines"
)

// valueSource reads rows that are a JSON value each.
type valueSource struct {
	in    *lines.Values
	parse func(value []byte, row *Row) error
	row   Row
}

// Next implements Source.
func (s *valueSource) Next() (*Row, error) {
	value, n, err := s.in.Next()
	if err != nil {
		return nil, badLine(err)
	}
	s.row = Row{Line: n}
	if err := s.parse(value, &s.row); err != nil {
		return nil, &BadRow{Line: n, Err: err}
	}
	return &s.row, nil
}

// badLine makes a bad row of a line or value that could not be read.
func badLine(err error) error {
	if bad, ok := errors.AsType[*lines.Error](err); ok {
		return &BadRow{Line: bad.Line, Err: bad.Err}
	}
	return err
}

// parseCat reads a line of karchive cat.
func parseCat(line []byte, row *Row) (err error) {
	if row.About, err = jsonl.ParseAbout(line); err != nil || row.About != nil {
		return err
	}
	tp, r, err := jsonl.Parse(line)
	row.Record, row.Topic, row.Partition, row.Placed, row.Numbered = r, tp.Topic, tp.Partition, true, true
	return err
}
