package format

import "time"

// TimestampType says who set a record's timestamp.
type TimestampType int8

// The timestamp types of Kafka's record batch attributes, and none for message format 0, which has no timestamp.
const (
	TimestampNone      TimestampType = -1
	TimestampCreate    TimestampType = 0
	TimestampLogAppend TimestampType = 1
)

// NoTimestamp is the TimestampMs of a record without a timestamp. It is kept as it is.
const NoTimestamp int64 = -1

// NoLeaderEpoch is the LeaderEpoch of a record whose epoch the broker did not tell.
const NoLeaderEpoch int32 = -1

// Record is one Kafka record as the log holds it, but for its topic and partition, which its segment says once. Nil and empty are
// different in Key, Value and in header values: nil is Kafka's null.
type Record struct {
	Offset        int64         // position in the partition's log
	TimestampMs   int64         // milliseconds since the Unix epoch; NoTimestamp: none
	TimestampType TimestampType // who set TimestampMs
	LeaderEpoch   int32         // epoch of the leader that appended it; NoLeaderEpoch: unknown
	Key           []byte        // nil: null
	Value         []byte        // nil: null, a tombstone
	Headers       []Header      // in order, duplicates kept; nil and empty mean the same
}

// Header is one record header. Key is UTF-8 by Kafka's protocol, but any bytes are kept.
type Header struct {
	Key   string
	Value []byte // nil: null
}

// Time is TimestampMs as a time in UTC. A record without a timestamp gives the zero Time.
func (r *Record) Time() time.Time {
	if r.TimestampMs == NoTimestamp {
		return time.Time{}
	}
	return time.UnixMilli(r.TimestampMs).UTC()
}
