package format

import (
	"io"
	"weak"
)

// What tests outside the package need of the inside: a segment without an archive around it, and how much is read.

type (
	Writer = writer
	Reader = reader
)

func NewWriter(w io.Writer, o WriterOptions) (*Writer, error) { return newWriter(w, o) }

func (w *Writer) Finish(next int64) (*Document, error) { return w.finish(next) }

func (w *Writer) Abort() { w.abort() }

func NewReader(r io.ReaderAt, size int64) (*Reader, error) { return newReader(r, size) }

func (r *Reader) Encoding() Encoding { return r.encoding }

func (r *Reader) Document() *Document { return r.doc }

func (r *Reader) ReadGroup(i int) ([]Record, error) { return r.readGroup(i, nil) }

func (r *Reader) ReadGroupInto(i int, b *Buffer) ([]Record, error) { return r.readGroup(i, b) }

// The errors that nobody is known to branch on.
var (
	ErrReadOnly    = errReadOnly
	ErrForeignFile = errForeignFile
	ErrTopicCase   = errTopicCase
	ErrUnlisted    = errUnlisted
)

func (c Completeness) In(s *Selection) Completeness { return c.in(s) }

// Writer tells whether anything still points to what p writes with.
func (p *Pending) Writer() weak.Pointer[writer] { return weak.Make(p.writer) }

func (a *Archive) BytesRead() int64 { return a.bytesRead.Load() }
