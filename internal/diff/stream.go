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
	next    *format.Place    // nil: none, or not looked for yet
	ahead   *ahead           // next, which is decoded while others are compared; nil: it is not
	buffers [2]format.Buffer // of the row group that was decoded last, and of the one ahead, in turns
	turn    int              // the first of them
	fresh   bool             // a row group was decoded since somebody asked
	records []format.Record  // of it, not taken yet
	apply   applyFunc
}

// ahead is a row group that is being decoded.
type ahead struct {
	done    chan struct{} // closed when it is
	records []format.Record
	err     error
}

// applyFunc says whether a record stays, and changes it.
type applyFunc = func(format.TopicPartition, *format.Record) (bool, error)

func (c *comparison) stream(side int, tp *format.TopicPartition) *stream {
	s := &stream{ctx: c.ctx, decoded: &c.report.Decoded[side], apply: c.apply[side]}
	if tp != nil {
		a := c.sides[side].Archive
		s.tp, s.walk, s.reader = *tp, a.Walk(*tp, c.sides[side].Selection), a.NewGroupReader(1)
	}
	return s
}

func (s *stream) close() {
	s.drop()
	if s.reader != nil {
		s.reader.Close()
	}
}

// group is the row group that comes next, nil when there is none or when one is not used up.
func (s *stream) group() (*format.Place, error) {
	if len(s.records) > 0 {
		return nil, nil
	}
	return s.following()
}

// following is the row group behind the one at hand, nil when there is none.
func (s *stream) following() (*format.Place, error) {
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
func (s *stream) skip() {
	s.drop()
	s.next = nil
}

// drop gives up what is decoded ahead.
func (s *stream) drop() {
	if s.ahead != nil {
		<-s.ahead.done
		s.ahead = nil
	}
}

// start decodes the next row group, if it is known, while others are compared.
func (s *stream) start() {
	if s.next == nil || s.ahead != nil {
		return
	}
	a, place, buffer := &ahead{done: make(chan struct{})}, s.next, &s.buffers[1-s.turn]
	s.ahead = a
	go func() {
		defer close(a.done)
		a.records, a.err = s.read(place, buffer)
	}()
}

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

// decode makes the next row group the one at hand. Nothing of the one before is valid any more.
func (s *stream) decode() (err error) {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	s.start()
	<-s.ahead.done
	s.records, err = s.ahead.records, s.ahead.err
	s.ahead, s.next, s.turn, s.fresh = nil, nil, 1-s.turn, true
	s.decoded.Groups++
	return err
}

// read decodes a row group, and takes of its records what stays.
func (s *stream) read(p *format.Place, buffer *format.Buffer) ([]format.Record, error) {
	records, err := s.reader.Read(p, buffer)
	if err != nil || s.apply == nil {
		return records, err
	}
	kept := records[:0]
	for i := range records {
		stays, err := s.apply(s.tp, &records[i])
		if err != nil {
			return nil, fmt.Errorf("%s offset %d: %w", s.tp, records[i].Offset, err)
		}
		if stays {
			kept = append(kept, records[i])
		}
	}
	return kept, nil
}

// pass goes to the next record.
func (s *stream) pass() { s.records = s.records[1:] }

// take returns the record that peek showed. It is valid until the next row group is decoded.
func (s *stream) take() *Located {
	r := &Located{TopicPartition: s.tp, Record: s.records[0]}
	s.records = s.records[1:]
	return r
}
