package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay/internal/saturating"
)

// Pace says how fast records are sent: all at once, in proportion to their timestamps, or so many records or bytes in a time. It is one of
// them and never two. The zero value is top speed. It is immutable and comparable.
type Pace struct {
	kind paceKind
	text string // as it was given
	// An amount of what the pace counts is due after amount*per/units nanoseconds.
	per, units uint64
}

type paceKind int

const (
	topSpeed paceKind = iota
	byTime            // an amount is milliseconds of the recording
	byRecords
	byBytes // canonical
)

// ErrSpeed is wrapped for text that is no speed.
var ErrSpeed = errors.New("not a speed: use max or a factor above 0, such as 1, 0.1 or 10, of at most 9 digits before the point and 6 after it")

// ParseSpeed reads max, or a factor: at 1 the distances between records are those of their timestamps, at 10 they are a tenth.
func ParseSpeed(s string) (Pace, error) {
	if s == "max" {
		return Pace{}, nil
	}
	n, denominator, err := units.ParseDecimal(s)
	if err != nil || n == 0 {
		return Pace{}, fmt.Errorf("%q: %w", s, ErrSpeed)
	}
	return Pace{byTime, "speed " + s, uint64(time.Millisecond) * denominator, n}, nil
}

// ParseRate reads a steady rate of records: 800/s, 50k/s, 3000/min.
func ParseRate(s string) (Pace, error) {
	count, per, err := units.ParseRate(s)
	if err != nil {
		return Pace{}, err
	}
	return Pace{byRecords, "rate " + s, uint64(per), count}, nil
}

// ParseBandwidth reads a steady rate of canonical bytes (keys, values, headers and about 30 bytes a record): 20MB/s.
func ParseBandwidth(s string) (Pace, error) {
	bytes, per, err := units.ParseByteRate(s)
	if err != nil {
		return Pace{}, err
	}
	return Pace{byBytes, "bandwidth " + s, uint64(per), uint64(bytes)}, nil
}

// String spells the pace with what it is: speed 1, rate 800/s, bandwidth 20MB/s.
func (p Pace) String() string {
	if p.kind == topSpeed {
		return "speed max"
	}
	return p.text
}

// Timed says that records wait for their time, which they do not at top speed.
func (p Pace) Timed() bool { return p.kind != topSpeed }

// due is when an amount is reached, from a start at full pace.
func (p Pace) due(amount int64) time.Duration {
	if p.kind == topSpeed {
		return 0
	}
	return time.Duration(saturating.MulDiv(amount, p.per, p.units))
}

// recording is how much of the recording, in milliseconds and rounded up, is played in d: d itself where the pace is not by time.
func (p Pace) recording(d time.Duration) int64 {
	if p.kind != byTime {
		return saturating.Milliseconds(d)
	}
	ms := saturating.MulDiv(int64(d), p.units, p.per)
	if saturating.MulDiv(ms, p.per, p.units) < int64(d) {
		ms = saturating.Add(ms, 1)
	}
	return ms
}

// perSecond is what the pace counts in a second; 0 where it does not count that.
func (p Pace) perSecond(kind paceKind) float64 {
	if p.kind != kind {
		return 0
	}
	return float64(p.units) / float64(p.per) * float64(time.Second)
}
