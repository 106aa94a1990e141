package compare

import (
	"errors"
	"fmt"
	"time"

	"github.com/karchive/karchive/format"
)

// Result is what became of a program. Its archive is to be closed.
type Result struct {
	Name    string
	Archive *format.Archive // of what it wrote; nil when it failed
	Topics  []TopicCount    // of the outputs, by name
	Took    time.Duration   // from its start to its end
	// Drained is when, after its start, nothing was left to read for good; 0: something was, or no group committed that it had read.
	Drained  time.Duration
	Left     string        // what was left to read, when it ended by itself
	CPU      time.Duration // of all processors, also of its children that it waited for; 0: not known
	Memory   int64         // peak bytes of the largest of its processes; 0: not known
	ByItself bool          // it ended before it was asked to
	Lag      []LagPoint    // by time
	Err      error         // a *ProgramError; nil: it did not fail
}

// TopicCount is how many records a program wrote.
type TopicCount struct {
	Topic   string
	Records int64
}

// Records are those of all outputs.
func (r *Result) Records() (n int64) {
	for _, t := range r.Topics {
		n += t.Records
	}
	return n
}

// LagPoint is how many offsets the groups of a program had not read.
type LagPoint struct {
	After   time.Duration `json:"after_ns"` // its start
	Offsets int64         `json:"offsets"`
	Known   bool          `json:"-"` // a group has partitions; if not, Offsets is 0
}

// ProgramError is a program that failed.
type ProgramError struct {
	Name   string
	Err    error
	Output string // the end of what it printed, on either stream
}

// Error implements error.
func (e *ProgramError) Error() string { return fmt.Sprintf("%s: %v", e.Name, e.Err) }

// Unwrap returns what it died of.
func (e *ProgramError) Unwrap() error { return e.Err }

// ErrTimeout is wrapped when a program had not done its work in time.
var ErrTimeout = errors.New("it was not done in time")

// lagPoints is how many points of the lag are kept.
const lagPoints = 500

// note adds a point. When there are many, every other one goes.
func (r *Result) note(p LagPoint) {
	if len(r.Lag) == lagPoints {
		half := r.Lag[:0]
		for i := 0; i < lagPoints; i += 2 {
			half = append(half, r.Lag[i])
		}
		r.Lag = half
	}
	r.Lag = append(r.Lag, p)
}
