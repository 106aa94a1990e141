package main

import (
	"fmt"
	"io"

	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
)

// rulesOutput is how a test of rules went; as JSON it is the last line.
type rulesOutput struct {
	Kind       string    `json:"kind"`
	Samples    int       `json:"samples"`
	Agree      int       `json:"agree"`
	Differ     int       `json:"differ"`
	Unexpected int       `json:"without_expectation"`
	Reshaped   *reshaped `json:"reshaped"`

	file    string
	results []ruleResult
}

func newRulesOutput(file string, results []ruleResult, rules *reshape.Pipeline) *rulesOutput {
	o := &rulesOutput{Kind: "summary", Samples: len(results), Reshaped: newReshaped(rules), file: file, results: results}
	for i := range results {
		switch agrees := results[i].Agrees; {
		case agrees == nil:
			o.Unexpected++
		case *agrees:
			o.Agree++
		default:
			o.Differ++
		}
	}
	return o
}

func (o *rulesOutput) print(e *env, format string) error {
	for i := range o.results {
		var err error
		if format == "json" {
			err = printJSONLine(e.stdout, &o.results[i])
		} else {
			err = o.write(e.text, &o.results[i])
		}
		if err != nil {
			return err
		}
	}
	if format == "json" {
		return printJSONLine(e.stdout, o)
	}
	_, err := printable.Fprintf(e.text, "%s: %s\n", units.Of(int64(o.Samples), "sample"), o.counts())
	return err
}

func (o *rulesOutput) counts() string {
	text := fmt.Sprintf("%d as expected, %d not", o.Agree, o.Differ)
	if o.Unexpected > 0 {
		text += fmt.Sprintf(", %d without an expectation", o.Unexpected)
	}
	return text
}

// write shows a record that is not as expected, or of which nothing was.
func (o *rulesOutput) write(w io.Writer, r *ruleResult) error {
	if r.Agrees != nil && *r.Agrees {
		return nil
	}
	if _, err := printable.Fprintf(w, "%s:%d: %s: %s\n", o.file, r.Line, placeOf(r.sample.at, r.Offset), r.verdict()); err != nil {
		return err
	}
	if r.Record != nil && len(r.Changes) == 0 {
		_, err := printable.Fprintf(w, "  + %s\n", []byte(r.Record))
		return err
	}
	for _, c := range r.Changes {
		expected, got := diff.Excerpts(c.Expected, c.Got, widest)
		if err := printSides(w, shownLine{c.Path, expected, got}, "", "", ""); err != nil {
			return err
		}
	}
	return nil
}

// verdict is what became of a record, and what should have.
func (r *ruleResult) verdict() string {
	text := r.Outcome
	if r.Why != "" {
		text += ": " + r.Why
	}
	switch {
	case r.Expected == "":
		return text
	case r.Expected == r.Outcome:
		return "not as expected"
	}
	return fmt.Sprintf("expected %s, got %s", r.Expected, text)
}

// warn says what looks like a mistake in the rules, or is missing in the samples.
func (o *rulesOutput) warn(e *env) { o.Reshaped.warn(e) }
