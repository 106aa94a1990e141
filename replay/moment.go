package replay

import "github.com/karchive/karchive/format"

// counts says whether a timestamp says when. None does not, and one that no client can send is no time of an event.
func counts(timestampMs int64) bool {
	return timestampMs != format.NoTimestamp && sendable(timestampMs)
}

// reach is the time that a partition has reached with a record: that of its timestamp, or of a record before it when that is later.
func reach(reached, timestampMs int64) int64 {
	if !counts(timestampMs) {
		return reached
	}
	return max(reached, timestampMs)
}

// bound is a time before which no record of a row group counts, when its partition has reached a time before it.
func bound(g *format.RowGroup, reached int64) int64 {
	if counts(g.MinTimestampMs) && counts(g.MaxTimestampMs) {
		return max(reached, g.MinTimestampMs)
	}
	return reached
}
