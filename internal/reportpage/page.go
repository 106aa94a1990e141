// Package reportpage makes a page of a replay's report that a person can read at a glance: one HTML file with its drawings in it, which
// needs nothing else, neither a network nor a script.
package reportpage

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/lateness"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

//go:embed *.html style.css sheet.txt
var sources embed.FS

// spelling is how templates spell numbers, sizes, and what somebody else named.
var spelling = template.FuncMap{"count": units.Count, "size": units.Size, "text": printable.Text}

// pages are all pages, which share one style.
var pages = template.Must(template.Must(template.New("").Funcs(spelling).ParseFS(sources, "*.html")).New("style").Parse(mustRead("style.css")))

func mustRead(name string) string {
	b, err := sources.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// fill fills in a page. Names and ids of others may hold anything, and pages are looked at on terminals, too.
func fill(w io.Writer, name string, v any) error {
	return pages.ExecuteTemplate(printable.NewWriter(w), name, v)
}

// Write writes the page of a replay.
func Write(w io.Writer, r *Replay) error {
	if err := fill(w, "page.html", newView(r)); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// view is what the page shows, spelled.
type view struct {
	Archive, Target, Pace, When string
	Verdict                     string
	Good                        bool
	Tiles                       []tile
	Rates                       *plot
	Lateness                    *bars
	Facts                       []fact
	Topics                      []replay.TopicReport
	Stopped                     []replay.Failure
	Lacks                       []string // of the archive
	Rules                       []fact
	Suspects                    []reshape.Suspect
	Made                        []fact
}

// tile is a number that is seen first.
type tile struct{ Name, Value, Note string }

// fact is a line of the table, with what it means.
type fact struct{ Name, Value, Meaning string }

func newView(from *Replay) view {
	r := from.Report
	v := view{Archive: from.Archive, Target: r.Plan.TargetCluster, Pace: "speed max", Topics: r.Topics, Stopped: r.Failures, Lacks: from.Lacks, Made: from.made()}
	v.Verdict, v.Good = from.Verdict()
	v.Rates = newPlot(r)
	v.Tiles = []tile{
		{"sent", units.Count(r.Sent), plannedNote(r)},
		{"acknowledged", units.Count(r.Acknowledged), units.Size(r.Bytes)},
		{"took", units.Duration(r.Elapsed), fmt.Sprintf("%s records/s on average", rate(r.Rate))},
	}
	v.Facts = counts(r)
	if t := r.Timing; t != nil {
		v.addTiming(t)
	}
	v.addReasons("left out", r.LeftOutFor)
	v.addReasons("refused", r.RefusedFor)
	v.Rules, v.Suspects = from.rules()
	return v
}

// addReasons adds a fact for each reason.
func (v *view) addReasons(fate string, counts map[string]int64) {
	for _, why := range slices.Sorted(maps.Keys(counts)) {
		v.Facts = append(v.Facts, fact{fate, units.Count(counts[why]), why})
	}
}

func plannedNote(r *replay.Report) string {
	if r.Planned == 0 {
		return "looping until it was stopped"
	}
	return "of " + units.Count(r.Planned) + " planned"
}

func counts(r *replay.Report) []fact {
	facts := []fact{
		{"left out", units.Count(r.LeftOut), "records that were not sent, on request"},
		{"not sent", units.Count(r.NotSent), "records that were planned, and that the producer never got"},
		{"not acknowledged", units.Count(r.Missing - r.NotSent), "records that were sent, and of which the target did not say that it has them"},
	}
	if s := r.Plan.Shard; s.Count > 0 {
		facts = append(facts, fact{"shard", s.String(), "of the partitions; the others are in reports of their own"})
	}
	if r.Plan.ReplayID != "" {
		facts = append(facts, fact{"transactions", units.Count(r.Transactions), "that were committed, exactly once"})
	}
	if r.Plan.Earlier > 0 {
		facts = append(facts, fact{"earlier", units.Count(r.Plan.Earlier), "records that an earlier run had sent"})
	}
	return facts
}

func (v *view) addTiming(t *replay.Timing) {
	v.Pace = t.Pace
	if !t.Start.IsZero() {
		v.When = t.Start.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	v.Lateness = newBars(t)
	v.Tiles = append(v.Tiles,
		tile{"requested", rate(t.RequestedRate) + "/s", units.Size(int64(t.RequestedBytes)) + "/s"},
		tile{"achieved", rate(t.AchievedRate) + "/s", units.Size(int64(t.AchievedBytes)) + "/s"},
		tile{"drift at the end", units.Fine(t.Drift), "behind the plan"},
		tile{"dispatch p99", units.Fine(t.Dispatch.P99), "p50 " + units.Fine(t.Dispatch.P50)},
		tile{"late", units.Count(t.Late), "by more than " + units.Fine(lateness.Late)},
	)
	v.Facts = append([]fact{
		{"lateness of dispatch", percentiles(t.Dispatch), "from when a record was due until the producer got it"},
		{"lateness of acknowledgement", percentiles(t.Acknowledgement), "from when a record was due until the target had it"},
		{"precision", string(t.Precision), t.PrecisionNote},
		{"recording", units.Time(t.FirstMs) + " to " + units.Time(t.LastMs), fmt.Sprintf("what was played, in %s", units.Of(t.Rounds, "round"))},
		{"late", units.Count(t.Late), "records sent more than " + units.Fine(lateness.Late) + " after they were due"},
		{"starved", units.Count(t.Starved), "records that were due before they were read from the archive"},
		{"held back", units.Count(t.HeldBack), "records that were due while too many before them were not acknowledged"},
		{"out of order", units.Count(t.OutOfOrder), "records with an earlier timestamp than one before them in their partition; they do not wait"},
		{"without a time", units.Count(t.Untimed), "records that were sent with the one before them"},
		{"squeezed", fmt.Sprintf("%s, %s", units.Of(t.Squeezed.Gaps, "silence"), units.Duration(t.Squeezed.Duration)), "time of the recording that was not played"},
		{"dropped", units.Count(t.Dropped), "records that were too late"},
		{"paused", units.Duration(t.Paused), "the schedule waited"},
		{"moved", units.Fine(t.Moved), "the schedule, because the replay could not follow it"},
	}, v.Facts...)
	if t.FirstMs == format.NoTimestamp {
		v.Facts[3].Value = "no timestamps"
	}
}

func percentiles(l replay.Lateness) string {
	return strings.Join([]string{"p50 " + units.Fine(l.P50), "p99 " + units.Fine(l.P99), "p99.9 " + units.Fine(l.P999), "max " + units.Fine(l.Max)}, ", ")
}

// rate spells a number per second with as many digits as say something.
func rate(perSecond float64) string {
	if perSecond < 100 {
		return fmt.Sprintf("%.4g", perSecond)
	}
	return units.Count(int64(perSecond + 0.5))
}

// clock spells a time since the start on an axis with steps of so much.
func clock(d, step time.Duration) string {
	if step < time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return units.Duration(d)
}
