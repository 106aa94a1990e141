package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/registry"
	"github.com/karchive/karchive/internal/reportpage"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/selection"
)

// notePlan prints what the preflight found: all of it, so that one look at the target is enough.
func (e *env) notePlan(p *replay.Plan, force bool) {
	if len(p.CompressionOf) > 0 {
		e.notef("compressing with %s, as the source does %s", p.Compression, strings.Join(p.CompressionOf, ", "))
	}
	refusing := p.Refusing(force)
	for _, f := range p.Findings {
		what := f.What
		if f.Topic != "" && !strings.Contains(what, f.Topic) {
			what = f.Topic + ": " + what
		}
		if !slices.Contains(refusing, f) {
			e.warnf("%s: %s; %s", what, f.Consequence, f.Fix)
		} else if len(refusing) > 1 {
			e.line(fmt.Sprintf("%s: %s; %s", what, f.Consequence, f.Fix))
		}
	}
}

func replayProgress(p replay.Progress, timed bool) string {
	text := ""
	if timed {
		text = timedProgress(p)
	} else {
		text = topSpeedProgress(p)
	}
	if p.Failed > 0 {
		text += ", " + units.Of(int64(p.Failed), "partition") + " stopped"
	}
	return text
}

func topSpeedProgress(p replay.Progress) string {
	text := fmt.Sprintf("%s of %s records, %s, %s/s", units.Count(p.Acknowledged), units.Count(p.Planned), units.Size(p.Bytes), units.Count(int64(p.Rate)))
	if p.LeftOut > 0 {
		text += ", " + units.Count(p.LeftOut) + " left out"
	}
	if p.Paused {
		text += ", paused"
	}
	return text
}

func replayHint(err error, otherwise string) error {
	if errors.As(err, new(*selection.MissingTopicError)) || errors.As(err, new(hinter)) || replayErrorHint(err) != "" {
		return err
	}
	return withHint(err, otherwise)
}

// replayed is the JSON form of what replay prints and reports.
type replayed struct {
	Archive string `json:"archive"`
	Verdict string `json:"verdict"`
	Whole   bool   `json:"whole"` // nothing is missing of what was asked for
	*replay.Report
	Completeness *completeness `json:"completeness"` // of what was to be replayed of the archive
	Reshaped     *reshaped     `json:"reshaped,omitempty"`
	Sample       []previewed   `json:"sample,omitempty"` // of a dry run
	// Schemas are those that records name, in the target's registry.
	Schemas []registry.Restored `json:"schemas,omitempty"`
	invocation

	rules   *reshape.Pipeline // nil: there are none
	damaged bool              // parts of the archive, or rows of the file, were left out
}

// finish adds what came of the replay.
func (r *replayed) finish(report *replay.Report, o *replayOptions) {
	r.Report, r.Schemas = report, o.schemaMap()
	if r.Reshaped = newReshaped(r.rules); r.Reshaped != nil {
		r.Reshaped.routed = o.replay.Partitioner.String() != replay.Keep.String() || isTable(o.archive) // whose rows are in one partition
	}
	r.Verdict, r.Whole = r.page().Verdict()
}

// page is what the HTML report shows.
func (r *replayed) page() *reportpage.Replay {
	page := &reportpage.Replay{Archive: r.Archive, Report: r.Report, Damaged: r.damaged, MadeBy: r.MadeBy, Command: strings.Join(r.Command, " "), Settings: r.Settings}
	if c := r.Completeness; c != nil && (!c.Complete || c.gone > 0) {
		page.Incomplete, page.Lacks = c.verdict(), c.lines()
	}
	if r.Reshaped != nil {
		page.Rules, page.Steps, page.Reshaped = r.Reshaped.Rules, r.Reshaped.Steps, r.Reshaped.Report
	}
	return page
}

