package timeline

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/karchive/karchive/internal/saturating"
	"github.com/karchive/karchive/internal/units"
)

// Pace says how fast records are sent: all at once, in proportion to their timestamps, or so many records or bytes in a time. It is one of
// them and never two. The zero value is top speed. It is immutable and comparable.
type Pace struct {
	kind paceKind
	text string // as it was given
	// An amount of what the pace counts is due after amount*per/units nanoseconds. Units are 0 in a pace that cannot be.
	per, units uint64
}

type paceKind int

const (
	topSpeed paceKind = iota
	byTime            // an amount is milliseconds of the recording
	byRecords
	byBytes // canonical
)

// errSpeed is what is wrong with text that is no speed.
var errSpeed = errors.New("not a speed: use max or a factor above 0, such as 1, 0.1 or 10, of at most 9 digits before the point and 6 after it")

// ErrPace is wrapped for a pace that was made of a factor, a number or a time that is not above 0, or of a factor that [ParseSpeed] would
// not read.
var ErrPace = errors.New("not a pace")

// Speed is a factor of the original timing, as ParseSpeed reads it. A factor that cannot be makes a pace that Schedule.Check refuses.
func Speed(factor float64) Pace {
	text := strconv.FormatFloat(factor, 'f', -1, 64)
	p, err := ParseSpeed(text)
	if err != nil {
		return Pace{kind: byTime, text: "speed " + text}
	}
	return p
}

// Rate is a steady number of records in a time. One that is not above 0 makes a pace that Schedule.Check refuses.
func Rate(records int64, per time.Duration) Pace {
	return steady(byRecords, "rate", records, per)
}

// Bandwidth is a steady number of canonical bytes (see ParseBandwidth) in a time. One that is not above 0 makes a pace that Schedule.Check
// refuses.
func Bandwidth(bytes int64, per time.Duration) Pace {
	return steady(byBytes, "bandwidth", bytes, per)
}

func steady(kind paceKind, name string, n int64, per time.Duration) Pace {
	p := Pace{kind: kind, text: fmt.Sprintf("%s %d in %s", name, n, per)}
	if n > 0 && per > 0 {
		p.per, p.units = uint64(per), uint64(n)
	}
	return p
}

func (p Pace) check() error {
	if p.kind != topSpeed && p.units == 0 {
		return fmt.Errorf("%s: %w", p.text, ErrPace)
	}
	return nil
}

// ParseSpeed reads max, or a factor: at 1 the distances between records are those of their timestamps, at 10 they are a tenth.
func ParseSpeed(s string) (Pace, error) {
	if s == "max" {
		return Pace{}, nil
	}
	n, denominator, err := units.ParseDecimal(s)
	if err != nil || n == 0 {
		return Pace{}, fmt.Errorf("%q: %w", s, errSpeed)
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

// amount is the one of three that the pace counts.
func (p Pace) amount(ms, records, bytes int64) int64 {
	switch p.kind {
	case byRecords:
		return records
	case byBytes:
		return bytes
	}
	return ms
}

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
