package diff

import (
	"bytes"
	"errors"
	"io"

	"github.com/karchive/karchive/internal/extsort"
	"github.com/karchive/karchive/internal/reshape"
)

// byIdentity pairs the records of each topic by what they hold: both sides are sorted by it, joined, and what comes of it is sorted back into
// the order of the first side.
func (c *comparison) byIdentity() (err error) {
	share := c.Memory / 3
	a, b, found := extsort.New(c.TempDir, share), extsort.New(c.TempDir, share), extsort.New(c.TempDir, share)
	defer func() { err = errors.Join(err, a.Close(), b.Close(), found.Close()) }()
	if err := c.gather(0, a); err != nil {
		return err
	}
	if err := c.gather(1, b); err != nil {
		return err
	}
	if err := c.join(a, b, found); err != nil {
		return err
	}
	return c.inOrder(found)
}

// gather gives the records of a side to a sorter, by topic and identity. Those of one identity stay in their order.
func (c *comparison) gather(side int, to *extsort.Sorter) error {
	var key, data []byte
	for _, at := range c.order {
		s := c.stream(side, c.parts[at][side])
		err := s.each(func(r *Located) error {
			c.passed(1)
			key = c.identity(append(append(key[:0], at.Topic...), 0), side, r)
			data = appendLocated(data[:0], r)
			return to.Add(key, data)
		})
		s.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// identity appends what a record is paired by. What is not there is apart from null, and null from empty. Where JSON is compared by meaning,
// what means the same is paired, however it is spelled.
func (c *comparison) identity(dst []byte, side int, r *Located) []byte {
	by := c.fields.payloads[c.path.Root()]
	if c.pair == ByKey && !by.json {
		return appendBytes(dst, r.Key)
	}
	one := reshape.Record{Topic: r.Topic, Partition: r.Partition, Record: r.Record}
	c.readers[side].Replace(r.Topic, &one.Record)
	payload := one.Value
	if c.path.Root() == reshape.KeyRoot {
		payload = one.Key
	}
	meaning := by.means(payload)
	f := c.path.Get(&one)
	switch {
	case f.Kind == reshape.Missing || f.Kind == reshape.Null:
		return append(dst, byte(f.Kind))
	case meaning && f.Kind == reshape.Bytes:
		return by.appendMeaning(append(dst, byte(reshape.JSON)), f.Raw)
	case meaning:
		return f.AppendIdentity(append(dst, byte(reshape.Bytes)))
	}
	return f.AppendText(append(dst, byte(reshape.Bytes)))
}

func appendBytes(dst, payload []byte) []byte {
	if payload == nil {
		return append(dst, byte(reshape.Null))
	}
	return append(append(dst, byte(reshape.Bytes)), payload...)
}

// join goes through both sides by identity.
func (c *comparison) join(a, b, found *extsort.Sorter) error {
	x, err := newSide(a)
	if err != nil {
		return err
	}
	y, err := newSide(b)
	if err != nil {
		return err
	}
	for x.there || y.there {
		f := finding{topic: topicOf(x, y)}
		switch order := compareSides(x, y); {
		case order < 0:
			f.kind, f.a = OnlyA, x.record
		case order > 0:
			f.kind, f.b = OnlyB, y.record
		default:
			f.a, f.b = x.record, y.record
			if len(c.changes(f.a.Topic, f.b.Topic, &f.a.Record, &f.b.Record)) > 0 {
				f.kind = Changed
			}
		}
		if err := f.add(found); err != nil {
			return err
		}
		if err := errors.Join(x.advance(f.a), y.advance(f.b)); err != nil {
			return err
		}
	}
	return nil
}

// side is the sorted records of a side.
type side struct {
	sorted *extsort.Sorted
	there  bool
	key    []byte
	record *Located
}

func newSide(s *extsort.Sorter) (*side, error) {
	sorted, err := s.Sorted()
	if err != nil {
		return nil, err
	}
	x := &side{sorted: sorted}
	return x, x.next()
}

// advance goes on when the record was used.
func (x *side) advance(used *Located) error {
	if used == nil {
		return nil
	}
	return x.next()
}

func (x *side) next() error {
	e, err := x.sorted.Next()
	if err == io.EOF {
		x.there = false
		return nil
	}
	if err != nil {
		return err
	}
	x.there, x.key = true, e.Key
	x.record, _, err = readLocated(e.Data)
	return err
}

func compareSides(x, y *side) int {
	switch {
	case !y.there:
		return -1
	case !x.there:
		return 1
	}
	return bytes.Compare(x.key, y.key)
}

func topicOf(x, y *side) string {
	key := x.key
	if compareSides(x, y) > 0 {
		key = y.key
	}
	topic, _, _ := bytes.Cut(key, []byte{0})
	return string(topic)
}

// each calls do for all records of a stream.
func (s *stream) each(do func(*Located) error) error {
	for {
		r, err := s.peek()
		if r == nil || err != nil {
			return err
		}
		if s.fresh {
			if _, err := s.following(); err != nil {
				return err
			}
			s.start()
			s.fresh = false
		}
		if err := do(s.take()); err != nil {
			return err
		}
	}
}
