package imports

import (
	"errors"
	"io"

	"github.com/karchive/karchive/internal/speedscale"
)

// SnapshotOptions say which records of a Speedscale snapshot are taken.
type SnapshotOptions struct {
	Calls  speedscale.Calls
	Filter *speedscale.Filter // of RRPairs; nil: all
}

// snapshotSource reads the Kafka records of a Speedscale snapshot.
type snapshotSource struct {
	in      *speedscale.Reader
	decoder speedscale.Decoder
	filter  *speedscale.Filter // nil: all
	line    int64
	passed  bool                // an RRPair that the filter left out
	records []speedscale.Record // of the RRPair, to come
	row     Row
}

func newSnapshotSource(r io.Reader, o SnapshotOptions, max int64) Source {
	return &snapshotSource{in: speedscale.NewReader(r, max), decoder: speedscale.Decoder{Calls: o.Calls}, filter: o.Filter}
}

// Next implements Source. An RRPair of which a record cannot be read is a bad row as a whole.
func (s *snapshotSource) Next() (*Row, error) {
	for len(s.records) == 0 {
		pair, err := s.in.Next()
		if bad, ok := errors.AsType[*speedscale.PairError](err); ok {
			return nil, &BadRow{Line: bad.Line, Err: bad.Err}
		}
		if err != nil {
			return nil, err
		}
		if s.filter != nil && !s.filter.Match(pair) {
			s.passed = true
			s.decoder.Learn(pair)
			continue
		}
		s.line = pair.Line
		if s.records, err = s.decoder.Records(pair); err != nil {
			return nil, &BadRow{Line: pair.Line, Err: err}
		}
	}
	r := s.records[0]
	s.records = s.records[1:]
	s.row = Row{Record: r.Record, Topic: r.Topic, Partition: r.Partition, Placed: true, Numbered: r.Numbered, Line: s.line}
	return &s.row, nil
}

// leftOut says whether there was something that is not to be taken.
func (s *snapshotSource) leftOut() bool { return s.passed || s.decoder.Control > 0 }
