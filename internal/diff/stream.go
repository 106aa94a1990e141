package diff

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/karchive/karchive/format"
)

// places goes through a walk.
func places(w *format.Walk) iter.Seq2[format.Place, error] {
	return func(yield func(format.Place, error) bool) {
		for {
			p, err := w.Next()
			if err == io.EOF || !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// stream is the records of a partition of one side, of which the next row group is known before it is decoded. It may be of no partition.
type stream struct {
	ctx     context.Context
	tp      format.TopicPartition
	walk    *format.Walk // nil: no more row groups
	reader  *format.GroupReader
	decoded *Decoded
	next    *format.Place   // nil: none, or not looked for yet
	buffer  format.Buffer   // of the row group that was decoded last
	records []format.Record // of it, not taken yet
	apply   applyFunc
}

// applyFunc says whether a record stays, and changes it.
type applyFunc = func(format.TopicPartition, *format.Record) (bool, error)

func (c *comparison) stream(side int, tp *format.TopicPartition) *stream {
	s := &stream{ctx: c.ctx, decoded: &c.report.Decoded[side], apply: c.apply[side]}
	if tp != nil {
		a := c.sides[side].Archive
		s.tp, s.walk, s.reader = *tp, a.Walk(*tp, c.sides[side].Selection.Window()), a.NewGroupReader(1)
	}
	return s
}

func (s *stream) close() {
	if s.reader != nil {
		s.reader.Close()
	}
}

// group is the row group that comes next, nil when there is none or when one is not used up.
func (s *stream) group() (*format.Place, error) {
	if len(s.records) > 0 {
		return nil, nil
	}
	if s.next == nil && s.walk != nil {
		p, err := s.walk.Next()
		if err == io.EOF {
			s.walk = nil
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		s.next = &p
	}
	return s.next, nil
}

// skip passes the next row group without decoding it.
func (s *stream) skip() { s.next = nil }

// peek is the next record; nil after the last.
func (s *stream) peek() (*format.Record, error) {
	for len(s.records) == 0 {
		p, err := s.group()
		if p == nil || err != nil {
			return nil, err
		}
		if err := s.decode(); err != nil {
			return nil, err
		}
	}
	return &s.records[0], nil
}

// decode decodes the row group that comes next. Nothing of the one before is valid any more.
func (s *stream) decode() (err error) {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if s.records, err = s.reader.Read(s.next, &s.buffer); err != nil {
		return err
	}
	s.next = nil
	s.decoded.Groups++
	return s.reshape()
}

// reshape takes of the records what stays.
func (s *stream) reshape() error {
	if s.apply == nil {
		return nil
	}
	kept := s.records[:0]
	for i := range s.records {
		stays, err := s.apply(s.tp, &s.records[i])
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", s.tp, s.records[i].Offset, err)
		}
		if stays {
			kept = append(kept, s.records[i])
		}
	}
	s.records = kept
	return nil
}

// pass goes to the next record.
func (s *stream) pass() { s.records = s.records[1:] }

// take returns the record that peek showed. It is valid until the next row group is decoded.
func (s *stream) take() *Located {
	r := &Located{TopicPartition: s.tp, Record: s.records[0]}
	s.records = s.records[1:]
	return r
}
