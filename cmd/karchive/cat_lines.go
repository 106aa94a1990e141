package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/internal/schema"
)

// catLines prints records, at once or when they are sorted.
type catLines struct {
	out    io.Writer // to buffer
	buffer *bufio.Writer
	spell  func(dst []byte, tp format.TopicPartition, r *format.Record) []byte // nil: as JSON, with documents by schemas
	reader *schema.Reader
	line   []byte
	most   int64 // lines that are printed; 0: all
	last   int64 // of the sorted ones; 0: all
	done   int64
	sorted *byTime // nil: they are printed as they come
}

func newCatLines(e *env, o *catOptions, reader *schema.Reader) *catLines {
	l := &catLines{buffer: bufio.NewWriterSize(e.stdout, 1<<20), most: o.most(), reader: reader}
	l.out = l.buffer
	switch {
	case o.template != nil:
		l.spell = o.template.append
		if e.onScreen { // contents would write to it
			l.out = printable.NewWriter(l.buffer)
		}
	case o.values == "json":
		l.spell = jsonl.AppendOpen
	}
	if o.order == timeOrder {
		l.sorted, l.last = newByTime(o.reverse), o.last
	}
	return l
}

func (l *catLines) record(tp format.TopicPartition, r *format.Record) error {
	l.line = l.append(l.line[:0], tp, r)
	if l.sorted != nil {
		return l.sorted.add(r.TimestampMs, l.line)
	}
	return l.print(l.line)
}

func (l *catLines) append(dst []byte, tp format.TopicPartition, r *format.Record) []byte {
	key, value := l.reader.Read(tp.Topic, r)
	switch {
	case l.spell != nil:
		read := *r
		schema.Put(&read, key, value)
		return l.spell(dst, tp, &read)
	case key == nil && value == nil:
		return jsonl.Append(dst, tp, r)
	}
	return jsonl.AppendRead(dst, tp, r, key, value)
}

func (l *catLines) print(line []byte) error {
	if _, err := l.out.Write(line); err != nil {
		return err
	}
	if l.done++; l.done == l.most {
		return scan.ErrEnough
	}
	return nil
}

// finish prints what is sorted.
func (l *catLines) finish(ctx context.Context) error {
	if l.sorted != nil {
		if err := l.sorted.each(ctx, l.ofLast()); err != nil {
			return err
		}
	}
	return l.flush()
}

// ofLast prints a line when it is one of the last.
func (l *catLines) ofLast() func([]byte) error {
	skip := int64(0)
	if l.last > 0 && !l.sorted.down {
		skip = l.sorted.lines - l.last
	}
	return func(line []byte) error {
		if skip--; skip >= 0 {
			return nil
		}
		return l.print(line)
	}
}

func (l *catLines) flush() error { return l.buffer.Flush() }

func (l *catLines) close() error {
	if l.sorted == nil {
		return nil
	}
	return l.sorted.sorter.Close()
}

// passing calls do with each record that the rules let through, as they leave it.
func passing(rules *reshape.Pipeline, do func(format.TopicPartition, *format.Record) error) (each func(format.TopicPartition, []format.Record) error, end func()) {
	apply, end := func(format.TopicPartition, *format.Record) (bool, error) { return true, nil }, func() {}
	if rules != nil {
		w := rules.Worker()
		apply, end = applying(w), w.Close
	}
	return func(tp format.TopicPartition, records []format.Record) error {
		for i := range records {
			offset := records[i].Offset
			passes, err := apply(tp, &records[i])
			if err != nil {
				return fmt.Errorf("%s: %w", placeOf(tp, offset), err)
			}
			if !passes {
				continue
			}
			if err := do(tp, &records[i]); err != nil {
				return err
			}
		}
		return nil
	}, end
}

// printCount prints how many records there are. Without rules whole row groups are counted by their documents.
func printCount(ctx context.Context, e *env, s *scan.Scanner, rules *reshape.Pipeline) (err error) {
	var n int64
	each, end := passing(rules, func(format.TopicPartition, *format.Record) error { n++; return nil })
	defer end()
	if rules != nil {
		err = s.Each(ctx, each)
	} else {
		n, err = s.Count(ctx)
	}
	if err == nil {
		_, err = printable.Fprintf(e.text, "%d\n", n)
	}
	return err
}
