package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/printable"
)

// WriterOptions says of what a segment is, and how it is written.
type WriterOptions struct {
	Topic       string // a legal Kafka topic name
	Partition   int32
	Base        int64 // first covered offset
	Source      origin.Source
	Encoding    Encoding // empty: Parquet
	Compression Compression
	// Encoders bounds, by its capacity, how many row groups are encoded at once over all segments that share it, and with that their
	// memory: one that needs a place waits for it. nil: row groups are encoded on the caller's goroutine.
	Encoders chan struct{}
}

func (o WriterOptions) normalize() (WriterOptions, error) {
	if err := ondisk.CheckTopic(o.Topic); err != nil {
		return o, err
	}
	if o.Partition < 0 || o.Base < 0 {
		return o, fmt.Errorf("partition %d from offset %d: both must not be negative", o.Partition, o.Base)
	}
	if err := o.Source.Isolation.Check(); err != nil {
		return o, err
	}
	if o.Encoding == "" {
		o.Encoding = Parquet
	}
	if !knownEncoding(o.Encoding) {
		return o, fmt.Errorf("unknown encoding %q", o.Encoding)
	}
	return o, nil
}

// writer writes the rows of one segment: Write, Skip and Gap in offset order. A [Pending] has one, and ends it. After an error it is of no
// use any more. It is for one goroutine; with Encoders it starts others for row groups, and the end of the segment waits for them.
type writer struct {
	out     io.Writer
	options WriterOptions
	encoder encoder

	batch    *batch // the current row group; nil before its first record
	jobs     []*encodeJob
	written  int64 // bytes given to out
	position int64
	pending  skipped // offsets skipped since the last record
	keysSize int     // footer bytes of all header keys that are not UTF-8
	doc      Document
	err      error
	closed   bool
}

// skipped counts offsets without a record.
type skipped struct{ control, filtered int64 }

var errWriterClosed = errors.New("segment is finished")

// newWriter starts a segment on w. The writer never closes w; it writes to it only from the goroutine that calls its methods, and
// not before the first row group is complete.
func newWriter(w io.Writer, o WriterOptions) (*writer, error) {
	o, err := o.normalize()
	if err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	encoding := encodingNamed(o.Encoding)
	level, err := o.Compression.level()
	if err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	encoder, err := encoding.newEncoder(level)
	if err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	return &writer{out: w, options: o, encoder: encoder, position: o.Base, doc: Document{
		Version: encoding.version, Topic: o.Topic, Partition: o.Partition, BaseOffset: o.Base,
		LastLeaderEpoch: NoLeaderEpoch, Source: o.Source, Groups: []RowGroup{},
	}}, nil
}

// Write adds a record, whose offset must be at least Position, and copies what it points to.
func (w *writer) Write(r *Record) error {
	size := CanonicalSize(r)
	if err := w.accepts(r, size); err != nil {
		return err
	}
	if w.batch != nil && !w.batch.fits(r, size) {
		if err := w.Cut(); err != nil {
			return err
		}
	}
	w.add(r, size)
	return nil
}

func (w *writer) accepts(r *Record, size int64) error {
	if err := w.check(r.Offset); err != nil {
		return err
	}
	if err := checkRecord(r, size); err != nil {
		return w.fail(err)
	}
	return nil
}

// add puts a record into the current row group.
func (w *writer) add(r *Record, size int64) {
	if w.batch == nil {
		w.batch = newBatch()
	}
	w.batch.info.Control += w.pending.control
	w.batch.info.Filtered += w.pending.filtered
	w.pending = skipped{}
	keys := w.batch.keysSize
	w.batch.add(r, size)
	w.keysSize += w.batch.keysSize - keys
	w.doc.Records++
	w.doc.Bytes += size
	w.advance(r.Offset, r.LeaderEpoch)
}

// Skip counts offset, at least Position, as one without a record, for ledger.Control or ledger.Filtered. Epoch is the leader epoch of what was
// there, NoLeaderEpoch if unknown.
func (w *writer) Skip(offset int64, epoch int32, reason ledger.Reason) error {
	if err := w.check(offset); err != nil {
		return err
	}
	switch reason {
	case ledger.Control:
		w.doc.Control++
		w.pending.control++
	case ledger.Filtered:
		w.doc.Filtered++
		w.pending.filtered++
	default:
		return w.fail(fmt.Errorf("skip offset %d: reason %q is not counted by offset", offset, reason))
	}
	w.advance(offset, epoch)
	return nil
}

// Pass goes on to until, at least Position, past offsets without a record of which so many were markers and so many were left out; the others
// are absent. It is Skip for who does not know which is which. Epoch is the leader epoch of what was there last, NoLeaderEpoch if unknown.
func (w *writer) Pass(until int64, epoch int32, control, filtered int64) error {
	if err := w.check(until); err != nil {
		return err
	}
	if room := until - w.position; control < 0 || filtered < 0 || control > room || filtered > room-control {
		return w.fail(fmt.Errorf("pass %d control and %d filtered offsets of %d", control, filtered, room))
	}
	w.doc.Control, w.pending.control = w.doc.Control+control, w.pending.control+control
	w.doc.Filtered, w.pending.filtered = w.doc.Filtered+filtered, w.pending.filtered+filtered
	w.advance(until-1, epoch)
	return nil
}

