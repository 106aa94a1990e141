package format

import (
	"fmt"
	"io"
	"slices"
)

// Window selects records. The zero value selects all.
type Window struct {
	FromOffset  int64  // inclusive
	UntilOffset int64  // exclusive; 0: no bound
	FromMs      *int64 // inclusive, compared with TimestampMs; nil: no bound
	UntilMs     *int64 // exclusive; nil: no bound
}

// Contains says whether r is in the window.
func (w Window) Contains(r *Record) bool {
	return w.overlaps(r.Offset, r.Offset+1) && w.overlapsTime(r.TimestampMs, r.TimestampMs)
}

// overlaps says whether an offset in [from, until) may be in the window.
func (w Window) overlaps(from, until int64) bool {
	return until > w.FromOffset && (w.UntilOffset == 0 || from < w.UntilOffset)
}

// overlapsTime says whether a timestamp from min to max, both inclusive, may be in the window.
func (w Window) overlapsTime(min, max int64) bool {
	return (w.FromMs == nil || max >= *w.FromMs) && (w.UntilMs == nil || min < *w.UntilMs)
}

func (w Window) overlapsGroup(g *RowGroup) bool {
	return w.overlaps(g.FirstOffset, g.LastOffset+1) && w.overlapsTime(g.MinTimestampMs, g.MaxTimestampMs)
}

// Cursor walks one partition's records in offset order, a row group at a time, and opens only the segments and row groups that
// overlap its window. It is for one goroutine at a time.
type Cursor struct {
	archive  *Archive
	window   Window
	segments []Segment // not opened yet
	reader   *SegmentReader
	group    int // the next row group of reader
	err      error
}

// Cursor returns a cursor over the segments that tp has now.
func (a *Archive) Cursor(tp TopicPartition, w Window) *Cursor {
	list := a.Segments(tp)
	// A segment covers the offsets up to the next one, so names are enough to leave out those before and behind the window.
	first, last := 0, len(list)
	for first+1 < last && list[first+1].Base <= w.FromOffset {
		first++
	}
	for last > first && w.UntilOffset != 0 && list[last-1].Base >= w.UntilOffset {
		last--
	}
	return &Cursor{archive: a, window: w, segments: list[first:last]}
}

// Next returns the records in the window of the next row group that has any; io.EOF after the last. The caller owns them. An error is
// final: what comes after a segment that cannot be read is not returned.
func (c *Cursor) Next() ([]Record, error) { return c.NextInto(nil) }

// NextInto is Next into the memory of b.
func (c *Cursor) NextInto(b *Buffer) ([]Record, error) {
	for c.err == nil {
		if c.reader == nil {
			c.err = c.openNext()
			continue
		}
		groups := c.reader.Document().Groups
		if c.group == len(groups) {
			c.err = c.closeReader()
			continue
		}
		i := c.group
		c.group++
		if !c.window.overlapsGroup(&groups[i]) {
			continue
		}
		if records := c.read(i, b); len(records) > 0 {
			return records, nil
		}
	}
	return nil, c.err
}

// read returns the records of row group i that are in the window, or none and c.err.
func (c *Cursor) read(i int, b *Buffer) []Record {
	records, err := c.reader.ReadGroupInto(i, b)
	if err != nil {
		c.err = err
		return nil
	}
	return slices.DeleteFunc(records, func(r Record) bool { return !c.window.Contains(&r) })
}

// openNext opens the next segment that may hold records of the window.
func (c *Cursor) openNext() error {
	if len(c.segments) == 0 {
		return io.EOF
	}
	s := c.segments[0]
	c.segments = c.segments[1:]
	// The document of a segment that is not needed is often known already.
	if d := c.archive.documents.get(s.Path); d != nil && !c.needs(d) {
		return c.checkNext(d)
	}
	r, err := c.archive.OpenSegment(s)
	if err != nil {
		return err
	}
	d := r.Document()
	if err := c.checkNext(d); err != nil || !c.needs(d) {
		r.Close()
		return err
	}
	c.reader, c.group = r, 0
	return nil
}

func (c *Cursor) needs(d *Document) bool {
	return slices.ContainsFunc(d.Groups, func(g RowGroup) bool { return c.window.overlapsGroup(&g) })
}

// checkNext checks that the segment of document d ends where the next one begins.
func (c *Cursor) checkNext(d *Document) error {
	if len(c.segments) == 0 {
		return nil
	}
	if err := c.archive.checkAdjoins(c.segments[0], d); err != nil {
		return fmt.Errorf("%s: %w", c.segments[0].Path, err)
	}
	return nil
}

// Close closes the file that is open. Next then returns io.EOF.
func (c *Cursor) Close() error {
	if c.err == nil {
		c.err = io.EOF
	}
	return c.closeReader()
}

func (c *Cursor) closeReader() error {
	if c.reader == nil {
		return nil
	}
	err := c.reader.Close()
	c.reader = nil
	return err
}
