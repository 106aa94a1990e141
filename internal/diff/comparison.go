package diff

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/schema"
)

// comparison is a Run under way.
type comparison struct {
	Options
	ctx     context.Context
	sides   [2]Side
	pair    Pairing
	path    reshape.Path // of ByKey and ByPath
	fields  *fields
	readers [2]schema.Reader
	report  *Report
	order   []format.TopicPartition // that either side has, by topic and number
	parts   map[format.TopicPartition][2]*format.TopicPartition
	done    int64
	told    int64 // what done was when progress was told

	apply [2]applyFunc // nil: records stay as they are
}

func newComparison(ctx context.Context, a, b Side, o Options) (*comparison, error) {
	c := &comparison{Options: o, ctx: ctx, sides: [2]Side{a, b}, pair: cmp.Or(o.Pair, ByOffset)}
	c.Memory = cmp.Or(c.Memory, defaultMemory)
	var err error
	switch c.pair {
	case ByOffset, ByOrder:
	case ByKey:
		o.Path = reshape.KeyRoot.String()
		fallthrough
	case ByPath:
		if c.path, err = reshape.ParseField(o.Path); err != nil {
			return nil, err
		}
	default:
		return nil, &OptionError{string(o.Pair), "no way to pair records"}
	}
	if c.fields, err = newFields(o, c.pair); err != nil {
		return nil, err
	}
	c.readers[0].Set, c.readers[1].Set = a.Schemas, b.Schemas
	c.report = newReport(c.pair)
	return c, nil
}

// match lists the partitions that are compared with each other, and counts what there is.
func (c *comparison) match() error {
	c.parts = map[format.TopicPartition][2]*format.TopicPartition{}
	for i := range c.sides {
		s := &c.sides[i]
		list, err := s.Archive.Select(s.Selection)
		if err != nil {
			return err
		}
		for _, tp := range list {
			name := s.name(tp.Topic)
			at := format.TopicPartition{Topic: name, Partition: tp.Partition}
			both := c.parts[at]
			if both[i] != nil && both[i].Topic != tp.Topic {
				return fmt.Errorf("topics %s and %s would both be compared as %s", both[i].Topic, tp.Topic, name)
			}
			both[i] = &tp
			c.parts[at] = both
			if err := c.count(i, tp); err != nil {
				return err
			}
		}
	}
	c.order = slices.SortedFunc(maps.Keys(c.parts), format.TopicPartition.Compare)
	return nil
}

// count adds the row groups of a partition to what there is to compare.
func (c *comparison) count(side int, tp format.TopicPartition) error {
	w := c.sides[side].Archive.Walk(tp, c.sides[side].Selection)
	for p, err := range places(w) {
		if err != nil {
			return err
		}
		c.report.Decoded[side].OfGroups++
		c.report.Decoded[side].OfRecords += p.Group().Records
	}
	return nil
}

// passed notes that records of either side were compared.
func (c *comparison) passed(n int64) {
	c.done += n
	if c.OnProgress != nil && c.done-c.told >= toldAfter {
		c.told = c.done
		c.OnProgress(c.done, c.report.Decoded[0].OfRecords+c.report.Decoded[1].OfRecords)
	}
}

// toldAfter is how many records pass before progress is told again: to tell it takes longer than to compare a record.
const toldAfter = 4096

// tell counts a difference and hands it over.
func (c *comparison) tell(d *Difference) error {
	c.report.add(d)
	if c.Each != nil {
		if err := c.Each(d); err != nil {
			return err
		}
	}
	if c.Limit > 0 && c.report.Differences() >= c.Limit {
		return errEnough
	}
	return nil
}

// changes lists what differs between two records of topics. Where JSON is compared, payloads are what they say by their schemas.
func (c *comparison) changes(topicA, topicB string, a, b *format.Record) []Change {
	if c.fields.looksIntoJSON() && !(bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)) {
		a, b = c.said(0, topicA, a), c.said(1, topicB, b)
	}
	return c.fields.compare(a, b)
}

// said is a record with what its payloads say.
func (c *comparison) said(side int, topic string, r *format.Record) *format.Record {
	x := *r
	c.readers[side].Replace(topic, &x)
	return &x
}