// print adds what rules would do in a dry run, and prints all of it.
func (r *replayed) print(ctx context.Context, e *env, a *source, o replayOptions) (err error) {
	if r.DryRun {
		if r.Sample, err = a.sample(ctx, e, o, r.rules); err != nil {
			return err
		}
		r.finish(r.Report, &o) // with what the rules did to the sample
	}
	r.Reshaped.warn(e)
	if o.format == "json" {
		shown, summary := *r, *r.Report
		summary.Series = replay.Series{} // that is for --report
		shown.Report = &summary
		return printJSON(e.stdout, &shown)
	}
	return errors.Join(printReplay(e, r.Report), writePreview(e.text, r.Sample), writeRestored(e, r.Schemas), r.Reshaped.write(e.text))
}

func printReplay(e *env, r *replay.Report) error {
	err := writeReplay(e, r)
	if len(r.Groups) == 0 || err != nil {
		return err
	}
	printable.Fprintf(e.text, "\n")
	return writePositions(e.text, r.Groups)
}

func writeReplay(e *env, r *replay.Report) error {
	t := newTable(e.text)
	if r.DryRun {
		writePlan(t, r.Plan)
		return t.Flush()
	}
	printable.Fprintf(t, "TOPIC\tINTO\tPLANNED\tSENT\tACKNOWLEDGED\tBYTES\n")
	for _, topic := range r.Topics {
		printable.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", topic.Topic, topic.Target, units.Count(topic.Planned), units.Count(topic.Sent), units.Count(topic.Acknowledged), units.Size(topic.Bytes))
	}
	for _, f := range r.Failures {
		printable.Fprintf(t, "stopped: %s-%d at offset %d: %s\n", f.Topic, f.Partition, f.Offset, f.Reason)
	}
	for _, fate := range []struct {
		what   string
		counts map[string]int64
	}{{"left out", r.LeftOutFor}, {"sent and not acknowledged", r.RefusedFor}} {
		for _, why := range slices.Sorted(maps.Keys(fate.counts)) {
			printable.Fprintf(t, "%s: %s: %s\n", fate.what, units.Of(fate.counts[why], "record"), why)
		}
	}
	printable.Fprintf(t, "replayed %s, %s, into cluster %s in %s (%s/s)%s%s\n", units.Of(r.Acknowledged, "record"), units.Size(r.Bytes), orNone(r.Plan.TargetCluster),
		units.Duration(r.Elapsed), units.Count(int64(r.Rate)), committedText(r), leftText(r))
	if r.Timing != nil {
		writeTiming(t, r.Timing)
	}
	return t.Flush()
}

func committedText(r *replay.Report) string {
	if r.Plan.ReplayID == "" {
		return ""
	}
	return ", exactly once in " + units.Of(r.Transactions, "transaction")
}

func leftText(r *replay.Report) string {
	var text string
	if r.Plan.Earlier > 0 {
		text += ", " + units.Count(r.Plan.Earlier) + " earlier"
	}
	if r.LeftOut > 0 {
		text += ", " + units.Count(r.LeftOut) + " left out"
	}
	if r.NotSent > 0 {
		text += ", " + units.Count(r.NotSent) + " not sent"
	}
	if n := r.Missing - r.NotSent; n > 0 {
		text += ", " + units.Count(n) + " not acknowledged"
	}
	return text
}

func writePlan(t io.Writer, p *replay.Plan) {
	printable.Fprintf(t, "TOPIC\tINTO\tPARTITIONS\tRECORDS\tBYTES\tFIRST\tLAST\n")
	for _, topic := range p.Topics {
		target := topic.Target
		if topic.Create {
			target += " (to be made)"
		}
		printable.Fprintf(t, "%s\t%s\t%d into %d\t%s\n", topic.Topic, target, len(topic.Partitions), topic.TargetPartitions, amountRow(topic.Total))
	}
	printable.Fprintf(t, "total\tcluster %s\t\t%s\n", orNone(p.TargetCluster), amountRow(p.Total))
}

func amountRow(a replay.Amount) printable.Cells {
	first, last, most := "-", "-", ""
	if a.Records > 0 {
		first, last = timeText(a.MinTimestampMs), timeText(a.MaxTimestampMs)
	}
	if !a.Exact {
		most = "at most "
	}
	return printable.Cells{most + units.Count(a.Records), most + units.Size(a.Bytes), first, last}
}
