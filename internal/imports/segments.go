package imports

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/canonical"
)

// segmentBytes is where a segment ends and the next begins, as in a capture.
const segmentBytes = 256 << 20

// write makes the segments of what is in the spool.
func (i *importer) write(ctx context.Context) error {
	if err := i.describe(); err != nil {
		return err
	}
	w := &segmentWriter{importer: i, encoders: make(chan struct{}, runtime.GOMAXPROCS(0))}
	defer w.abandon()
	n := int64(0)
	err := i.spool.each(func(e *entry) error {
		if n++; n%1024 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			i.progress(n)
		}
		return w.entry(e)
	})
	if err != nil {
		return err
	}
	if err := w.end(); err != nil {
		return err
	}
	if err := w.empty(); err != nil {
		return err
	}
	slices.SortFunc(i.report.Partitions, func(a, b PartitionReport) int { return a.place().Compare(b.place()) })
	return nil
}

// describe puts the topics into the archive's identity.
func (i *importer) describe() error {
	id := i.archive.Identity()
	known := map[string]origin.Topic{}
	if i.told != nil {
		id.ClusterID, id.Capture = i.told.ClusterID, i.told.Capture
		for _, t := range i.told.Topics {
			known[t.Name] = t
		}
	}
	for name, t := range i.topics {
		of := known[name]
		of.Name, of.Partitions = name, max(of.Partitions, 1)
		for p := range t.partitions {
			of.Partitions = max(of.Partitions, p+1)
		}
		known[name] = of
	}
	id.Topics = slices.Collect(maps.Values(known))
	return i.archive.SetIdentity(id)
}

// segmentWriter writes entries, which come in order, into segments.
type segmentWriter struct {
	*importer
	encoders chan struct{}
	place    format.TopicPartition // that is written
	pending  *format.Pending
	coverage *coverage // of the partition; nil: nothing is told
	last     entry     // that was written; data is a copy
	begun    bool
	next     int64 // behind last
}

func (w *segmentWriter) entry(e *entry) error {
	samePartition := w.begun && w.last.topic == e.topic && w.last.partition == e.partition
	switch {
	case samePartition && w.last.offset == e.offset:
		return w.doubled(e)
	case !samePartition:
		if err := w.end(); err != nil {
			return err
		}
		if err := w.open(w.begin(e)); err != nil {
			return err
		}
	case w.pending.Full() || w.pending.Bytes() >= segmentBytes:
		if err := w.split(e.offset); err != nil {
			return err
		}
	}
	if err := w.passTo(e.offset); err != nil {
		return err
	}
	if err := w.put(e); err != nil {
		return err
	}
	w.next = e.offset + 1
	p := &w.report.Partitions[len(w.report.Partitions)-1]
	p.Next = w.next
	w.begun, w.last.key, w.last.filePlace, w.last.filtered = true, e.key, e.filePlace, e.filtered
	w.last.data = append(w.last.data[:0], e.data...)
	return nil
}

// begin begins the report of a partition, and returns where it begins.
func (w *segmentWriter) begin(e *entry) (from int64) {
	w.place = format.TopicPartition{Topic: w.names[e.topic], Partition: e.partition}
	given := w.topics[w.place.Topic].partitions[e.partition].given
	from = e.offset
	if w.coverage = w.covered[w.place]; w.coverage != nil {
		w.coverage.begun = true
		from = w.coverage.From
	}
	w.report.Partitions = append(w.report.Partitions, PartitionReport{Topic: w.place.Topic, Partition: e.partition, From: from, Next: from, Numbered: !given})
	return from
}

// open begins a segment of the partition.
func (w *segmentWriter) open(base int64) (err error) {
	w.pending, err = w.archive.NewSegment(w.settings(base))
	return err
}

// split goes on in another segment from an offset on.
func (w *segmentWriter) split(at int64) error {
	if err := w.passTo(at); err != nil {
		return err
	}
	if err := w.seal(at); err != nil {
		return err
	}
	return w.open(at)
}

// passTo goes on to an offset where there is a record, if it is told what is before it.
func (w *segmentWriter) passTo(offset int64) error {
	if w.coverage == nil {
		return nil
	}
	return w.coverage.pass(w.pending, offset)
}

// end ends the partition, if there is one.
func (w *segmentWriter) end() error {
	if w.pending == nil {
		return nil
	}
	if w.coverage != nil {
		if err := w.coverage.finish(w.pending); err != nil {
			return err
		}
		w.next = w.coverage.Next
		w.report.Partitions[len(w.report.Partitions)-1].Next = w.next
	}
	return w.seal(w.next)
}

// doubled leaves out a record at an offset where there is one.
func (w *segmentWriter) doubled(e *entry) error {
	if e.filtered || w.last.filtered || bytes.Equal(canonical.Payloads(e.data), canonical.Payloads(w.last.data)) {
		w.report.Doubled++
		return nil
	}
	where := fmt.Sprintf("line %d", w.last.line)
	if w.last.file != e.file {
		where = w.files[w.last.file] + " " + where
	}
	return w.leaveOut(&BadRow{File: w.files[e.file], Line: e.line,
		Err: fmt.Errorf("offset %d of %s-%d: %w: that of %s", e.offset, w.names[e.topic], e.partition, ErrOtherThere, where)})
}

func (w *segmentWriter) put(e *entry) error {
	r, err := e.record()
	if err != nil {
		return err
	}
	if e.filtered {
		w.report.Filtered++
		return w.pending.Skip(e.offset, r.LeaderEpoch, ledger.Filtered)
	}
	w.report.Records++
	w.report.Bytes += int64(len(e.data))
	w.report.Partitions[len(w.report.Partitions)-1].Records++
	return w.pending.Write(&r)
}

func (w *segmentWriter) settings(base int64) format.WriterOptions {
	o := format.WriterOptions{Topic: w.place.Topic, Partition: w.place.Partition, Base: base, Compression: w.options.Compression, Encoders: w.encoders}
	if w.coverage != nil {
		o.Source = w.coverage.Source
	}
	if w.options.Reshape != nil {
		o.Source.Rules = w.options.Reshape.Rules(w.archive.Identity().ArchiveID)
	}
	return o
}

// seal ends the segment, if there is one, before offset next.
func (w *segmentWriter) seal(next int64) error {
	if w.pending == nil {
		return nil
	}
	p := w.pending
	w.pending = nil
	if _, _, err := p.Seal(next); err != nil {
		p.Discard()
		return err
	}
	w.report.Segments++
	return nil
}

func (w *segmentWriter) abandon() {
	if w.pending != nil {
		w.pending.Discard()
	}
}
