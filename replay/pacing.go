package replay

import (
	"time"

	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/replay/timeline"
)

// LatePolicy says what becomes of records whose time has passed, because the target, the archive or the machine was too slow.
type LatePolicy string

// The policies. In all of them lateness up to Pacing.MaxCatchUp is caught up: up to 10 ms at once, more at one and
// a half times the pace.
const (
	// CatchUpLate catches up at most MaxCatchUp of a delay, and the schedule moves by the rest, so that minutes of silence do not end in
	// more minutes of haste.
	CatchUpLate LatePolicy = "catch-up"
	// ShiftLate moves the schedule by the whole delay: the distances between records stay as they are.
	ShiftLate LatePolicy = "shift"
	// DropLate leaves out records that are late, and counts them: what is sent is on time.
	DropLate LatePolicy = "drop"
)

// Precision says how sleeps end.
type Precision string

// The precisions.
const (
	NormalPrecision Precision = "normal" // the timers of the runtime: about a millisecond
	// HighPrecision sleeps on a thread of its own until an absolute time of the monotonic clock, with clock_nanosleep. Where the
	// system does not have it, precision is normal, and the report says so.
	HighPrecision Precision = "high"
)

// Pacing says how a replay keeps to its schedule. The zero value begins as soon as it can, and catches up what is late.
type Pacing struct {
	// StartAt is the moment that the schedule begins at, on the wall clock, so that several replays begin together. The start of the
	// recording is due then: Options.From when that is a time, else the earliest timestamp in the archive, selected or not, so that all parts of
	// it agree. Zero: the first selected record is due when it is decoded and the target is connected. A moment that has passed is an
	// error, but not for a replay that goes on from a checkpoint: it does so at once.
	StartAt time.Time
	// OnLate is CatchUpLate when empty.
	OnLate LatePolicy
	// MaxCatchUp is the lateness that is caught up; 0: a second, or with ShiftLate 10 ms.
	MaxCatchUp time.Duration
	// Warmup is the time from the start that the report's rates and latenesses leave out.
	Warmup time.Duration
	// Precision is NormalPrecision when empty.
	Precision Precision
}

// The defaults of Pacing.MaxCatchUp.
const (
	defaultMaxCatchUp = time.Second
	defaultMaxShift   = 10 * time.Millisecond
)

func (p *Pacing) fillDefaults() {
	options.Default(&p.OnLate, CatchUpLate)
	options.Default(&p.Precision, NormalPrecision)
	if p.OnLate == ShiftLate {
		options.Default(&p.MaxCatchUp, defaultMaxShift)
	}
	options.Default(&p.MaxCatchUp, defaultMaxCatchUp)
}

// check is for values without their defaults.
func (p *Pacing) check(pace timeline.Pace) error {
	switch {
	case p.OnLate != "" && p.OnLate != CatchUpLate && p.OnLate != ShiftLate && p.OnLate != DropLate:
		return options.New("", "late policy %q is none of %s, %s and %s", p.OnLate, CatchUpLate, ShiftLate, DropLate)
	case p.Precision != "" && p.Precision != NormalPrecision && p.Precision != HighPrecision:
		return options.New("", "precision %q is neither %s nor %s", p.Precision, NormalPrecision, HighPrecision)
	case p.MaxCatchUp < 0 || p.Warmup < 0:
		return options.New("", "max catch-up and warm-up must not be negative")
	case pace.Timed():
		return nil
	case p.Warmup > 0:
		return options.NeedsPace("Warmup")
	case p.OnLate != "" && p.OnLate != CatchUpLate:
		return options.NeedsPace("OnLate")
	case p.MaxCatchUp > 0:
		return options.NeedsPace("MaxCatchUp")
	case p.Precision != "" && p.Precision != NormalPrecision:
		return options.NeedsPace("Precision")
	}
	return nil
}

// decision is what to do with a record that is late.
type decision struct {
	drop bool
	move time.Duration // of the schedule
}

// decide says what to do with a record that is so late.
func (p *Pacing) decide(late time.Duration) decision {
	if late <= p.MaxCatchUp {
		return decision{}
	}
	switch p.OnLate {
	case DropLate:
		return decision{drop: true}
	case ShiftLate:
		return decision{move: late}
	}
	return decision{move: late - p.MaxCatchUp}
}
