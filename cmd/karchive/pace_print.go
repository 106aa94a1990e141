package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
)

// noteSchedule says when a replay begins, and how long it takes if it is timed.
func (e *env) noteSchedule(p *replay.Plan, r *replay.Options) {
	if at := r.Pacing.StartAt; at.After(e.now()) {
		e.notef("begins at %s", units.Time(at.UnixMilli()))
	}
	s := &r.Schedule
	if !s.Pace.Timed() {
		return
	}
	about := "about"
	if s.MaxGap > 0 {
		about = "at most"
	}
	most := ""
	if !p.Total.Exact {
		most, about = "at most ", "at most"
	}
	each := ""
	if s.Loop == timeline.Forever {
		each = ", and again until it is stopped"
	}
	e.notef("%s%s at %s, in %s %s%s", most, units.Of(p.Total.Records, "record"), s.Pace, about, units.Duration(p.Duration), each)
}

// timedProgress tells where in the recording a timed replay is.
func timedProgress(p replay.Progress) string {
	at := "-"
	if p.PositionMs != format.NoTimestamp {
		at = units.Time(p.PositionMs)
	}
	text := fmt.Sprintf("at %s, %s sent", at, units.Count(p.Sent))
	if p.Planned > 0 {
		text = fmt.Sprintf("at %s, %s of %s sent", at, units.Count(p.Sent), units.Count(p.Planned))
	}
	text += fmt.Sprintf(", %s/s, %s behind", units.Count(int64(p.Rate+0.5)), units.Fine(p.Lag))
	if p.LeftOut > 0 {
		text += ", " + units.Count(p.LeftOut) + " left out"
	}
	if p.Paused {
		text += ", paused"
	}
	return text
}

// writeTiming prints how a timed replay kept to its schedule.
func writeTiming(w io.Writer, t *replay.Timing) {
	printable.Fprintf(w, "%s, %s precision: requested %s, achieved %s, drift at the end %s\n", t.Pace, t.Precision, ratesText(t.RequestedRate, t.RequestedBytes),
		ratesText(t.AchievedRate, t.AchievedBytes), units.Fine(t.Drift))
	if t.PrecisionNote != "" {
		printable.Fprintf(w, "precision: %s\n", t.PrecisionNote)
	}
	printable.Fprintf(w, "lateness of dispatch         %s\n", latenessText(t.Dispatch))
	printable.Fprintf(w, "lateness of acknowledgement  %s\n", latenessText(t.Acknowledgement))
	printable.Fprintf(w, "late %s, starved %s, held back %s, out of order %s, dropped %s", units.Count(t.Late), units.Count(t.Starved), units.Count(t.HeldBack),
		units.Count(t.OutOfOrder), units.Count(t.Dropped))
	printable.Fprintf(w, "%s\n", unusualText(t))
}

func ratesText(records, bytes float64) string {
	digits := 0
	if records < 100 {
		digits = 3
	}
	return fmt.Sprintf("%.*f/s (%s/s)", digits, records, units.Size(int64(bytes)))
}

func latenessText(l replay.Lateness) string {
	return strings.Join([]string{"p50 " + units.Fine(l.P50), "p99 " + units.Fine(l.P99), "p99.9 " + units.Fine(l.P999), "max " + units.Fine(l.Max)}, ", ")
}

// unusualText is what most replays do not have.
func unusualText(t *replay.Timing) string {
	var text string
	if t.Squeezed.Gaps > 0 {
		text += fmt.Sprintf(", squeezed %s (%s)", units.Of(t.Squeezed.Gaps, "silence"), units.Duration(t.Squeezed.Duration))
	}
	for _, d := range []struct {
		what string
		time time.Duration
	}{{"paused", t.Paused}, {"schedule moved", t.Moved}} {
		if d.time > 0 {
			text += ", " + d.what + " " + units.Fine(d.time)
		}
	}
	if t.Untimed > 0 {
		text += ", without a timestamp " + units.Count(t.Untimed)
	}
	if t.Rounds > 1 {
		text += ", " + units.Of(t.Rounds, "round")
	}
	return text
}
