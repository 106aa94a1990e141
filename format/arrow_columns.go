package format

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/karchive/karchive/internal/ondisk"
)

// arrowColumns are the columns of a row group as Arrow lays them out, cut out of canonical bytes. Its slices are reused from row group
// to row group.
type arrowColumns struct {
	rows                               int
	offsets, timestamps, kinds, epochs []byte // numbers in little endian, as they are in canonical bytes
	keys, values                       arrowStrings
	headers                            []byte // offsets into the elements: where the headers of each row begin, and at last where they end
	headerCount                        int
	headerKeys, headerValues           arrowStrings
}

// arrowStrings is a column of strings or byte strings. Offsets are there also of no value: Polars cannot do without.
type arrowStrings struct {
	length, nulls int
	validity      []byte // a bit a value, 1: not null
	offsets       []byte // where each value begins in data, and at last where they end
	data          []byte
}

func (s *arrowStrings) reset() {
	*s = arrowStrings{validity: s.validity[:0], offsets: appendU32(s.offsets[:0], 0), data: s.data[:0]}
}

// add appends a value; nil is null.
func (s *arrowStrings) add(v []byte) {
	bit := s.length % 8
	if bit == 0 {
		s.validity = append(s.validity, 0)
	}
	if v == nil {
		s.nulls++
	} else {
		s.validity[len(s.validity)-1] |= 1 << bit
		s.data = append(s.data, v...)
	}
	s.length++
	s.offsets = appendU32(s.offsets, len(s.data))
}

func appendU32(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(n)) }

func (c *arrowColumns) reset() {
	c.rows, c.headerCount = 0, 0
	c.offsets, c.timestamps, c.kinds, c.epochs = c.offsets[:0], c.timestamps[:0], c.kinds[:0], c.epochs[:0]
	c.headers = appendU32(c.headers[:0], 0)
	for _, s := range c.strings() {
		s.reset()
	}
}

// strings are the columns of strings in the order of the schema.
func (c *arrowColumns) strings() []*arrowStrings {
	return []*arrowStrings{&c.keys, &c.values, &c.headerKeys, &c.headerValues}
}

// fill takes all of the canonical bytes of a row group.
func (c *arrowColumns) fill(records []byte) error {
	c.reset()
	for r := (canonicalReader{records}); len(r.rest) > 0; c.rows++ {
		c.offsets = append(c.offsets, r.bytes(8)...)
		c.timestamps = append(c.timestamps, r.bytes(8)...)
		c.kinds = append(c.kinds, r.u8())
		c.epochs = append(c.epochs, r.bytes(4)...)
		c.keys.add(r.payload())
		c.values.add(r.payload())
		for range r.u32() {
			c.headerKeys.add(utf8Key(r.payload()))
			c.headerValues.add(r.payload())
			c.headerCount++
		}
		c.headers = appendU32(c.headers, c.headerCount)
	}
	return c.check()
}

// check refuses what 32-bit offsets cannot hold: U+FFFD takes more bytes than what it stands for.
func (c *arrowColumns) check() error {
	for _, s := range c.strings() {
		if len(s.data) > math.MaxInt32 {
			return fmt.Errorf("column of %d bytes: %w", len(s.data), ondisk.ErrTooLarge)
		}
	}
	return nil
}

// size is the memory that the columns hold.
func (c *arrowColumns) size() int {
	n := cap(c.offsets) + cap(c.timestamps) + cap(c.kinds) + cap(c.epochs) + cap(c.headers)
	for _, s := range c.strings() {
		n += cap(s.validity) + cap(s.offsets) + cap(s.data)
	}
	return n
}

// writeTo adds the columns to the body of a record batch, in the order of the schema.
func (c *arrowColumns) writeTo(b *arrowBody) {
	for _, values := range [][]byte{c.offsets, c.timestamps, c.kinds, c.epochs} {
		b.node(c.rows, 0)
		b.buffers(nil, values)
	}
	c.keys.writeTo(b)
	c.values.writeTo(b)
	b.node(c.rows, 0)
	b.buffers(nil, c.headers)
	b.node(c.headerCount, 0)
	b.buffers(nil)
	c.headerKeys.writeTo(b)
	c.headerValues.writeTo(b)
}

func (s *arrowStrings) writeTo(b *arrowBody) {
	b.node(s.length, s.nulls)
	validity := s.validity
	if s.nulls == 0 {
		validity = nil
	}
	b.buffers(validity, s.offsets, s.data)
}
