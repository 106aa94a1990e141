package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/reshape"
)

// What becomes of a record, as expectations say it.
const (
	outcomePassed   = "passed"
	outcomeWithheld = "withheld"
	outcomeDropped  = "dropped"
)

// expectField is the member of a line that says what is expected.
const expectField = "expect"

// ruleSample is a record that rules are tried on.
type ruleSample struct {
	line   int
	at     format.TopicPartition
	record format.Record
	expect *expectation // nil: none
}

// expectation is what rules should make of a record.
type expectation struct {
	outcome string
	record  format.Record // where it passes
}

// readSamples reads a file of them. Blank lines count, and are none.
func readSamples(e *env, name string) ([]ruleSample, error) {
	data, err := e.readFile(name)
	if err != nil {
		return nil, err
	}
	var samples []ruleSample
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		s, err := parseSample(text)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, line, err)
		}
		s.line = line
		samples = append(samples, s)
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s: %w", name, errNoSamples)
	}
	return samples, nil
}

func parseSample(line []byte) (s ruleSample, err error) {
	var expect []byte
	if s.at, s.record, expect, err = jsonl.ParseWith(line, expectField); err != nil || expect == nil {
		return s, err
	}
	if s.expect, err = parseExpectation(expect, s.at, s.record.Offset); err != nil {
		return s, fmt.Errorf("%s: %w", expectField, err)
	}
	return s, nil
}

func parseExpectation(raw []byte, at format.TopicPartition, offset int64) (*expectation, error) {
	var word string
	if json.Unmarshal(raw, &word) == nil && (word == outcomeWithheld || word == outcomeDropped) {
		return &expectation{outcome: word}, nil
	}
	if raw[0] != '{' {
		return nil, fmt.Errorf("neither a record, %q nor %q", outcomeWithheld, outcomeDropped)
	}
	place, record, err := jsonl.Parse(raw)
	if err == nil && (place != at || record.Offset != offset) {
		err = errors.New("at another place than the record; rules do not move it")
	}
	return &expectation{outcomePassed, record}, err
}

// ruleResult is what rules made of a sample, and how that differs from what was expected.
type ruleResult struct {
	Kind      string       `json:"kind"`
	Line      int          `json:"line"`
	Topic     string       `json:"topic"`
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Outcome   string       `json:"outcome"`
	Why       string       `json:"why,omitempty"` // it was withheld, or dropped undecided
	Record    rawJSON      `json:"record"`        // null: it does not go on
	Agrees    *bool        `json:"agrees"`        // null: nothing was expected
	Expected  string       `json:"expected,omitempty"`
	Changes   []ruleChange `json:"changes,omitempty"`

	sample ruleSample
}

// ruleChange is a part of a record that is not as expected. What is not there is empty.
type ruleChange struct {
	Path     string `json:"path"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
}

func newRuleResult(s ruleSample, verdict reshape.Verdict, why string, after *format.Record) ruleResult {
	r := ruleResult{Kind: "sample", Line: s.line, Topic: s.at.Topic, Partition: s.at.Partition, Offset: s.record.Offset, Why: why, sample: s}
	switch verdict {
	case reshape.Pass:
		r.Outcome, r.Record = outcomePassed, bytes.TrimSpace(jsonl.Append(nil, s.at, after))
	case reshape.Withheld:
		r.Outcome = outcomeWithheld
	default:
		r.Outcome = outcomeDropped
	}
	if s.expect != nil {
		r.compare(s.expect, after)
	}
	return r
}

func (r *ruleResult) compare(want *expectation, after *format.Record) {
	r.Expected = want.outcome
	agrees := r.Outcome == want.outcome
	if agrees && r.Outcome == outcomePassed {
		for _, c := range diff.Explain(&want.record, after) {
			r.Changes = append(r.Changes, ruleChange{c.Path, c.A, c.B})
		}
		agrees = len(r.Changes) == 0
	}
	r.Agrees = &agrees
}

// updateSamples writes the samples again with what rules made of them as what is expected.
func updateSamples(name string, results []ruleResult) error {
	f, err := aside.ReplaceFile(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for i := range results {
		w.Write(results[i].appendLine(nil)) // Flush has its error
	}
	if err := w.Flush(); err != nil {
		f.Abandon()
		return err
	}
	return f.Commit()
}

// appendLine appends the sample with its new expectation.
func (r *ruleResult) appendLine(dst []byte) []byte {
	dst = bytes.TrimSuffix(jsonl.Append(dst, r.sample.at, &r.sample.record), []byte("}\n"))
	dst = append(dst, `,"`+expectField+`":`...)
	if r.Outcome == outcomePassed {
		dst = append(dst, r.Record...)
	} else {
		dst = append(dst, `"`+r.Outcome+`"`...)
	}
	return append(dst, "}\n"...)
}
