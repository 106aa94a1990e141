package main

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
)

// reshaped is a pipeline's report in the JSON form of what a command prints, with the rules that it is about.
type reshaped struct {
	Rules string `json:"rules"` // their hash
	Steps string `json:"steps"`
	*reshape.Report

	masksKeys bool
	routed    bool // records go where their new keys lead, or all to one partition
}

// newReshaped is what a pipeline did; nil without one.
func newReshaped(p *reshape.Pipeline) *reshaped {
	if p == nil {
		return nil
	}
	rules, report := p.Rules(), p.Report()
	return &reshaped{Rules: rules.Hash(), Steps: rules.Steps(), Report: &report, masksKeys: p.MasksKeys()}
}

// lacks is what is missing, because of the rules, without having been asked for.
func (r *reshaped) lacks() []string {
	if r == nil {
		return nil
	}
	return r.Lacks()
}

// incomplete is errIncomplete when records were withheld, a rule or the sample never found anything or the filter was never decided.
func (r *reshaped) incomplete() error {
	if len(r.lacks()) > 0 {
		return errIncomplete
	}
	return nil
}

// write prints the counts of each step. It prints nothing without a pipeline.
func (r *reshaped) write(w io.Writer) error {
	if r == nil {
		return nil
	}
	t := newTable(w)
	printable.Fprintf(t, "reshaped (%s; rules %s): %s read, %s passed%s\n", r.Steps, r.Rules, units.Of(r.Read, "record"), units.Count(r.Passed), r.leftOut())
	for _, rules := range [][]reshape.RuleReport{r.Masks, r.Maps} {
		for _, one := range rules {
			printable.Fprintf(t, "  %s\t%s\n", ruleText(one), matched(one))
		}
	}
	for _, why := range byCount(r.Undecided) {
		printable.Fprintf(t, "  filter cannot be decided: %s\t%s\n", why, units.Of(r.Undecided[why], "record"))
	}
	for _, why := range byCount(r.WithheldFor) {
		printable.Fprintf(t, "  withheld: %s\t%s\n", why, units.Of(r.WithheldFor[why], "record"))
	}
	if r.WithoutEntity > 0 {
		printable.Fprintf(t, "  without an entity, sampled by their offset\t%s\n", units.Of(r.WithoutEntity, "record"))
	}
	if r.Unmaskable > 0 {
		printable.Fprintf(t, "  could not be masked and went on as --unmaskable says\t%s\n", units.Of(r.Unmaskable, "record"))
	}
	return t.Flush()
}

func (r *reshaped) leftOut() string {
	var parts []string
	add := func(n int64, what string) {
		if n > 0 {
			parts = append(parts, units.Count(n)+" "+what)
		}
	}
	add(r.Filtered, "left out by the filter")
	add(r.Sampled, "not in the sample")
	add(r.Withheld, "withheld")
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, ", ")
}

func ruleText(r reshape.RuleReport) string {
	if len(r.Topics) == 0 {
		return r.Rule
	}
	return r.Rule + " in " + strings.Join(r.Topics, ", ")
}

func matched(r reshape.RuleReport) string {
	if r.Fields == 0 && r.Looked > 0 {
		return "nothing to change in " + units.Of(r.Looked, "field")
	}
	if r.Fields == 0 {
		return "never matched"
	}
	return units.Of(r.Fields, "field") + " of " + units.Of(r.Records, "record")
}

// byCount sorts reasons, the most frequent first.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// noteReshaped says on stderr what rules did, for commands whose results are records, and returns errIncomplete when something
// was lost by that.
func (e *env) noteReshaped(p *reshape.Pipeline) error {
	r := newReshaped(p)
	if r == nil {
		return nil
	}
	var text strings.Builder
	width := e.remarkWidth()
	r.write(screen{&text, func() int { return width() - len(linePrefix) }})
	for line := range strings.Lines(text.String()) {
		e.notef("%s", strings.TrimSuffix(line, "\n"))
	}
	r.warn(e)
	return r.incomplete()
}

// warn says what looks like a mistake in the rules.
func (r *reshaped) warn(e *env) {
	if r == nil {
		return
	}
	for i, s := range r.Uncovered {
		if i == maxSuspects {
			e.warnf("%d more fields look personal and have no rule; --format json names them", len(r.Uncovered)-i)
			break
		}
		e.warnf("%s: %s looks personal (%s) and no rule has changed it, in %s; mask it, or say --mask %s=keep", s.Topic, s.Path, s.Looks, units.Of(s.Records, "record"), s.Path)
	}
	for _, rule := range r.NeverMatched() {
		e.warnf("the rule %s never matched: correct its path or topics, or put a ? before it if it may match nothing", rule)
	}
	if r.NeverDecided() {
		e.warnf("the filter could not be decided for any of %s: %s", units.Of(r.Read, "record"), byCount(r.Undecided)[0])
	}
	if by := r.NeverNamed(); len(by) > 0 {
		e.warnf("the sample found nothing at %s in any of %s, and took each by its offset: correct the path, or sample by random", strings.Join(by, ", "), units.Of(r.WithoutEntity, "record"))
	}
	switch {
	case r.KeysChanged == 0 || r.routed:
	case r.masksKeys:
		e.warnf("%s masked, and the records keep the partitions of the keys they had, by which a guess can be tested: replay with --partitioner key", units.Of(r.KeysChanged, "key"))
	default:
		e.notef("%s changed: records keep the partitions of the keys they had, unless --partitioner says otherwise", units.Of(r.KeysChanged, "key"))
	}
}

// maxSuspects is how many fields are named on a screen.
const maxSuspects = 20
