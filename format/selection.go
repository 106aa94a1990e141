package format

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/karchive/karchive/format/origin"
)

// ErrNotArchived is wrapped for a topic or partition that an archive does not have.
var ErrNotArchived = errors.New("not in the archive")

// Selection says what of an archive is read. The zero value is everything.
type Selection struct {
	Topics     []string                  // names; none: all
	Partitions []int32                   // of each topic; none: all
	Takes      func(TopicPartition) bool // chooses among those; nil: all
	From       time.Time                 // the first timestamp, to the millisecond; zero: no bound
	Until      time.Time                 // the first timestamp that is not read any more; zero: no bound
	// FromOffset and UntilOffset bound the offsets of each partition, the second is exclusive; zero: no bound.
	FromOffset, UntilOffset int64
}

// milliseconds rounds up, so that a time within a millisecond is after the records of that millisecond.
func milliseconds(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// Select lists the partitions that a selection takes and that have segments, by topic and number. A topic or a partition that is named and
// that the archive knows nothing of is an error that wraps ErrNotArchived.
func (a *Archive) Select(s Selection) ([]TopicPartition, error) {
	all := a.Partitions()
	if err := a.knows(&s, all); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(tp TopicPartition) bool { return !s.takes(tp) }), nil
}

func (s *Selection) takes(tp TopicPartition) bool {
	return (len(s.Topics) == 0 || slices.Contains(s.Topics, tp.Topic)) &&
		(len(s.Partitions) == 0 || slices.Contains(s.Partitions, tp.Partition)) && (s.Takes == nil || s.Takes(tp))
}

// knows checks that all that is named is there, or at least described: topics without a record are no mistake.
func (a *Archive) knows(s *Selection, all []TopicPartition) error {
	described := a.Identity().Topics
	for _, name := range s.Topics {
		if !slices.ContainsFunc(described, func(t origin.Topic) bool { return t.Name == name }) &&
			!slices.ContainsFunc(all, func(tp TopicPartition) bool { return tp.Topic == name }) {
			return fmt.Errorf("topic %s is %w", name, ErrNotArchived)
		}
	}
	for _, n := range s.Partitions {
		if !slices.ContainsFunc(described, func(t origin.Topic) bool { return n >= 0 && n < t.Partitions }) &&
			!slices.ContainsFunc(all, func(tp TopicPartition) bool { return tp.Partition == n }) {
			return fmt.Errorf("partition %d is %w", n, ErrNotArchived)
		}
	}
	return nil
}

// Places goes through the row groups that may hold records of a selection, partition by partition, in offset order. Only documents are
// read. An error ends it.
func (a *Archive) Places(s Selection) iter.Seq2[Place, error] {
	return eachOf(a, s, func(tp TopicPartition, yield func(Place, error) bool) bool {
		w := a.Walk(tp, s)
		for {
			p, err := w.Next()
			if err == io.EOF {
				return true
			}
			if !yield(p, err) || err != nil {
				return false
			}
		}
	})
}

// eachOf calls do with each selected partition, for as long as it returns true.
func eachOf[T any](a *Archive, s Selection, do func(tp TopicPartition, yield func(T, error) bool) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		partitions, err := a.Select(s)
		if err != nil {
			var none T
			yield(none, err)
		}
		for _, tp := range partitions {
			if !do(tp, yield) {
				return
			}
		}
	}
}

// ArchivedRecord is a record and where it is from.
type ArchivedRecord struct {
	TopicPartition
	Record
}

// Records goes through the records of a selection, partition by partition, in offset order. Each belongs to the caller; those of a row group
// share memory. It holds one row group at a time, and decodes on the caller's goroutine. An error ends it, as does the end of ctx,
// whose cause is the error then.
func (a *Archive) Records(ctx context.Context, s Selection) iter.Seq2[ArchivedRecord, error] {
	return eachOf(a, s, func(tp TopicPartition, yield func(ArchivedRecord, error) bool) bool {
		r := a.NewGroupReader(1)
		defer r.Close()
		w := r.Walk(tp, s)
		for {
			records, err := r.next(w)
			if ctx.Err() != nil {
				records, err = nil, context.Cause(ctx)
			}
			if err == io.EOF {
				return true
			}
			if err != nil {
				yield(ArchivedRecord{}, err)
				return false
			}
			if !eachRecord(tp, records, yield) {
				return false
			}
		}
	})
}

// next decodes the next row group of a walk.
func (r *GroupReader) next(w *Walk) ([]Record, error) {
	p, err := w.Next()
	if err != nil {
		return nil, err
	}
	return r.Read(&p, nil)
}

func eachRecord(tp TopicPartition, records []Record, yield func(ArchivedRecord, error) bool) bool {
	for _, r := range records {
		if !yield(ArchivedRecord{tp, r}, nil) {
			return false
		}
	}
	return true
}
