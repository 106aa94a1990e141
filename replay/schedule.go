package replay

import "time"

// Schedule says when records are due. It is a pure function of the recording and knows no clock: the same records are due at the same
// moments of every replay.
type Schedule interface {
	// Due is how long after the start the record is due that is number index, from 0, in playing order and has the timestamp
	// timestampMs. A negative value, or one before that of an earlier record, means now.
	Due(index, timestampMs int64) time.Duration
}

// Max is the schedule of a replay at top speed: every record is due at once.
type Max struct{}

// Due is 0.
func (Max) Due(int64, int64) time.Duration { return 0 }
