// Package moment says which timestamps of records tell a time.
package moment

import (
	"math"
	"time"

	"github.com/karchive/karchive/format"
)

// Untimed stands for no time: that of a record before which none of its partition had a timestamp that counts.
const Untimed = math.MinInt64

// Sendable says whether a timestamp gets through a Kafka client, which counts nanoseconds in 64 bits. -1, none, does.
func Sendable(timestampMs int64) bool {
	const limit = math.MaxInt64 / int64(time.Millisecond)
	return -limit <= timestampMs && timestampMs <= limit
}

// Counts says whether a timestamp says when. None does not, and one that no client can send is no time of an event.
func Counts(timestampMs int64) bool {
	return timestampMs != format.NoTimestamp && Sendable(timestampMs)
}

// Reach is the time that a partition has reached with a record: that of its timestamp, or of a record before it when that is later.
func Reach(reached, timestampMs int64) int64 {
	if !Counts(timestampMs) {
		return reached
	}
	return max(reached, timestampMs)
}
