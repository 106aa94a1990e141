package copying

import (
	"io"

	"github.com/karchive/karchive/format"
)

// stream goes through the pieces of a share.
type stream struct {
	*share
	copier   *copier
	segments []format.Segment // behind that of piece
	reader   *format.GroupReader
	memory   format.Buffer

	piece *piece // the next; nil after the last
	spans []span // of the piece, when it was expanded and is not used up
}

func (c *copier) stream(s *share) (*stream, error) {
	st := &stream{share: s, copier: c, segments: s.input.Archive.Segments(s.tp), reader: s.input.Archive.NewGroupReader(1)}
	return st, st.enter()
}

// enter begins the next segment.
func (s *stream) enter() error {
	s.piece = nil
	if len(s.segments) == 0 {
		return nil
	}
	segment := s.segments[0]
	s.segments = s.segments[1:]
	doc, err := s.input.Archive.Document(segment)
	if err != nil {
		return err
	}
	s.piece = makePiece(format.Place{Segment: segment, Document: doc}, doc.BaseOffset)
	return nil
}

func makePiece(place format.Place, from int64) *piece {
	p := &piece{Place: place, from: from, epoch: format.NoLeaderEpoch}
	d := place.Document
	if p.hasGroup() {
		g := p.Group()
		p.until, p.control, p.filtered = g.LastOffset+1, g.Control, g.Filtered
	} else {
		p.until, p.control, p.filtered = d.NextOffset, d.Control, d.Filtered
		for i := range d.Groups {
			p.control, p.filtered = p.control-d.Groups[i].Control, p.filtered-d.Groups[i].Filtered
		}
	}
	if p.last = p.until == d.NextOffset; p.last {
		p.epoch = d.LastLeaderEpoch
	}
	return p
}

// next goes on to the piece behind the current one.
func (s *stream) next() error {
	g := s.piece.group()
	if err := s.copier.done(g.Records, g.Bytes); err != nil {
		return err
	}
	s.spans = nil
	if s.piece.last {
		return s.enter()
	}
	place := s.piece.Place
	place.Index++
	s.piece = makePiece(place, s.piece.until)
	return nil
}

// decode makes spans of the piece.
func (s *stream) decode() ([]span, error) {
	var records []format.Record
	if s.piece.hasGroup() {
		var err error
		if records, err = s.reader.Read(&s.piece.Place, &s.memory); err != nil {
			return nil, err
		}
		s.copier.report.DecodedGroups++
	}
	return s.piece.expand(records)
}

// head is what the share knows of the offsets from at on, which it covers.
func (s *stream) head(at int64) (span, error) {
	for {
		for len(s.spans) > 0 && s.spans[0].until <= at {
			s.spans = s.spans[1:]
		}
		if len(s.spans) > 0 {
			return s.spans[0].clip(at, s.spans[0].until), nil
		}
		if err := s.to(at); err != nil {
			return span{}, err
		}
		if s.piece == nil {
			return span{}, io.ErrUnexpectedEOF // it does not cover at
		}
		var err error
		if s.spans, err = s.decode(); err != nil {
			return span{}, err
		}
	}
}

// to goes on to the piece that covers offset at.
func (s *stream) to(at int64) error {
	for s.piece != nil && s.piece.until <= at {
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) covers(at int64) bool { return s.coverage.From <= at && at < s.coverage.Next }

// overlaps says whether the share covers any of [from, until).
func (s *stream) overlaps(from, until int64) bool {
	return s.coverage.From < until && from < s.coverage.Next
}