// Gap names a range, from at least Position, that is lost: ledger.Retention or ledger.Corrupt.
func (w *writer) Gap(g ledger.Gap) error {
	if err := w.check(g.From); err != nil {
		return err
	}
	if g.Until <= g.From || !g.Reason.Ranged() {
		return w.fail(fmt.Errorf("gap %d..%d (%s) is not one", g.From, g.Until, g.Reason))
	}
	w.doc.Gaps = ledger.Append(w.doc.Gaps, g)
	w.position = g.Until
	return nil
}

func (w *writer) check(offset int64) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return errWriterClosed
	}
	if offset < w.position {
		return w.fail(fmt.Errorf("offset %d after position %d: records must come in offset order", offset, w.position))
	}
	return nil
}

func (w *writer) advance(offset int64, epoch int32) {
	w.position = offset + 1
	if epoch != NoLeaderEpoch {
		w.doc.LastLeaderEpoch = epoch
	}
}

func (w *writer) fail(err error) error {
	w.err = fmt.Errorf("segment %s-%d at %d: %w", w.options.Topic, w.options.Partition, w.options.Base, err)
	return w.err
}

// Cut ends the current row group, if it has a record, and hands it to an encoder. Row groups end by themselves by a rule on records;
// a caller that cuts at other moments gives up equal bytes for equal records.
func (w *writer) Cut() error {
	if w.err != nil {
		return w.err
	}
	if w.batch == nil {
		return nil
	}
	w.jobs = append(w.jobs, encodeSlots(w.options.Encoders).start(w.batch, w.encoder))
	w.batch = nil
	for len(w.jobs) > cap(w.options.Encoders) {
		if err := w.writeOldest(); err != nil {
			return err
		}
	}
	return w.writeFinished()
}

// Flush waits for the row groups that are being encoded and writes them. A Pending with Encoders holds up to as many in memory as
// those have places, until a later row group pushes them out: who has many open flushes those that rest. It cuts no row group.
func (w *writer) Flush() error {
	for w.err == nil && len(w.jobs) > 0 {
		if err := w.writeOldest(); err != nil {
			return err
		}
	}
	return w.err
}

// writeFinished writes the row groups that are encoded, as far as they are next in the file.
func (w *writer) writeFinished() error {
	for len(w.jobs) > 0 {
		select {
		case <-w.jobs[0].done:
			if err := w.writeOldest(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (w *writer) writeOldest() error {
	job := w.jobs[0]
	<-job.done
	w.jobs[0] = nil
	w.jobs = w.jobs[1:]
	g := job.result
	if g.err != nil {
		return w.fail(fmt.Errorf("encode row group: %w", g.err))
	}
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.encoder.place(g.place, w.written); err != nil {
		return w.fail(fmt.Errorf("place row group: %w", err))
	}
	w.doc.Groups = append(w.doc.Groups, g.info)
	return w.emit(g.data)
}

func (w *writer) begin() error {
	if w.written > 0 {
		return nil
	}
	return w.emit(w.encoder.begin())
}

func (w *writer) emit(b []byte) error {
	n, err := w.out.Write(b)
	w.written += int64(n)
	if err != nil {
		return w.fail(fmt.Errorf("write: %w", err))
	}
	return nil
}

// Written is how many bytes of the segment are in its file.
func (w *writer) Written() int64 { return w.written }

// Position is the first offset that Write takes: one past the last one written, skipped or lost, at first the base.
func (w *writer) Position() int64 { return w.position }

// Records is the number of records written.
func (w *writer) Records() int64 { return w.doc.Records }

// Bytes is the canonical size of the records written.
func (w *writer) Bytes() int64 { return w.doc.Bytes }

// Buffered is the memory, in canonical bytes, of the records that are in no row group yet.
func (w *writer) Buffered() int64 {
	if w.batch == nil {
		return 0
	}
	return w.batch.info.Bytes
}

// Full says that the segment is near a limit of the format (row groups, footer size) and must be finished. It depends on nothing
// but what was written, so it is a rule that a deterministic capture may rotate by.
func (w *writer) Full() bool {
	return len(w.doc.Groups)+len(w.jobs) >= maxRowGroups || w.keysSize >= maxHeaderKeysBytes || len(w.doc.Gaps) >= maxRowGroups
}

// finish writes the last row group and the footer. The segment then covers [Base, next); next must be at least Position and past
// Base. The document must not be changed.
func (w *writer) finish(next int64) (*Document, error) {
	if err := w.check(next); err != nil {
		return nil, err
	}
	if next <= w.options.Base {
		return nil, w.fail(fmt.Errorf("finish at %d: a segment covers at least one offset", next))
	}
	if err := w.Cut(); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	w.doc.NextOffset = next
	w.closed = true
	doc := w.doc // of its own: archives keep documents, and with a part of the writer they would keep all of it
	return &doc, w.writeFooter()
}

func (w *writer) writeFooter() error {
	if err := w.begin(); err != nil { // no row group did
		return err
	}
	document, err := json.Marshal(&w.doc)
	if err != nil {
		return w.fail(fmt.Errorf("document: %w", err))
	}
	document = printable.AppendJSON(nil, document)
	if len(document) > maxDocumentBytes {
		return w.fail(fmt.Errorf("document of %d bytes: %w", len(document), ondisk.ErrTooLarge))
	}
	footer, err := w.encoder.end(w.written, document)
	if err != nil {
		return w.fail(fmt.Errorf("footer: %w", err))
	}
	return w.emit(footer)
}

// abort gives the segment up: it waits for the encoders and drops what they made. After finish it does nothing.
func (w *writer) abort() {
	w.closed = true
	for _, job := range w.jobs {
		<-job.done
	}
	w.jobs = nil
	if w.batch != nil {
		w.batch.free()
		w.batch = nil
	}
}
