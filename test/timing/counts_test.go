package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestAHistogramCountsByInterval(t *testing.T) {
	got := histogram([]time.Duration{-ms, 0, 99 * ms, 100 * ms, 450 * ms}, 100*ms)
	if want := []int{3, 1, 0, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMostWithinLooksAtEveryWindow(t *testing.T) {
	for _, c := range []struct {
		times []time.Duration
		want  int
	}{
		{nil, 0},
		{[]time.Duration{5 * ms}, 1},
		{[]time.Duration{0, 10 * ms, 20 * ms}, 1},
		{[]time.Duration{30 * ms, 19 * ms, 8 * ms, 9 * ms, 0}, 3}, // 9.5 and 19 are in no interval of a fixed grid together with 8
		{[]time.Duration{7 * ms, 7 * ms, 7 * ms, 100 * ms}, 3},
	} {
		if got := mostWithin(c.times, 10*ms); got != c.want {
			t.Errorf("%v: got %d, want %d", c.times, got, c.want)
		}
	}
}

func TestCorrelationIsOneForTheSameShapeAndLessForAnother(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []int
		want float64
	}{
		{"the same", []int{1, 5, 2, 0}, []int{1, 5, 2, 0}, 1},
		{"twice as much", []int{1, 5, 2, 0}, []int{2, 10, 4}, 1},
		{"the opposite", []int{0, 1}, []int{1, 0}, -1},
		{"unrelated", []int{1, 1, 0, 0}, []int{1, 0, 1, 0}, 0},
	} {
		if got := correlation(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if got := correlation([]int{3, 3}, []int{1, 2}); !math.IsNaN(got) {
		t.Errorf("flat: got %v, want NaN", got)
	}
}

func TestBurstsHaveTheirRates(t *testing.T) {
	var times []time.Duration
	for _, at := range bursts(2) {
		times = append(times, time.Duration(at)*ms)
	}
	got := histogram(times, time.Second)
	if want := []int{20_000, 200, 200, 200, 200, 20_000, 200, 200, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !slices.IsSorted(times) {
		t.Error("the times are not in order")
	}
}

func TestACalmRateIsJudgedAfterItsFirstSecond(t *testing.T) {
	start := time.UnixMilli(1_800_000_000_000)
	var got arrivals
	for i := range calmRate * 3 {
		due := start.Add(time.Duration(i) * time.Second / calmRate)
		got = append(got, arrival{sent: due.Truncate(ms), at: due})
	}
	even := newCalm(got, start)
	if want := (counts{Least: calmRate, Most: calmRate, Burst: 8}); even.Received != want {
		t.Errorf("received: got %+v, want %+v", even.Received, want)
	}
	if !even.met() {
		t.Errorf("an even rate does not meet its targets: %+v", even)
	}
	for i := range 30 { // 37.5 ms of the second second arrive together
		got[calmRate+i].sent, got[calmRate+i].at = got[calmRate+30].sent, got[calmRate+30].at
	}
	if stalled := newCalm(got, start); stalled.met() || stalled.Received.Burst < 30 {
		t.Errorf("a stall meets the targets: %+v", stalled)
	}
}
