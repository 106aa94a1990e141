package replay

import (
	"slices"
	"testing"
	"time"
)

func TestADelayIsCaughtUpAtOneAndAHalfTimesThePaceAtMost(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		dues  []time.Duration
		still [2]time.Duration // nothing is sent between these
		want  []time.Duration
	}{
		{"no delay", []time.Duration{0, 10 * ms, 20 * ms}, [2]time.Duration{}, []time.Duration{0, 10 * ms, 20 * ms}},
		{"a delay of a wake-up", []time.Duration{0, ms, 2 * ms, 3 * ms, 4 * ms, 7 * ms}, [2]time.Duration{0, 6 * ms}, []time.Duration{0, 6 * ms, 6 * ms, 6 * ms, 6 * ms, 7 * ms}},
		{"a long delay", []time.Duration{0, 12 * ms, 24 * ms, 36 * ms, 48 * ms, 60 * ms}, [2]time.Duration{0, 24 * ms}, []time.Duration{0, 24 * ms, 32 * ms, 40 * ms, 48 * ms, 60 * ms}},
		{"what was together stays together", []time.Duration{0, 12 * ms, 12 * ms, 12 * ms, 24 * ms}, [2]time.Duration{0, 30 * ms},
			[]time.Duration{0, 30 * ms, 30 * ms, 30 * ms, 38 * ms}},
		{"a delay of many records, of which few are left", []time.Duration{0, 12 * ms, 24 * ms, 36 * ms}, [2]time.Duration{0, 102 * ms},
			[]time.Duration{0, 102 * ms, 110 * ms, 118 * ms}},
		{"a silence ends it", []time.Duration{0, 10 * ms, 500 * ms, 501 * ms}, [2]time.Duration{0, 90 * ms}, []time.Duration{0, 90 * ms, 500 * ms, 501 * ms}},
	} {
		var tr trail
		var got []time.Duration
		for _, due := range c.dues {
			at := due + tr.step(due)
			if at > c.still[0] && at < c.still[1] {
				at = c.still[1]
			}
			tr.note(at-due, false)
			got = append(got, at)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: sent at %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAScheduleThatWasMovedIsMetAgain(t *testing.T) {
	var tr trail
	tr.step(0)
	tr.note(time.Second, false)
	tr.step(0)
	tr.note(0, true)
	if behind := tr.step(time.Millisecond); behind != 0 {
		t.Errorf("it is still %v behind", behind)
	}
}

// However late it wakes up each time, what it sends in a wake-up is worth more than the wake-up took, sooner or later.
func TestWhoWakesUpLateEachTimeCatchesUpAllTheSame(t *testing.T) {
	for _, coarse := range []time.Duration{time.Millisecond, 6 * time.Millisecond, 50 * time.Millisecond} {
		var tr trail
		now, late := 300*time.Millisecond, time.Duration(0) // after a long delay
		for due := time.Duration(0); due < 5*time.Second; due += 10 * time.Microsecond {
			if at := due + tr.step(due); at > now {
				now = at + coarse
			}
			late = now - due
			tr.note(late, false)
		}
		if late > 8*coarse {
			t.Errorf("with wake-ups that are %v late it is %v behind in the end", coarse, late)
		}
	}
}
