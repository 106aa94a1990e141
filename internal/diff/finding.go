package diff

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/canonical"
	"github.com/karchive/karchive/internal/extsort"
)

// finding is a pair of records, or one without its like, on its way back into the order of the first side.
type finding struct {
	kind  Kind // empty: equal
	topic string
	a, b  *Located
}

// appendLocated appends a record and where it is from.
func appendLocated(dst []byte, r *Located) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(r.Partition))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Topic)))
	dst = append(dst, r.Topic...)
	return format.AppendCanonical(dst, &r.Record)
}

// readLocated reads what appendLocated appended, and returns what follows. The record points into b.
func readLocated(b []byte) (*Located, []byte, error) {
	if len(b) < 8 {
		return nil, nil, canonical.ErrDamaged
	}
	r := &Located{TopicPartition: format.TopicPartition{Partition: int32(binary.BigEndian.Uint32(b))}}
	n := int(binary.BigEndian.Uint32(b[4:]))
	if b = b[8:]; n > len(b) {
		return nil, nil, canonical.ErrDamaged
	}
	r.Topic, b = string(b[:n]), b[n:]
	var err error
	r.Record, b, err = canonical.Next(b)
	return r, b, err
}

// add gives the finding to a sorter, by where its record of the first side is, or else that of the second.
func (f *finding) add(to *extsort.Sorter) error {
	at, second := f.a, byte(0)
	if at == nil {
		at, second = f.b, 1
	}
	key := append([]byte(f.topic), 0)
	key = binary.BigEndian.AppendUint32(key, uint32(at.Partition))
	key = binary.BigEndian.AppendUint64(key, uint64(at.Offset))
	key = append(key, second)
	data := append([]byte(f.kind), 0)
	for _, r := range []*Located{f.a, f.b} {
		if r == nil {
			continue
		}
		if f.kind == "" { // of equal records it is enough to know where they are
			r = &Located{TopicPartition: r.TopicPartition, Record: format.Record{Offset: r.Offset, TimestampMs: r.TimestampMs, Key: r.Key}}
		}
		data = appendLocated(data, r)
	}
	return to.Add(key, data)
}

func readFinding(e extsort.Entry) (f finding, err error) {
	topic, _, _ := bytes.Cut(e.Key, []byte{0})
	kind, data, _ := bytes.Cut(e.Data, []byte{0})
	f.topic, f.kind = string(topic), Kind(kind)
	if f.kind != OnlyB {
		if f.a, data, err = readLocated(data); err != nil {
			return f, err
		}
	}
	if f.kind != OnlyA {
		f.b, _, err = readLocated(data)
	}
	return f, err
}

// inOrder tells what was found.
func (c *comparison) inOrder(found *extsort.Sorter) error {
	sorted, err := found.Sorted()
	if err != nil {
		return err
	}
	var places progress
	for {
		e, err := sorted.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := readFinding(e)
		if err != nil {
			return err
		}
		if err := c.found(&f, &places); err != nil {
			return err
		}
	}
}

func (c *comparison) found(f *finding, places *progress) error {
	d := &Difference{Kind: f.kind, Topic: f.topic, A: f.a, B: f.b}
	ordered := f.a == nil || f.b == nil || places.forward(f)
	switch {
	case f.kind == "" && ordered:
		c.report.equal(f.topic, f.a.Partition, 1)
		return nil
	case f.kind == "":
		d.Kind = OutOfOrder
	case f.kind == Changed:
		d.Changes = c.changes(f.a.Topic, f.b.Topic, &f.a.Record, &f.b.Record)
	}
	return c.tell(d)
}

// progress is how far the pairs of a partition have got on the other side.
type progress struct {
	topic     string
	partition int32
	last      map[int32]int64 // the highest offset, by partition of the other side
}

// forward says whether the pair is behind those before it on the other side too.
func (p *progress) forward(f *finding) bool {
	if p.last == nil || p.topic != f.topic || p.partition != f.a.Partition {
		*p = progress{f.topic, f.a.Partition, map[int32]int64{}}
	}
	last, known := p.last[f.b.Partition]
	if known && f.b.Offset < last {
		return false
	}
	p.last[f.b.Partition] = f.b.Offset
	return true
}
