package copying

import (
	"errors"

	"github.com/karchive/karchive/format"
)

// union is a partition on its way.
type union struct {
	*copier
	*target
	streams []*stream
	at      int64 // written up to here
	last    int64 // records that are left out before the last ones
}

func (c *copier) copyPartition(p *partition) error {
	u, err := c.union(p)
	if err != nil {
		return err
	}
	defer u.close()
	if c.options.Last > 0 {
		if u.last, err = c.before(p); err != nil {
			return err
		}
	}
	for u.at < p.until {
		if err := u.step(); err != nil {
			return err
		}
	}
	return u.target.seal(p.until)
}

func (c *copier) union(p *partition) (*union, error) {
	u := &union{copier: c, target: c.target(p), at: p.from}
	for _, share := range p.shares {
		s, err := c.stream(share)
		if err == nil {
			err = s.to(p.from)
		}
		if err != nil {
			return nil, err
		}
		u.streams = append(u.streams, s)
	}
	return u, nil
}

func (u *union) close() {
	u.target.discard()
	for _, s := range u.streams {
		s.reader.Close()
	}
}

// step writes the next offsets.
func (u *union) step() error {
	if s, err := u.alone(); s != nil || err != nil {
		if err != nil {
			return err
		}
		return u.piece(s)
	}
	from, best, until, err := u.heads()
	if err != nil {
		return err
	}
	s := best.clip(u.at, until)
	if err := u.write(from, s); err != nil {
		return err
	}
	return u.noteEpochs(s.until)
}

// alone is the stream that alone covers its next piece, of which nothing was written; nil: there is none.
func (u *union) alone() (*stream, error) {
	var found *stream
	for _, s := range u.streams {
		if !s.covers(u.at) {
			continue
		}
		if err := s.to(u.at); err != nil {
			return nil, err
		}
		if found != nil || len(s.spans) > 0 {
			return nil, nil
		}
		found = s
	}
	if found == nil {
		return nil, errors.New("no archive covers the next offset") // checkHoles saw to that
	}
	for _, s := range u.streams {
		if s != found && s.overlaps(u.at, found.piece.until) {
			return nil, nil
		}
	}
	return found, nil
}

// heads is what is believed of the next offsets of all streams that cover them, up to where one of them knows something else.
func (u *union) heads() (from *stream, best span, until int64, err error) {
	until = u.partition.until
	for _, s := range u.streams {
		if !s.covers(u.at) {
			if s.coverage.From > u.at {
				until = min(until, s.coverage.From)
			}
			continue
		}
		h, err := s.head(u.at)
		if err != nil {
			return nil, best, 0, err
		}
		until = min(until, h.until)
		switch {
		case from == nil || h.kind.rank() < best.kind.rank():
			best, from = h, s
		case h.kind == held:
			if err := u.same(from, best, s, h); err != nil {
				return nil, best, 0, err
			}
		}
	}
	return from, best, until, nil
}

// noteEpochs notes the leader epoch that a segment ends with, which its records alone do not tell.
func (u *union) noteEpochs(at int64) error {
	for _, s := range u.streams {
		if s.piece != nil && s.piece.last && s.piece.until == at {
			return u.target.noteEpoch(at, s.piece.epoch)
		}
	}
	return nil
}

// write writes a span, and what of its records the options leave.
func (u *union) write(from *stream, s span) error {
	u.at = s.until
	if s.kind != held {
		return u.target.span(s)
	}
	for i := range s.records {
		if err := u.record(from.tp, &s.records[i]); err != nil {
			return err
		}
	}
	return nil
}

func (u *union) record(tp format.TopicPartition, r *format.Record) error {
	one := *r
	stays, err := u.takes(tp, &one)
	if err != nil {
		return err
	}
	if !stays {
		return u.target.skip(r)
	}
	return u.target.record(&one)
}

// takes says whether a record is copied, and lets the rules change it.
func (u *union) takes(tp format.TopicPartition, r *format.Record) (bool, error) {
	if !u.options.Window.Contains(r) {
		return false, nil
	}
	if u.last > 0 {
		u.last--
		return false, nil
	}
	if u.full() {
		return false, nil
	}
	if u.apply != nil {
		if stays, err := u.apply(tp, r); !stays || err != nil {
			return false, err
		}
	}
	u.left--
	return true, nil
}

// full says that the limit is reached.
func (c *copier) full() bool { return c.options.Limit > 0 && c.left <= 0 }
