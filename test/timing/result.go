package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/machine"
)

// result is everything that was measured.
type result struct {
	Machine    string     `json:"machine"`
	LoadBefore string     `json:"load_before,omitempty"`
	LoadAfter  string     `json:"load_after,omitempty"`
	Steady     []lateness `json:"steady,omitempty"`
	Bursts     []shape    `json:"bursts,omitempty"`
	Calm       *calm      `json:"rate,omitempty"`
}

func madeOn() string {
	return machine.String() + ", the embedded broker in a process of its own on the same machine"
}

// loadAverage is that of the last minute, empty where the system does not tell.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

// lateness is how late records were sent at a rate. Times are milliseconds.
type lateness struct {
	Rate      int              `json:"records_per_second"`
	Precision replay.Precision `json:"precision"`
	Achieved  float64          `json:"achieved_records_per_second"`
	Drift     float64          `json:"drift_ms"`
	P50       float64          `json:"p50_ms"`
	P99       float64          `json:"p99_ms"`
	P999      float64          `json:"p999_ms"`
	Max       float64          `json:"max_ms"`
}

func newLateness(rate int, t replay.Timing) lateness {
	d := t.Dispatch
	return lateness{rate, t.Precision, t.AchievedRate, milliseconds(t.Drift), milliseconds(d.P50), milliseconds(d.P99), milliseconds(d.P999), milliseconds(d.Max)}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (l lateness) met() bool {
	if l.Precision == replay.HighPrecision {
		return l.Drift < 1 && l.P50 <= 0.15
	}
	return l.Drift < 1 && l.P50 <= 1 && l.P99 <= 5
}

func (l lateness) line() string {
	return fmt.Sprintf("| %s | %s | %.1f | %.3f | %.3f | %.3f | %.3f | %.3f | %s |",
		units.Count(int64(l.Rate)), l.Precision, l.Achieved, l.Drift, l.P50, l.P99, l.P999, l.Max, verdict(l.met()))
}

// shape is how the target received a recording of bursts.
type shape struct {
	Speed       float64 `json:"speed"`
	Correlation float64 `json:"correlation"` // of records per 100 ms with those of the recording
	Recorded    []int   `json:"recorded"`    // per 100 ms of the replay
	Received    []int   `json:"received"`
}

// newShape compares times of the recording, in milliseconds, with those from the start of the replay.
func newShape(speed float64, recorded []int64, received []time.Duration) shape {
	planned := make([]time.Duration, len(recorded))
	for i, at := range recorded {
		planned[i] = time.Duration(float64(at) * float64(time.Millisecond) / speed)
	}
	const interval = 100 * time.Millisecond
	s := shape{Speed: speed, Recorded: histogram(planned, interval), Received: histogram(received, interval)}
	s.Correlation = correlation(s.Recorded, s.Received)
	return s
}

func (s shape) met() bool { return s.Correlation >= 0.99 }

func (s shape) line() string {
	return fmt.Sprintf("| %g | %.5f | %s |", s.Speed, s.Correlation, verdict(s.met()))
}

// calm is how steady a steady rate was.
type calm struct {
	Sent     counts `json:"sent"`     // by the timestamps that the replay gave, in whole milliseconds
	Received counts `json:"received"` // by the clock of a consumer
}

type counts struct {
	Least int `json:"least_in_a_second"` // after the first
	Most  int `json:"most_in_a_second"`
	Burst int `json:"most_in_10_ms"` // in any
}

func newCalm(got arrivals, start time.Time) calm {
	return calm{newCounts(got.sent(start)), newCounts(got.since(start))}
}

// newCounts leaves out the first second, and what came after the last whole one that was planned.
func newCounts(times []time.Duration) counts {
	seconds := histogram(times, time.Second)
	whole := seconds[1:min(len(seconds), len(times)/calmRate)]
	return counts{slices.Min(whole), slices.Max(whole), mostWithin(times, 10*time.Millisecond)}
}

// met is judged by what the target received.
func (c calm) met() bool { return c.Received.met() }

func (c counts) met() bool {
	const tolerated = calmRate / 200 // half a percent
	return c.Least >= calmRate-tolerated && c.Most <= calmRate+tolerated && c.Burst <= 2*calmRate/100
}

func (c calm) line() string { return c.Sent.line("sent") + "\n" + c.Received.line("received") }

func (c counts) line(what string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %s |", what, c.Least, c.Most, c.Burst, verdict(c.met()))
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

func (r *result) writeJSON(w io.Writer) error {
	for i := range r.Bursts {
		if math.IsNaN(r.Bursts[i].Correlation) { // JSON has none
			r.Bursts[i].Correlation = 0
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// write prints tables in Markdown.
func (r *result) write(w io.Writer) error {
	load := ""
	if r.LoadBefore != "" {
		load = fmt.Sprintf("; load average %s before, %s after", r.LoadBefore, r.LoadAfter)
	}
	text := r.Machine + load + ".\n"
	text += table([]string{"records/s", "precision", "achieved/s", "drift at the end, ms", "dispatch p50", "p99", "p99.9", "max", "target"}, lines(r.Steady))
	text += table([]string{"speed", "correlation", "target"}, lines(r.Bursts))
	if r.Calm != nil {
		text += table([]string{"", "least in a second", "most in a second", "most in any 10 ms", "target"}, lines([]calm{*r.Calm}))
	}
	_, err := io.WriteString(w, text)
	return err
}

func lines[T interface{ line() string }](rows []T) (out []string) {
	for _, r := range rows {
		out = append(out, r.line())
	}
	return out
}

// table is empty when it has no rows.
func table(head, rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	return "\n| " + strings.Join(head, " | ") + " |\n" + strings.Repeat("|---", len(head)) + "|\n" + strings.Join(rows, "\n") + "\n"
}
