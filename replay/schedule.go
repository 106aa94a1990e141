package replay

import (
	"errors"
	"math"
	"time"

	"github.com/karchive/karchive/replay/internal/moment"
	"github.com/karchive/karchive/replay/internal/saturating"
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
	// Loop is how often everything is played; 0 and 1: once; LoopForever: until the context ends. The timestamps of each round come
	// after those of the round before, at the same distances.
	Loop int64
	// LoopDelay is the time between two rounds.
	LoopDelay time.Duration
}

// LoopForever is the Schedule.Loop that never ends.
const LoopForever int64 = -1

func (s Schedule) check() error {
	switch {
	case s.Ramp < 0 || s.MaxGap < 0 || s.LoopDelay < 0:
		return errors.New("ramp, max gap and loop delay must not be negative")
	case s.Loop < LoopForever:
		return errors.New("a replay loops a number of times, or for ever")
	case s.Ramp > 0 && !s.Pace.Timed():
		return errors.New("ramp: there is no pace to rise to; give a speed, a rate or a bandwidth")
	case s.MaxGap > 0 && s.Pace.kind != byTime:
		return errors.New("max gap: only a speed has the silences of the recording")
	case s.LoopDelay > 0 && !s.loops():
		return errors.New("loop delay: the replay does not loop")
	}
	return nil
}

func (s Schedule) loops() bool { return s.Loop != 0 && s.Loop != 1 }

// rounds is how often everything is played, at most.
func (s Schedule) rounds() int64 {
	if s.Loop == LoopForever {
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

// timeline is a schedule on its way through the records, in playing order.
type timeline struct {
	schedule Schedule
	round    int64 // from 0
	moving   bool  // last is valid
	last     int64 // timestamp that the round has reached; it never goes back
	timed    bool  // first is valid
	first    int64 // timestamp of the first record of the round

	position       int64 // milliseconds of the recording that have been played, all rounds
	records, bytes int64 // before the next record
	squeezed       Squeezed
}

// Squeezed counts silences that MaxGap shortened.
type Squeezed struct {
	Gaps     int64         `json:"gaps"`
	Duration time.Duration `json:"duration_ns"` // of the recording, that is not played
}

// begin makes the recording begin at a timestamp that need not be a record's. Otherwise it begins with its first record.
func (t *timeline) begin(timestampMs int64) { t.last, t.moving = timestampMs, true }

// next is when the next record is due after the start, given its size and its timestamp, which is not before the one before. One that is moment.Untimed
// is due with the record before it.
func (t *timeline) next(timestampMs, bytes int64) time.Duration {
	t.move(timestampMs)
	s := &t.schedule
	amount := t.position
	switch s.Pace.kind {
	case byRecords:
		amount = t.records
	case byBytes:
		amount = t.bytes
	}
	t.records = saturating.Add(t.records, 1)
	t.bytes = saturating.Add(t.bytes, bytes)
	return saturating.Add(s.ramped(s.Pace.due(amount)), t.delays())
}

// move goes to a timestamp and leaves out what is too much of a silence.
func (t *timeline) move(timestampMs int64) {
	if timestampMs == moment.Untimed {
		return
	}
	if !t.moving {
		t.begin(timestampMs)
	}
	if !t.timed {
		t.first, t.timed = timestampMs, true
	}
	gap := saturating.Distance(t.last, timestampMs)
	t.last = max(t.last, timestampMs)
	if most := saturating.Milliseconds(t.schedule.MaxGap); most > 0 && gap > most {
		t.squeezed.Gaps++
		t.squeezed.Duration = saturating.Add(t.squeezed.Duration, time.Duration(saturating.MulDiv(gap-most, uint64(time.Millisecond), 1)))
		gap = most
	}
	t.position = saturating.Add(t.position, gap)
}

// delays is the time of all loop delays so far.
func (t *timeline) delays() time.Duration {
	return time.Duration(saturating.MulDiv(t.round, uint64(t.schedule.LoopDelay), 1))
}

// nextRound begins another round, a millisecond and the loop's delay after the last record. It returns how much later its timestamps
// are than those of the round before.
func (t *timeline) nextRound() (shiftMs int64) {
	t.round++
	t.position = saturating.Add(t.position, 1)
	shiftMs = t.schedule.roundMs(saturating.Distance(t.first, t.last))
	t.moving, t.timed = false, false
	return shiftMs
}

// roundMs is the distance between the timestamps of two rounds when one round's go over spanMs.
func (s Schedule) roundMs(spanMs int64) int64 {
	return saturating.Add(saturating.Add(spanMs, 1), s.Pace.recording(s.LoopDelay))
}
