package replay

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/kafka"
)

var (
	// ErrConnect is wrapped when no broker of the target answers.
	ErrConnect = kafka.ErrConnect
	// ErrIncomplete is wrapped when records were not acknowledged; the Report says which and why.
	ErrIncomplete = errors.New("not all records were acknowledged")
)

// MissingTopicsError is returned when the target lacks topics and Options.CreateTopics is not set.
type MissingTopicsError struct {
	Cluster string
	Topics  []string // names in the target, sorted
}

func (e *MissingTopicsError) Error() string {
	return fmt.Sprintf("cluster %s has no topic %s", e.Cluster, strings.Join(e.Topics, ", "))
}

// CreateTopicError is returned when the target does not make a topic, or says beforehand that it would not.
type CreateTopicError struct {
	Topic string
	Err   error
}

func (e *CreateTopicError) Error() string { return fmt.Sprintf("create topic %s: %v", e.Topic, e.Err) }

func (e *CreateTopicError) Unwrap() error { return e.Err }

// RefusedError is returned when the preflight is certain of a loss, or that the target is the wrong one. Nothing was made or sent.
type RefusedError struct {
	Findings []Finding // those that refuse
}

func (e *RefusedError) Error() string {
	f := e.Findings[0]
	if more := len(e.Findings) - 1; more > 0 {
		return fmt.Sprintf("replay refused: %s: %s (and %d more)", f.What, f.Consequence, more)
	}
	return fmt.Sprintf("replay refused: %s: %s", f.What, f.Consequence)
}

// MismatchError is returned when a checkpoint belongs to another replay.
type MismatchError struct {
	What  string // "archive", "target cluster", an option, "topic id of NAME"
	Saved string // the value in the checkpoint
	Now   string // the value of this replay

	ReplayID string // of a replay that is exactly once
}

func (e *MismatchError) Error() string {
	if e.ReplayID != "" {
		return fmt.Sprintf("the target has progress of another replay with the id %s: its %s is %q, here it is %q", e.ReplayID, e.What, e.Saved, e.Now)
	}
	return fmt.Sprintf("the saved progress is that of another replay: its %s is %q, here it is %q", e.What, e.Saved, e.Now)
}

// StalledError is returned when the target acknowledged nothing for Options.StallTimeout though records were under way.
type StalledError struct {
	For time.Duration
	Err error // what the connections met last; nil: nothing
}

func (e *StalledError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the target acknowledged nothing for %s", e.For.Round(time.Second))
	}
	return fmt.Sprintf("the target acknowledged nothing for %s: %v", e.For.Round(time.Second), e.Err)
}

func (e *StalledError) Unwrap() error { return e.Err }

// Reasons why a record is not sent, as errors that its Failure or the counts of the Report name.
var (
	ErrTimestampRange  = errors.New("its timestamp cannot be sent: it lies beyond the years 1678 to 2262")
	ErrTimestampWindow = errors.New("its timestamp is further from now than the target accepts")
	ErrTooLarge        = errors.New("it is larger than the max.message.bytes of the target")
	ErrNoKey           = errors.New("it has no key, and the target topic is compacted")
	ErrNotAcknowledged = errors.New("the replay stopped before it was acknowledged")
)
