package timeline

import (
	"time"

	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
)

// Untimed is the timestamp, for a timeline, of a record that has none: it is due with the record before it.
const Untimed = moment.Untimed

// Timeline is a schedule on its way through the records, in playing order. It knows no clock either. It is
// for one goroutine.
type Timeline struct {
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

// New is at the start of a schedule.
func New(s Schedule) *Timeline { return &Timeline{schedule: s} }

// Round is the number of the round that is played, from 0.
func (t *Timeline) Round() int64 { return t.round }

// Squeezed are the silences that were shortened so far.
func (t *Timeline) Squeezed() Squeezed { return t.squeezed }

// Begin makes the recording begin at a timestamp that need not be a record's. Otherwise it begins with its first record.
func (t *Timeline) Begin(timestampMs int64) { t.last, t.moving = timestampMs, true }

// Next is when the next record is due after the start, given its size and its timestamp, which is not before the one before. One that is Untimed
// is due with the record before it.
func (t *Timeline) Next(timestampMs, bytes int64) time.Duration {
	t.move(timestampMs)
	s := &t.schedule
	amount := s.Pace.amount(t.position, t.records, t.bytes)
	t.records = saturating.Add(t.records, 1)
	t.bytes = saturating.Add(t.bytes, bytes)
	return saturating.Add(s.ramped(s.Pace.due(amount)), t.delays())
}

// move goes to a timestamp and leaves out what is too much of a silence.
func (t *Timeline) move(timestampMs int64) {
	if timestampMs == Untimed {
		return
	}
	if !t.moving {
		t.Begin(timestampMs)
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
func (t *Timeline) delays() time.Duration {
	return time.Duration(saturating.MulDiv(t.round, uint64(t.schedule.LoopDelay), 1))
}

// NextRound begins another round, a millisecond and the loop's delay after the last record. It returns how much later its timestamps
// are than those of the round before.
func (t *Timeline) NextRound() (shiftMs int64) {
	t.round++
	t.position = saturating.Add(t.position, 1)
	shiftMs = t.schedule.RoundMs(saturating.Distance(t.first, t.last))
	t.moving, t.timed = false, false
	return shiftMs
}
