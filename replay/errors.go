package replay

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// The kinds of errors that a replay ends with and that have no type of their own.
var (
	// ErrConnect is wrapped when no broker of the target answers.
	ErrConnect = kafka.ErrConnect
	// ErrOptions is wrapped by errors about options that cannot be, or that do not go together.
	ErrOptions = options.ErrInvalid
	// ErrIncomplete is wrapped when records were not acknowledged; the Report says which and why.
	ErrIncomplete = errors.New("not all records were acknowledged")
	// ErrStalled is wrapped when the target acknowledged nothing for Options.StallTimeout though records were under way, with what the
	// connections met last.
	ErrStalled = errors.New("the target acknowledged nothing")
	// ErrFenced is wrapped when another replay with the same id has begun: the target takes nothing more from this one, and what it sent after
	// its last commit does not count.
	ErrFenced = errors.New("this one is over")
	// ErrTransactionEnded is wrapped when the target ended a transaction by itself. What was sent after the last commit does not count.
	ErrTransactionEnded = errors.New("the target has ended a transaction")
	// ErrProgress is wrapped when what the target keeps of a replay's progress cannot be understood.
	ErrProgress = checkpoint.ErrUnreadable
	// ErrTooLarge is why a record is not sent that is larger than the max.message.bytes of the target.
	ErrTooLarge = errors.New("it is larger than the max.message.bytes of the target")
)

// Other reasons why a record is not sent, as the Report counts them.
var (
	errTimestampRange  = errors.New("its timestamp cannot be sent: it lies beyond the years 1678 to 2262")
	errTimestampWindow = errors.New("its timestamp is further from now than the target accepts")
	errNoKey           = errors.New("it has no key, and the target topic is compacted")
	errLate            = errors.New("it was too late for the schedule")
	errNotAcknowledged = errors.New("the replay stopped before it was acknowledged")
	errNotCommitted    = errors.New("its transaction was not committed")
)

// stalled is ErrStalled after so long; met is what the connections met last, if anything.
func stalled(quiet time.Duration, met error) error {
	err := fmt.Errorf("%w for %s", ErrStalled, quiet.Round(time.Second))
	if met != nil {
		err = fmt.Errorf("%w: %w", err, met)
	}
	return err
}

// MissingTopicsError is returned when the target lacks topics and Options.CreateTopics is not set.
type MissingTopicsError struct {
	Cluster string
	Topics  []string // names in the target, sorted
}

// Error names the topics.
func (e *MissingTopicsError) Error() string {
	return fmt.Sprintf("cluster %s has no topic %s", e.Cluster, strings.Join(e.Topics, ", "))
}

// RefusedError is returned when the preflight is certain of a loss, or that the target is the wrong one. Nothing was made or sent.
type RefusedError struct {
	Findings []Finding // those that refuse

	groups bool // what was refused is to set groups, without a replay
}

// Error tells the first finding, and how many more there are.
func (e *RefusedError) Error() string {
	refused, f := "replay refused", e.Findings[0]
	if e.groups {
		refused = "no group was set"
	}
	if more := len(e.Findings) - 1; more > 0 {
		return fmt.Sprintf("%s: %s: %s (and %d more)", refused, f.What, f.Consequence, more)
	}
	return fmt.Sprintf("%s: %s: %s", refused, f.What, f.Consequence)
}

// MismatchError is returned when a checkpoint belongs to another replay.
type MismatchError struct {
	What  string // "archive", "target cluster", an option, "topic id of NAME"
	Saved string // the value in the checkpoint
	Now   string // the value of this replay

	ReplayID string // of a replay that is exactly once
}

// Error tells both values.
func (e *MismatchError) Error() string {
	if e.ReplayID != "" {
		return fmt.Sprintf("the target has progress of another replay with the id %s: its %s is %q, here it is %q", e.ReplayID, e.What, e.Saved, e.Now)
	}
	return fmt.Sprintf("the saved progress is that of another replay: its %s is %q, here it is %q", e.What, e.Saved, e.Now)
}
