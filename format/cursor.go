package format

import "io"

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

// overlapsGroup says whether some records of a row group may be in the window.
func (w Window) overlapsGroup(g *RowGroup) bool {
	return w.overlaps(g.FirstOffset, g.LastOffset+1) && w.overlapsTime(g.MinTimestampMs, g.MaxTimestampMs)
}

// holds says whether all records of a row group are in the window.
func (w Window) holds(g *RowGroup) bool {
	return g.FirstOffset >= w.FromOffset && (w.UntilOffset == 0 || g.LastOffset < w.UntilOffset) &&
		(w.FromMs == nil || g.MinTimestampMs >= *w.FromMs) && (w.UntilMs == nil || g.MaxTimestampMs < *w.UntilMs)
}

// Cursor reads one partition's records in offset order, a row group at a time, and opens only the segments and row groups that
// overlap its window: a Walk and a GroupReader in one. It is for one goroutine at a time.
type Cursor struct {
	walk   *Walk
	reader *GroupReader
	err    error
}

// Cursor returns a cursor over the segments that tp has now.
func (a *Archive) Cursor(tp TopicPartition, w Window) *Cursor {
	r := a.NewGroupReader(1)
	return &Cursor{walk: a.walk(tp, w, r.document), reader: r}
}

// Next returns the records in the window of the next row group that has any; io.EOF after the last. The caller owns them. An error is
// final: what comes after a segment that cannot be read is not returned.
func (c *Cursor) Next() ([]Record, error) { return c.NextInto(nil) }

// NextInto is Next into the memory of b.
func (c *Cursor) NextInto(b *Buffer) (records []Record, err error) {
	for c.err == nil {
		var p Place
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
