package reportpage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

// Replay is all that a report says of a replay.
type Replay struct {
	Archive string // as it was named
	Report  *replay.Report

	Incomplete string   // what the archive lacks of what was asked for, in a clause; empty: nothing
	Lacks      []string // the same by range
	Damaged    bool     // parts of the archive could not be read and were left out

	Rules, Steps string          // the digest of the rules, and what they do; empty: there are none
	Reshaped     *reshape.Report // nil: there are none

	MadeBy   string   // the program and its version
	Command  string   // the command line, without what may be a secret
	Settings []string // of the connection, by name
}

// Verdict says what came of the replay. Whole says that everything is in the target that was asked for.
func (r *Replay) Verdict() (text string, whole bool) {
	if lacks := append(r.unsent(), r.lacks()...); len(lacks) > 0 {
		return strings.Join(lacks, "; "), false
	}
	return "complete" + r.without(), true
}

// unsent is what is wrong with the replay itself.
func (r *Replay) unsent() (out []string) {
	report := r.Report
	if n := len(report.Failures); n > 0 {
		out = append(out, units.Of(int64(n), "partition")+" stopped before the end")
	} else if report.Stopped {
		out = append(out, "interrupted before the end")
	}
	for _, part := range []struct {
		n    int64
		what string
	}{{report.NotSent, "not sent"}, {report.Missing - report.NotSent, "not acknowledged"}, {report.LeftOut, "left out"}} {
		if part.n > 0 {
			out = append(out, units.Of(part.n, "record")+" "+part.what)
		}
	}
	if report.GroupFailure != "" {
		out = append(out, strings.TrimPrefix(units.Of(int64(unsetGroups(report.Groups)), "group"), "0 ")+" not where they belong")
	}
	return out
}

// unsetGroups counts the groups with a position that was not set; positions are in the order of groups.
func unsetGroups(all []replay.GroupPosition) (n int) {
	last := ""
	for _, p := range all {
		if !p.Set && (n == 0 || p.Group != last) {
			n, last = n+1, p.Group
		}
	}
	return n
}

// lacks is what is missing although the replay came to its end.
func (r *Replay) lacks() (out []string) {
	if r.Incomplete != "" {
		out = append(out, "the archive is "+r.Incomplete)
	}
	if r.Damaged {
		out = append(out, "damaged parts were left out")
	}
	if r.Reshaped == nil {
		return out
	}
	return append(out, r.Reshaped.Lacks()...)
}

// without is what was asked to be left out.
func (r *Replay) without() string {
	if r.Reshaped == nil || r.Reshaped.Filtered+r.Reshaped.Sampled == 0 {
		return ""
	}
	var parts []string
	if n := r.Reshaped.Filtered; n > 0 {
		parts = append(parts, units.Count(n)+" that the filter left out")
	}
	if n := r.Reshaped.Sampled; n > 0 {
		parts = append(parts, units.Count(n)+" not in the sample")
	}
	return ", without " + strings.Join(parts, " and ")
}

// rules are what the rules did, and the fields that have none and look as if they needed one.
func (r *Replay) rules() ([]fact, []reshape.Suspect) {
	p := r.Reshaped
	if p == nil {
		return nil, nil
	}
	out := []fact{
		{"rules", r.Steps, "digest " + r.Rules},
		{"read", units.Count(p.Read), "records that came to the rules"},
		{"passed", units.Count(p.Passed), "records that went on"},
		{"filtered", units.Count(p.Filtered), "records that the filter left out"},
		{"not in the sample", units.Count(p.Sampled), "records that were sampled away"},
		{"withheld", units.Count(p.Withheld), "records that no rule may let pass as they are"},
	}
	out = append(out, reasons("withheld", p.WithheldFor)...)
	out = append(out, reasons("filter not decided", p.Undecided)...)
	if p.Unmaskable > 0 {
		out = append(out, fact{"not masked", units.Count(p.Unmaskable), "payloads that went on without, or redacted, as asked for"})
	}
	for _, one := range slices.Concat(p.Masks, p.Maps) {
		out = append(out, fact{one.Rule, units.Count(one.Fields), fmt.Sprintf("fields changed, in %s", units.Of(one.Records, "record"))})
	}
	return out, p.Uncovered
}

// reasons are counts by reason, the most frequent first.
func reasons(name string, counts map[string]int64) (out []fact) {
	for _, why := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	}) {
		out = append(out, fact{name, units.Count(counts[why]), why})
	}
	return out
}

// made says how the report came to be.
func (r *Replay) made() []fact {
	settings := strings.Join(r.Settings, ", ")
	var out []fact
	for _, f := range []fact{{"made by", r.MadeBy, ""}, {"command", r.Command, "… stands for what is not shown"}, {"settings of the connection", settings, "by name"}} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}
