package reshape

import (
	"fmt"

	"github.com/karchive/karchive/format"
)

// Record is a record and its place. A pipeline replaces Key, Value, Headers and TimestampMs of it; it never writes to the bytes that
// they pointed to.
type Record struct {
	format.Record
	Topic     string
	Partition int32
}

// Verdict says what becomes of a record.
type Verdict uint8

// The verdicts. A record that does not pass may be half changed: nothing of it may be used.
const (
	Pass        Verdict = iota // goes on, as the rules made it
	FilteredOut                // the filter is not true of it
	SampledOut                 // its entity is not in the sample
	Withheld                   // a rule could not be applied to it, or it has a field that looks personal and has no rule
)

// String names the verdict in one word, as reports do.
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "passed"
	case FilteredOut:
		return "filtered"
	case SampledOut:
		return "sampled"
	}
	return "withheld"
}

// RecordError is an error about one record, with its place.
type RecordError struct {
	Topic     string
	Partition int32
	Offset    int64
	Err       error
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("%s-%d offset %d: %v", e.Topic, e.Partition, e.Offset, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }
