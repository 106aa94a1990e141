package imports

import (
	"bytes"
	"errors"
	"io"

	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/lines"
)

// lineSource reads rows that are a line each.
type lineSource struct {
	in    *lines.Reader
	parse func(line []byte, row *Row) error
	row   Row
}

// catSource reads the lines of karchive cat.
func catSource(r io.Reader) Source { return &lineSource{in: lines.NewReader(r), parse: parseCat} }

// kcatSource reads the lines of kcat -J.
func kcatSource(r io.Reader) Source { return &lineSource{in: lines.NewReader(r), parse: parseKcat} }

// Next implements Source. Empty lines are no rows.
func (s *lineSource) Next() (*Row, error) {
	for {
		line, n, err := s.in.Next()
		if long, ok := errors.AsType[*lines.TooLongError](err); ok {
			return nil, &BadRow{Line: long.Line, Err: errors.New("the line is too long")}
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s.row = Row{Line: n}
		if err := s.parse(line, &s.row); err != nil {
			return nil, &BadRow{Line: n, Err: err}
		}
		return &s.row, nil
	}
}

func parseCat(line []byte, row *Row) error {
	tp, r, err := jsonl.Parse(line)
	row.Record, row.Topic, row.Partition, row.Placed, row.Numbered = r, tp.Topic, tp.Partition, true, true
	return err
}
