package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reportpage"
	"github.com/karchive/karchive/internal/units"
)

// diffOutput takes differences, and prints them behind the counts. As JSON they are printed at once, and the counts come last.
type diffOutput struct {
	e      *env
	json   bool
	most   int64 // differences that are shown; unbounded: all
	shown  []shownDifference
	page   *reportpage.Comparison // nil: none
	file   *aside.File            // of page
	passed int64
}

// Defaults of how many differences are shown.
const (
	textExamples = 10
	pageExamples = 1000
)

// unbounded is a number of examples that was not given.
const unbounded = -1

func newDiffOutput(e *env, o *comparing, a, b *diffSide) (d *diffOutput, err error) {
	d = &diffOutput{e: e, json: o.format == "json", most: o.examples}
	if o.examples == unbounded && !d.json {
		d.most = textExamples
	}
	if o.html == "" {
		return d, nil
	}
	if d.file, err = createFile(o.html); err != nil {
		return nil, err
	}
	d.page = reportpage.NewComparison(a.name, b.name, o.by, pageExamples)
	for _, s := range []*diffSide{a, b} {
		if err := d.page.AddTimes(s.Archive, s.Selection); err != nil {
			d.abandon()
			return nil, err
		}
	}
	return d, nil
}

func (d *diffOutput) abandon() {
	if d.file != nil {
		d.file.Abandon()
	}
}

func (d *diffOutput) take(x *diff.Difference) error {
	d.passed++
	if d.page != nil {
		d.page.Add(x)
	}
	if d.most != unbounded && d.passed > d.most {
		return nil
	}
	if d.json {
		return printJSONLine(d.e.stdout, newDifferenceJSON(x))
	}
	d.shown = append(d.shown, showDifference(x))
	return nil
}

// finish shows the counts, and what was not compared though it was to be.
func (d *diffOutput) finish(r *diff.Report, lacks []string) error {
	if d.page != nil {
		d.page.Lacks = lacks
		if err := d.page.Write(d.file, r); err != nil {
			return err
		}
		if err := d.file.Commit(); err != nil {
			return err
		}
	}
	if d.json {
		return printJSONLine(d.e.stdout, summaryJSON{"summary", r.Equals(), r, len(lacks) == 0, append([]string{}, lacks...)})
	}
	return d.print(r)
}

// print prints the counts, the paths, and the first differences.
func (d *diffOutput) print(r *diff.Report) error {
	t := newTable(d.e.text)
	if !r.Equals() {
		printable.Fprintf(t, "TOPIC\tPARTITION\tEQUAL\tCHANGED\tONLY IN A\tONLY IN B\tOUT OF ORDER\n")
		for _, p := range r.Partitions {
			if !p.Equals() {
				printable.Fprintf(t, "%s\t%d\t%s\n", p.Topic, p.Partition, countsCells(&p.Counts))
			}
		}
		printable.Fprintf(t, "total\t\t%s\n\n", countsCells(&r.Counts))
	}
	if len(r.Paths) > 0 {
		printable.Fprintf(t, "PATH\tRECORDS\n")
		for _, p := range r.Paths[:min(len(r.Paths), shownPaths)] {
			printable.Fprintf(t, "%s\t%s\n", p.Path, units.Count(p.Records))
		}
		printable.Fprintf(t, "\n")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := d.printShown(); err != nil {
		return err
	}
	_, err := printable.Fprintf(d.e.text, "%s; %s\n", verdictText(r), decodedText(r))
	return err
}

// shownPaths is how many paths are listed.
const shownPaths = 20

func countsCells(c *diff.Counts) printable.Cells {
	return printable.Cells{units.Count(c.Equal), units.Count(c.Changed), units.Count(c.OnlyA), units.Count(c.OnlyB), units.Count(c.OutOfOrder)}
}

func verdictText(r *diff.Report) string {
	equal := units.Of(r.Equal, "record")
	switch {
	case r.Stopped:
		return fmt.Sprintf("stopped after %s: %s equal before, what follows not compared", units.Of(r.Differences(), "difference"), equal)
	case r.Equals():
		return "equal: " + equal
	}
	return fmt.Sprintf("different: %s equal, %s not", equal, units.Count(r.Differences()))
}

func (d *diffOutput) printShown() error {
	w, minus, plus, plain := io.Writer(d.e.text), "", "", ""
	if d.e.onScreen && !slices.ContainsFunc(d.e.environ, func(s string) bool { return strings.HasPrefix(s, "NO_COLOR=") }) {
		w, minus, plus, plain = d.e.stdout, "\x1b[31m", "\x1b[32m", "\x1b[0m"
	}
	for _, s := range d.shown {
		if _, err := printable.Fprintf(w, "%s\n", s.title); err != nil {
			return err
		}
		for _, l := range s.lines {
			if err := printSides(w, l, minus, plus, plain); err != nil {
				return err
			}
		}
	}
	if more := d.passed - int64(len(d.shown)); more > 0 {
		_, err := printable.Fprintf(w, "and %s more\n", units.Count(more))
		return err
	}
	return nil
}
