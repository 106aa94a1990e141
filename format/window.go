package format

// The bounds of a Selection are the same for each of its partitions. What is asked here leaves open whether it takes the partition.

// Contains says whether the bounds of the selection hold r.
func (s *Selection) Contains(r *Record) bool {
	return s.overlaps(r.Offset, r.Offset+1) && s.overlapsTime(r.TimestampMs, r.TimestampMs)
}

// overlaps says whether an offset in [from, until) may be selected.
func (s *Selection) overlaps(from, until int64) bool {
	return until > s.FromOffset && (s.UntilOffset == 0 || from < s.UntilOffset)
}

// overlapsTime says whether a timestamp from min to max, both inclusive, may be selected.
func (s *Selection) overlapsTime(min, max int64) bool {
	return (s.From.IsZero() || max >= milliseconds(s.From)) && (s.Until.IsZero() || min < milliseconds(s.Until))
}

// overlapsGroup says whether some records of a row group may be selected.
func (s *Selection) overlapsGroup(g *RowGroup) bool {
	return s.overlaps(g.FirstOffset, g.LastOffset+1) && s.overlapsTime(g.MinTimestampMs, g.MaxTimestampMs)
}

// holds says whether all records of a row group are selected.
func (s *Selection) holds(g *RowGroup) bool {
	return g.FirstOffset >= s.FromOffset && (s.UntilOffset == 0 || g.LastOffset < s.UntilOffset) &&
		(s.From.IsZero() || g.MinTimestampMs >= milliseconds(s.From)) && (s.Until.IsZero() || g.MaxTimestampMs < milliseconds(s.Until))
}
