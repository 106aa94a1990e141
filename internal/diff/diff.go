// Package diff compares the records of two archives.
//
// In the normal case give [Run] two [Side] values and [Options], and look at the [Report]; each difference reaches Options.Each on the way.
// Records are paired first, by what [Pairing] says, and then compared, field by field. What two row groups hold is equal when their digests
// are, so equal archives are compared by their documents, and nothing of them is decoded. Memory is bounded, whatever the size of the
// archives: pairing by key or path sorts in a temporary file.
//
// The package prints nothing and knows no Kafka client.
package diff

import (
	"context"
	"errors"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/reshaping"
)

// Pairing says which record of one side is compared with which of the other.
type Pairing string

// The pairings. ByOffset and ByOrder pair within a partition; ByKey and ByPath over all partitions of a topic.
const (
	ByOffset Pairing = "offset" // the same partition and offset; the zero value means this one too
	ByOrder  Pairing = "order"  // the n-th record of a partition with the n-th
	ByKey    Pairing = "key"    // the n-th record with a key with the n-th with that key; null is a key
	ByPath   Pairing = "path"   // the same with what is at Options.Path; what is not there is a key too
)

// Side is one of the two things that are compared. The archive is only read.
type Side struct {
	Archive   *format.Archive
	Selection format.Selection
	// Name is the topic that a topic of this side is compared as; nil: by its own name. It gives two topics of a side different names.
	Name func(topic string) string
	// Schemas read payloads where JSON is compared, or paired by; nil: there are none.
	Schemas *schema.Set
}

func (s *Side) name(topic string) string {
	if s.Name == nil {
		return topic
	}
	return s.Name(topic)
}

// Options say how two sides are compared. The zero value pairs by offset and compares bytes.
type Options struct {
	Pair Pairing
	Path string // of ByPath, such as value.id; its errors wrap reshape.ErrPath
	// Ignore are parts of a record that may differ: offset, timestamp, leader_epoch, key, value, headers, headers.NAME, and paths into JSON
	// such as value.generated_at, which stand for what is below them too. # in a path is each element of an array.
	Ignore []string
	// JSON compares keys and values by meaning where both are JSON: the order of members, spaces and the spelling of strings and numbers do
	// not count. Paths in Ignore and Tolerance imply it for the part that they lead into.
	JSON      bool
	Tolerance map[string]float64 // by path: numbers there may differ by so much
	// Reshape leaves records of both sides out and changes them before they are paired; nil: all are compared as they are. It sees topics
	// by their own names. All row groups are decoded then: only a look tells how many records stay.
	Reshape reshaping.Reshaper
	Memory  int64  // bytes for sorting; 0: 64 MiB
	TempDir string // empty: os.TempDir
	// Limit ends the comparison at so many differences, and the report is of what was compared until then; 0: no limit.
	Limit int64
	// Each, when it is not nil, is called for every difference, in the order of the first side. Its error ends the comparison. The
	// difference is Each's during the call.
	Each func(*Difference) error
	// OnProgress, when it is not nil, is called now and then with how many records of both sides were passed, and how many there
	// are at most.
	OnProgress func(done, total int64)
}

const defaultMemory = 64 << 20

// errEnough ends a comparison at its Limit.
var errEnough = errors.New("enough differences")

// OptionError is an option that makes no sense.
type OptionError struct{ Option, Why string }

// Error implements error.
func (e *OptionError) Error() string { return e.Option + ": " + e.Why }

// Kind says what a difference is.
type Kind string

// The kinds of differences.
const (
	Changed    Kind = "changed"
	OnlyA      Kind = "only in A"
	OnlyB      Kind = "only in B"
	OutOfOrder Kind = "out of order" // equal, but before a record on the other side which it is behind on the first
)

// Located is a record and where it is from.
type Located = format.ArchivedRecord

// Difference is a pair of records that differ, or a record without its like.
type Difference struct {
	Kind    Kind
	Topic   string   // by which it is compared
	A, B    *Located // nil where there is none; of OutOfOrder only place, timestamp and key are filled in
	Changes []Change // of Changed: at most 100, by path
}

// Place says where the records are.
func (d *Difference) Place() string {
	a, b := d.A, d.B
	switch {
	case a == nil:
		return place(b)
	case b == nil, a.TopicPartition == b.TopicPartition && a.Offset == b.Offset:
		return place(a)
	}
	return place(a) + ", and " + place(b)
}

func place(r *Located) string { return fmt.Sprintf("%s offset %d", r.TopicPartition, r.Offset) }

// Change is a part of a record that differs.
type Change struct {
	Path string // such as value.total, headers.trace-id, timestamp, or value for all of a payload
	// A and B are the values as text: JSON where they are compared by meaning, else a string in quotes, base64 behind "base64:", or null.
	// Empty: there is none.
	A, B string

	general string // the path with # for the numbers of elements, under which records are counted
}

// Run compares two sides. A nil error means that it came to its end, or to Options.Limit, whether or not the sides are equal: that is Report.Equals. The error is
// that of ctx, of reading an archive, of Options.Each, or of options that make no sense.
func Run(ctx context.Context, a, b Side, o Options) (*Report, error) {
	c, err := newComparison(ctx, a, b, o)
	if err != nil {
		return nil, err
	}
	if err := c.match(); err != nil {
		return nil, err
	}
	if o.Reshape != nil {
		for side := range c.apply { // which are decoded at once
			apply, end := o.Reshape.Begin(reshaping.Use{Keep: true})
			defer end()
			c.apply[side] = apply
		}
	}
	if c.pair == ByOffset || c.pair == ByOrder {
		err = c.byPlace()
	} else {
		err = c.byIdentity()
	}
	if c.report.Stopped = errors.Is(err, errEnough); err != nil && !c.report.Stopped {
		return nil, fmt.Errorf("compare: %w", err)
	}
	c.report.sort()
	return c.report, nil
}
