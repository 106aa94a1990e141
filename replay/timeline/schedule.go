package timeline

import (
	"math"
	"time"

	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/internal/saturating"
)

// Schedule says when records are due. It is a value and knows no clock: the records of an archive are due at the same distances from
// the start in every replay. The zero value is top speed.
//
// A record is due at start + position/speed, its position being how far its timestamp is from the first one's: one calculation from
// one start, so that nothing adds up. With a rate the position is the number of records before it, with a bandwidth their bytes.
type Schedule struct {
	Pace Pace
	// Ramp is the time in which the pace rises evenly from nothing to its full height; 0: at once.
	Ramp time.Duration
	// MaxGap shortens silences of the recording, in which no partition has a record, to this much of the recording's time; 0: none.
	// It belongs to a speed.
	MaxGap time.Duration
	// Loop is how often everything is played; 0 and 1: once; Forever: until the context ends. The timestamps of each round come
	// after those of the round before, at the same distances.
	Loop int64
	// LoopDelay is the time between two rounds.
	LoopDelay time.Duration
}

// Forever is the Schedule.Loop that never ends.
const Forever int64 = -1

// Check says what of a schedule cannot be.
func (s Schedule) Check() error {
	if err := s.Pace.check(); err != nil {
		return err
	}
	switch {
	case s.Ramp < 0 || s.MaxGap < 0 || s.LoopDelay < 0:
		return options.New("", "ramp, max gap and loop delay must not be negative")
	case s.Loop < Forever:
		return options.New("", "a replay loops a number of times, or for ever")
	case s.Ramp > 0 && !s.Pace.Timed():
		return options.NeedsPace("Ramp")
	case s.MaxGap > 0 && s.Pace.kind != byTime:
		return options.New("give {Speed}", "{MaxGap} is for the original timing")
	case s.LoopDelay > 0 && !s.Loops():
		return options.New("give {Loop}", "{LoopDelay} is for {Loop}")
	}
	return nil
}

// Loops says whether there is more than one round.
func (s Schedule) Loops() bool { return s.Loop != 0 && s.Loop != 1 }

// Rounds is how often everything is played, at most.
func (s Schedule) Rounds() int64 {
	if s.Loop == Forever {
		return math.MaxInt64
	}
	return max(s.Loop, 1)
}

// ramped is when what is due at d at full pace is due with the ramp, in which the pace at t is t/Ramp of the full one.
func (s Schedule) ramped(d time.Duration) time.Duration {
	if d >= s.Ramp/2 {
		return saturating.Add(d, s.Ramp-s.Ramp/2)
	}
	return time.Duration(saturating.RootOfProduct(2*int64(d), int64(s.Ramp)))
}

// RoundMs is the distance between the timestamps of two rounds when one round's go over spanMs.
func (s Schedule) RoundMs(spanMs int64) int64 {
	return saturating.Add(saturating.Add(spanMs, 1), s.Pace.recording(s.LoopDelay))
}

// All is an amount in all rounds; 0 where there is no last.
func (s Schedule) All(amount int64) int64 {
	if s.Loop == Forever {
		return 0
	}
	return saturating.MulDiv(amount, uint64(s.Rounds()), 1)
}

// Duration is how long all rounds take, or one where there is no last, of records that have so many canonical bytes and whose timestamps go
// over spanMs. A MaxGap makes it shorter than that.
func (s Schedule) Duration(records, bytes, spanMs int64) time.Duration {
	rounds := int64(1)
	if s.Loop != Forever {
		rounds = s.Rounds()
	}
	if records == 0 {
		return 0
	}
	units := s.Pace.amount(saturating.Add(spanMs, 1), records, bytes)
	played := s.ramped(s.Pace.due(saturating.MulDiv(units, uint64(rounds), 1) - 1))
	return saturating.Add(played, time.Duration(saturating.MulDiv(rounds-1, uint64(s.LoopDelay), 1)))
}
