package replay

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/lateness"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
	"github.com/karchive/karchive/replay/timeline"
)

// Timing says how a timed replay kept to its schedule. Rates and latenesses leave out the warm-up.
type Timing struct {
	Pace      string    `json:"pace"` // as it was given: speed 1, rate 800/s
	Precision Precision `json:"precision"`
	// PrecisionNote says why the precision is not the one that was asked for.
	PrecisionNote string    `json:"precision_note,omitempty"`
	Start         time.Time `json:"start"`    // when the schedule began
	FirstMs       int64     `json:"first_ms"` // the part of the recording that was played, as timestamps; format.NoTimestamp: none has one
	LastMs        int64     `json:"last_ms"`
	Rounds        int64     `json:"rounds"` // that were begun

	RequestedRate  float64 `json:"requested_records_per_second"` // by the schedule, without pauses
	AchievedRate   float64 `json:"achieved_records_per_second"`  // by when they were sent
	RequestedBytes float64 `json:"requested_bytes_per_second"`
	AchievedBytes  float64 `json:"achieved_bytes_per_second"`

	Dispatch        Lateness      `json:"dispatch_lateness"`        // of giving a record to the producer
	Acknowledgement Lateness      `json:"acknowledgement_lateness"` // of hearing that the target has it
	Drift           time.Duration `json:"drift_ns"`                 // how far behind the plan the end was: the median of the last second, and Moved

	Late       int64             `json:"late"`         // records sent more than 10 ms after they were due
	Starved    int64             `json:"starved"`      // records that were due before they were read from the archive
	HeldBack   int64             `json:"held_back"`    // records that were due while too many before them were not acknowledged
	OutOfOrder int64             `json:"out_of_order"` // records with an earlier timestamp than one before them in their partition
	Untimed    int64             `json:"untimed"`      // records without a timestamp that says when
	Dropped    int64             `json:"dropped"`      // records that DropLate left out
	Squeezed   timeline.Squeezed `json:"squeezed"`
	Paused     time.Duration     `json:"paused_ns"`
	Moved      time.Duration     `json:"moved_ns"` // of the schedule, by the late policy
}

// recorder collects a Timing. Its methods are for the goroutine that sends, but for acknowledged and those that read.
type recorder struct {
	warmup   time.Duration
	dispatch *latenesses
	answer   *latenesses
	recent   *recentLateness
	planned  stretch // by the schedule
	sent     stretch

	// What others look at meanwhile.
	positionMs atomic.Int64 // that was sent last; untimed: none
	behind     atomic.Int64 // nanoseconds, of the record that was sent last
	upcoming   atomic.Int64 // when the next record is due, in nanoseconds after the start; negative: it is not known

	mu     sync.Mutex
	series Series
	timing Timing // its counts
}

func newRecorder(warmup time.Duration) *recorder {
	r := &recorder{warmup: warmup, dispatch: newLatenesses(), answer: newLatenesses(), recent: newRecentLateness()}
	r.positionMs.Store(moment.Untimed)
	r.upcoming.Store(-1)
	r.timing.FirstMs, r.timing.LastMs = format.NoTimestamp, format.NoTimestamp
	return r
}

// stretch is records from the first to the last, for a rate.
type stretch struct {
	records, bytes int64
	first, last    time.Duration
	lastBytes      int64
}

func (s *stretch) add(at time.Duration, bytes int64) {
	if s.records == 0 {
		s.first = at
	}
	s.records++
	s.bytes += bytes
	s.last, s.lastBytes = at, bytes
}

// rates are per second: n records have n-1 distances.
func (s *stretch) rates() (records, bytes float64) {
	seconds := (s.last - s.first).Seconds()
	if s.records < 2 || seconds <= 0 {
		return 0, 0
	}
	return float64(s.records-1) / seconds, float64(s.bytes-s.lastBytes) / seconds
}

// dispatched notes that a record was sent at a time after the start. planned is when it was to be without what the late policy moved,
// late is against the schedule as moved.
func (r *recorder) dispatched(it *item, noTime bool, planned, at, late time.Duration) {
	bytes := int64(it.entry.bytes)
	r.recent.add(at, late)
	r.behind.Store(int64(late))
	if it.timestampMs != moment.Untimed {
		r.positionMs.Store(saturating.Add(it.timestampMs, it.shiftMs))
	}
	if planned >= r.warmup {
		r.dispatch.add(late)
		r.planned.add(it.due, bytes) // which a pause does not move
		r.sent.add(at, bytes)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.series.addPlanned(planned, 1)
	r.series.addSent(at, 1)
	r.timing.note(it, noTime, late)
}

// note counts a record that was sent.
func (t *Timing) note(it *item, noTime bool, late time.Duration) {
	if it.timestampMs != moment.Untimed {
		if t.FirstMs == format.NoTimestamp {
			t.FirstMs, t.LastMs = it.timestampMs, it.timestampMs
		}
		t.LastMs = max(t.LastMs, it.timestampMs)
	}
	t.Rounds, t.Squeezed = it.round+1, it.squeezed
	if late > lateness.Late {
		t.Late++
	}
	if it.outOfOrder {
		t.OutOfOrder++
	}
	if noTime {
		t.Untimed++
	}
}

// acknowledged notes an answer. It may be called from another goroutine.
func (r *recorder) acknowledged(due, at time.Duration) {
	if due >= r.warmup {
		r.answer.add(at - due)
	}
	r.mu.Lock()
	r.series.addAcknowledged(at, 1)
	r.mu.Unlock()
}

// count changes the counts.
func (r *recorder) count(change func(*Timing)) {
	r.mu.Lock()
	change(&r.timing)
	r.mu.Unlock()
}

// progress tells how far the replay is.
func (r *recorder) progress(out *Progress) {
	if ms := r.positionMs.Load(); ms != moment.Untimed {
		out.PositionMs = ms
	}
	out.Lag = time.Duration(r.behind.Load())
	if next := r.upcoming.Load(); next >= 0 && out.Elapsed > time.Duration(next) && !out.Paused {
		out.Lag = max(out.Lag, out.Elapsed-time.Duration(next))
	}
	out.Dispatch, out.Answer = r.dispatch.lateness(), r.answer.lateness()
}

// report is complete when nothing is sent any more.
func (r *recorder) report() (*Timing, Series) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.timing
	t.RequestedRate, t.RequestedBytes = r.planned.rates()
	t.AchievedRate, t.AchievedBytes = r.sent.rates()
	t.Dispatch, t.Acknowledgement = r.dispatch.lateness(), r.answer.lateness()
	t.Drift = saturating.Add(r.recent.median(), t.Moved)
	return &t, r.series
}
