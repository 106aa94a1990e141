package format

import "io"

// Compression says how a segment's columns are compressed. The zero value is zstd at the fastest level.
type Compression struct {
	Codec string // "zstd" or "none"; empty: zstd
	Level int    // zstd level 1 (fastest) to 22; 0: 1
}

// Encoding is the file format of segments, and the extension of their names.
type Encoding string

// Parquet is the default encoding.
const Parquet Encoding = "parquet"

// WriterOptions configures a Writer.
type WriterOptions struct {
	Topic       string // a legal Kafka topic name
	Partition   int32
	Base        int64 // first covered offset
	Source      Source
	Encoding    Encoding // empty: Parquet
	Compression Compression
	Encoders    *Encoders // encodes row groups in parallel; nil: on the caller's goroutine
}

// Encoders bounds the row groups that are encoded at once, over all Writers that share it.
type Encoders struct{}

// NewEncoders returns Encoders that run n at a time.
func NewEncoders(n int) *Encoders { panic("todo") }

// Writer writes one segment. It's a state machine: Write, Skip and Gap in offset order, then Finish or Abort once.
type Writer struct{}

// NewWriter starts a segment on w, which it never closes.
func NewWriter(w io.Writer, o WriterOptions) (*Writer, error) { panic("todo") }

// Write adds a record, whose offset must be at least Position. It copies what r points to. An error is final.
func (w *Writer) Write(r *Record) error { panic("todo") }

// Skip counts the offset, at least Position, as one without a record: GapControl or GapFiltered.
func (w *Writer) Skip(offset int64, epoch int32, reason Reason) error { panic("todo") }

// Gap names a range, from at least Position, that is lost: GapRetention or GapCorrupt.
func (w *Writer) Gap(g Gap) error { panic("todo") }

// Cut ends the current row group early: what is in memory goes to the file. (Breaks determinism: only follow captures call it.)
func (w *Writer) Cut() error { panic("todo") }

// Position is the first offset that Write would take: one past the last written, skipped or lost, at first the base.
func (w *Writer) Position() int64 { panic("todo") }

// Records is the number of records written.
func (w *Writer) Records() int64 { panic("todo") }

// Bytes is the canonical size of the records written.
func (w *Writer) Bytes() int64 { panic("todo") }

// Buffered is the canonical size of the records in the current row group, not yet handed to an encoder.
func (w *Writer) Buffered() int64 { panic("todo") }

// Finish writes the footer: the segment then covers [Base, next), next at least Position and past Base.
func (w *Writer) Finish(next int64) (*Document, error) { panic("todo") }

// Abort gives up: it waits for encoders and drops what they made. After Finish it does nothing.
func (w *Writer) Abort() { panic("todo") }
