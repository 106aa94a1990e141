package main

import (
	"errors"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/karchive/karchive/internal/compare"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reportpage"
	"github.com/karchive/karchive/internal/units"
)

// programJSON is a line of the JSON form.
type programJSON struct {
	Kind     string             `json:"kind"`
	Name     string             `json:"name"`
	Records  int64              `json:"records"`
	Topics   []topicJSON        `json:"topics"`
	Drained  time.Duration      `json:"drained_ns"`
	Took     time.Duration      `json:"took_ns"`
	CPU      time.Duration      `json:"cpu_ns"`
	Memory   int64              `json:"memory_bytes"`
	ByItself bool               `json:"by_itself"`
	Left     string             `json:"left,omitempty"`
	Error    string             `json:"error,omitempty"`
	Lag      []compare.LagPoint `json:"lag"`
}

type topicJSON struct {
	Topic   string `json:"topic"`
	Records int64  `json:"records"`
}

func newProgramJSON(r *compare.Result) programJSON {
	p := programJSON{Kind: "program", Name: r.Name, Records: r.Records(), Topics: []topicJSON{}, Drained: r.Drained, Took: r.Took, CPU: r.CPU, Memory: r.Memory,
		ByItself: r.ByItself, Left: r.Left, Lag: r.Lag}
	if r.Err != nil {
		p.Error = r.Err.Error()
	}
	for _, t := range r.Topics {
		p.Topics = append(p.Topics, topicJSON(t))
	}
	return p
}

// printNumbers prints what programs took.
func (o *compareOptions) printNumbers(e *env, results []compare.Result) error {
	if o.format == "json" {
		for i := range results {
			if err := printJSONLine(e.stdout, newProgramJSON(&results[i])); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(e.text, 0, 0, 2, ' ', 0)
	printable.Fprintf(t, "PROGRAM\tRECORDS OUT\tTIME TO DRAIN\tRAN FOR\tCPU\tMEMORY\tENDED\n")
	for i := range results {
		printable.Fprintf(t, "%s\t%s\n", results[i].Name, numberCells(&results[i]))
	}
	printable.Fprintf(t, "\n")
	return t.Flush()
}

func numberCells(r *compare.Result) printable.Cells {
	spelled := func(d time.Duration) string {
		if d == 0 {
			return "-"
		}
		return units.Duration(d)
	}
	memory := "-"
	if r.Memory > 0 {
		memory = units.Size(r.Memory)
	}
	ended := "when it was done"
	switch {
	case r.Err != nil:
		ended = "failed"
	case r.ByItself:
		ended = "by itself"
	}
	return printable.Cells{units.Count(r.Records()), spelled(r.Drained), spelled(r.Took), spelled(r.CPU), memory, ended}
}

// tellFailed shows what programs that failed printed, and warns of results that say little. The error is that of those that failed.
func (e *env) tellFailed(results []compare.Result) error {
	var errs []error
	for i := range results {
		r := &results[i]
		switch failed, ok := errors.AsType[*compare.ProgramError](r.Err); {
		case ok:
			e.showOutput(failed)
			errs = append(errs, failed)
		case r.Left != "":
			e.warnf("%s", unreadTexts(results[i : i+1])[0])
		case r.Records() == 0:
			e.warnf("%s wrote no record", r.Name)
		}
	}
	return errors.Join(errs...)
}

// unreadTexts say what programs left to read.
func unreadTexts(results []compare.Result) (texts []string) {
	for i := range results {
		if r := &results[i]; r.Left != "" {
			texts = append(texts, r.Name+" ended by itself before it had read everything: "+r.Left)
		}
	}
	return texts
}

// shownLines is how much of what a program printed is shown.
const shownLines = 20

func (e *env) showOutput(failed *compare.ProgramError) {
	text := strings.TrimRight(failed.Output, "\n")
	if text == "" {
		e.line(failed.Name + " printed nothing")
		return
	}
	lines := strings.Split(text, "\n")
	e.line("the end of what " + failed.Name + " printed:")
	for _, line := range lines[max(len(lines)-shownLines, 0):] {
		e.write("  | ", line)
	}
}

// sidesJSON is the line before the differences of a comparison.
type sidesJSON struct {
	Kind string `json:"kind"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// printSides says what is compared.
func (o *compareOptions) printSides(e *env, a, b string) error {
	if o.format == "json" {
		return printJSONLine(e.stdout, sidesJSON{"comparison", a, b})
	}
	_, err := printable.Fprintf(e.text, "A is %s, B is %s\n", a, b)
	return err
}

// programPages are the numbers for the page.
func programPages(results []compare.Result) []reportpage.Program {
	var out []reportpage.Program
	for i := range results {
		r := &results[i]
		p := reportpage.Program{Name: r.Name, Records: r.Records(), Drained: r.Drained, Took: r.Took, CPU: r.CPU, Memory: r.Memory}
		for _, l := range r.Lag {
			p.Lag = append(p.Lag, reportpage.LagPoint{After: l.After, Offsets: l.Offsets})
		}
		out = append(out, p)
	}
	return out
}
