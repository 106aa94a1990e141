package scan

import (
	"io"

	"github.com/karchive/karchive/format"
)

// Cursor reads one partition's records in offset order, a row group at a time, and opens only the segments and row groups that
// overlap its window. It is for one goroutine at a time.
type Cursor struct {
	walk   *format.Walk
	reader groupReader
	err    error
}

// NewCursor returns a cursor over the segments that tp has now.
func NewCursor(a *format.Archive, tp format.TopicPartition, w format.Selection) *Cursor {
	return newCursor(groupReader{GroupReader: a.NewGroupReader(1)}, tp, w)
}

func newCursor(r groupReader, tp format.TopicPartition, w format.Selection) *Cursor {
	return &Cursor{walk: r.Walk(tp, w), reader: r}
}

// Next returns the records in the window of the next row group that has any; io.EOF after the last. The caller owns them. An error is
// final: what comes after a segment that cannot be read is not returned.
func (c *Cursor) Next() ([]format.Record, error) { return c.NextInto(nil) }

// NextInto is Next into the memory of b.
func (c *Cursor) NextInto(b *format.Buffer) (records []format.Record, err error) {
	for c.err == nil {
		var p format.Place
		if p, c.err = c.walk.Next(); c.err != nil {
			break
		}
		records, c.err = c.reader.Read(&p, b)
		if len(records) > 0 {
			return records, nil
		}
	}
	return nil, c.err
}

// Close closes the file that is open. Next then returns io.EOF.
func (c *Cursor) Close() error {
	if c.err == nil {
		c.err = io.EOF
	}
	return c.reader.Close()
}
