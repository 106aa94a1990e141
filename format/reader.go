package format

import "io"

// Reader reads one segment, row group by row group.
type Reader struct{}

// NewReader reads the footer of a segment of size bytes and checks it.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) { panic("todo") }

// Document describes the segment. It must not be changed.
func (r *Reader) Document() *Document { panic("todo") }

// ReadGroup decodes row group i, checks its digest and returns its records, in offset order. The caller owns them; one row group's
// records share memory.
func (r *Reader) ReadGroup(i int) ([]Record, error) { panic("todo") }

// ReadDocument reads and checks only the footer document of a segment.
func ReadDocument(r io.ReaderAt, size int64) (*Document, error) { panic("todo") }
