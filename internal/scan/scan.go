// Package scan goes through the records of an archive for whoever prints, counts or extracts them: partition by partition, forwards or backwards,
// from where the last records begin, with the next row group decoded ahead, and past row groups without a key that is asked for.
package scan

import (
	"context"
	"errors"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
)

// ErrEnough ends a scan early, and well.
var ErrEnough = errors.New("enough")

// Scanner goes through the records of Partitions that lie in Window. It is for one goroutine.
type Scanner struct {
	Archive    *format.Archive
	Partitions []format.TopicPartition
	Window     format.Selection
	start      *format.Selection // of the first partition; nil: Window
	Backwards  bool              // from the last record of the last partition to the first of the first

	Keys    func(key []byte) bool // of records that the rules do not leave out; nil: any
	LeftOut func(records int64)   // is told of row groups that are not decoded, because they have none of the keys
}

// Each calls do with the records of row groups, one while the next is decoded, which takes about as long as most of what is done with
// them. They are valid during the call.
func (s *Scanner) Each(ctx context.Context, do func(format.TopicPartition, []format.Record) error) error {
	partitions := s.Partitions
	if s.Backwards {
		partitions = slices.Clone(partitions)
		slices.Reverse(partitions)
	}
	for i, tp := range partitions {
		w := s.Window
		if i == 0 && s.start != nil {
			w = *s.start
		}
		err := scanPartition(ctx, s.groups(tp, w), func(records []format.Record) error { return do(tp, records) })
		if err == ErrEnough {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Scanner) groups(tp format.TopicPartition, w format.Selection) groups {
	if s.Backwards {
		return &backwards{walk: s.Archive.Walk(tp, w), reader: s.reader()}
	}
	return newCursor(s.reader(), tp, w)
}

func (s *Scanner) reader() groupReader {
	return groupReader{s.Archive.NewGroupReader(1), s.Keys, s.LeftOut}
}

// groupReader decodes row groups, but for those of which the rules leave out every record by its key.
type groupReader struct {
	*format.GroupReader
	keys    func(key []byte) bool
	leftOut func(records int64)
}

// Read is that of a format.GroupReader.
func (r groupReader) Read(p *format.Place, b *format.Buffer) ([]format.Record, error) {
	if r.keys != nil && p.Whole() && !r.MayHaveKey(p, r.keys) {
		r.leftOut(p.Group().Records)
		return nil, nil
	}
	return r.GroupReader.Read(p, b)
}

// groups gives the records of row groups, io.EOF after the last.
type groups interface {
	NextInto(*format.Buffer) ([]format.Record, error)
	Close() error
}

func scanPartition(ctx context.Context, g groups, do func([]format.Record) error) error {
	defer g.Close()
	both, ctx := errgroup.WithContext(ctx)
	decoded := make(chan []format.Record)
	both.Go(func() error {
		defer close(decoded)
		return decode(ctx, g, decoded)
	})
	both.Go(func() error {
		for records := range decoded {
			if err := do(records); err != nil {
				return err
			}
		}
		return nil
	})
	return both.Wait()
}

// decode uses two buffers in turns: when a row group is taken, the one before it is done with.
func decode(ctx context.Context, g groups, to chan<- []format.Record) error {
	var buffers [2]format.Buffer
	for i := 0; ; i++ {
		records, err := g.NextInto(&buffers[i%2])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case to <- records:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// backwards gives a partition from its end. The walk is what finds its row groups.
type backwards struct {
	walk   *format.Walk
	reader groupReader
	places []format.Place
	listed bool
}

// NextInto returns the records of the row group before the last one that it gave, the last first.
func (b *backwards) NextInto(buffer *format.Buffer) ([]format.Record, error) {
	for {
		p, err := b.place()
		if err != nil {
			return nil, err
		}
		records, err := b.reader.Read(p, buffer)
		if err != nil || len(records) > 0 {
			slices.Reverse(records)
			return records, err
		}
	}
}

// place is the place before the last one; io.EOF before the first.
func (b *backwards) place() (*format.Place, error) {
	for !b.listed {
		p, err := b.walk.Next()
		if err == io.EOF {
			b.listed = true
			break
		}
		if err != nil {
			return nil, err
		}
		b.places = append(b.places, p)
	}
	last := len(b.places) - 1
	if last < 0 {
		return nil, io.EOF
	}
	p := b.places[last]
	b.places = b.places[:last]
	return &p, nil
}

// Close closes what is open.
func (b *backwards) Close() error { return b.reader.Close() }
