package main

import (
	"context"
	"errors"
	"strings"

	"github.com/karchive/karchive/internal/registry"
	"github.com/karchive/karchive/internal/reportpage"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/replay"
)

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
		r.Reshaped.routed = !o.replay.Partitioner.Keeps() || isTable(o.archive) // whose rows are in one partition
	}
	r.Verdict, r.Whole = r.page().Verdict()
}

// page is what the HTML report shows.
func (r *replayed) page() *reportpage.Replay {
	page := &reportpage.Replay{Archive: r.Archive, Report: r.Report, Damaged: r.damaged, MadeBy: r.MadeBy, Command: strings.Join(r.Command, " "), Settings: r.Settings}
	if c := r.Completeness; c != nil && (!c.Complete || c.gone+c.pruned > 0) {
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
