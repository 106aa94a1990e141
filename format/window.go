package format

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
