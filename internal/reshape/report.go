package reshape

import (
	"cmp"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/units"
)

// Report counts what a pipeline did, over the workers that were closed.
type Report struct {
	Read     int64 `json:"read"`
	Passed   int64 `json:"passed"`
	Filtered int64 `json:"filtered"` // left out by the filter, Undecided included
	Sampled  int64 `json:"sampled"`  // left out by the sample
	Withheld int64 `json:"withheld"`

	// Undecided counts records, of the filtered ones, about which the filter could not be decided, by reason.
	Undecided map[string]int64 `json:"undecided,omitempty"`
	// WithoutEntity counts records that had nothing to be sampled by. They were sampled by their place.
	WithoutEntity int64 `json:"without_entity,omitempty"`
	// WithheldFor counts withheld records by reason.
	WithheldFor map[string]int64 `json:"withheld_for,omitempty"`
	// Unmaskable counts payloads that went on unmasked or redacted as Rules.Unmaskable asks.
	Unmaskable int64 `json:"unmaskable,omitempty"`
	// KeysChanged counts records whose key is another one now. A replay keeps their partitions unless it is told otherwise.
	KeysChanged int64 `json:"keys_changed,omitempty"`

	Masks []RuleReport `json:"masks,omitempty"` // in the order of the rules
	Maps  []RuleReport `json:"maps,omitempty"`
	// Uncovered are the fields that look personal and have no rule, by topic and path.
	Uncovered []Suspect `json:"uncovered,omitempty"`

	by []string // the paths that the rules name entities by
}

// RuleReport is how often a rule found something to change.
type RuleReport struct {
	Rule    string   `json:"rule"` // as a flag would spell it
	Topics  []string `json:"topics,omitempty"`
	Records int64    `json:"records"` // with at least one match
	Fields  int64    `json:"fields"`  // matches
	// Looked counts, of a rule that changes only some of what its path leads to, all that it leads to.
	Looked   int64 `json:"looked,omitempty"`
	Optional bool  `json:"optional,omitempty"` // it may match nothing

	part  int  // of an endpoint: the first of its rules in Report.Maps
	picks bool // Looked counts
}

// Suspect is a field that looks personal and has no rule.
type Suspect struct {
	Topic   string `json:"topic"`
	Path    string `json:"path"`    // as a rule would name it
	Looks   string `json:"looks"`   // like what: e-mail, phone, card, IBAN, IP address, or a name
	Records int64  `json:"records"` // that have it
}

// Incomplete says that records were withheld, that a rule never matched which is not optional, that the filter could not be decided
// for any record, or that no record had what the sample goes by.
func (r *Report) Incomplete() bool { return len(r.Lacks()) > 0 }

// Lacks names in a few words each what Incomplete is about.
func (r *Report) Lacks() (out []string) {
	if r.Withheld > 0 {
		out = append(out, units.Of(r.Withheld, "record")+" withheld")
	}
	if n := len(r.NeverMatched()); n > 0 {
		out = append(out, units.Of(int64(n), "rule")+" never matched")
	}
	if r.NeverDecided() {
		out = append(out, "the filter was never decided")
	}
	if len(r.NeverNamed()) > 0 {
		out = append(out, "the sample never found an entity")
	}
	return out
}

// NeverDecided says that there were records, and the filter could not be decided for any of them.
func (r *Report) NeverDecided() bool {
	var undecided int64
	for _, n := range r.Undecided {
		undecided += n
	}
	return r.Read > 0 && undecided == r.Read
}

// NeverNamed are the paths that a sample was to go by, if none of them led to anything in any record: the sample has halves of entities.
func (r *Report) NeverNamed() []string {
	if r.WithoutEntity == 0 || r.WithoutEntity < r.Read-r.Filtered {
		return nil
	}
	return r.by
}

// NeverMatched are the masks and maps that found nothing and are not optional. As long as no record has come to them there are none.
func (r *Report) NeverMatched() []string {
	if r.Read == r.Filtered+r.Sampled {
		return nil
	}
	var out []string
	for i := range len(r.Masks) + len(r.Maps) {
		if one := r.rule(i); !one.Optional && !r.matched(one) {
			out = append(out, one.Rule)
		}
	}
	return out
}

// matched says that a rule found something. An endpoint is one rule in all the places where it is looked for, each of which must be
// there.
func (r *Report) matched(one *RuleReport) bool {
	if one.Fields > 0 || !one.picks {
		return one.Fields > 0
	}
	return one.Looked > 0 && slices.ContainsFunc(r.Maps, func(o RuleReport) bool { return o.picks && o.part == one.part && o.Fields > 0 })
}

// Report adds up what all workers did. None may be at work meanwhile.
func (p *Pipeline) Report() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := Report{Read: p.unseen, Filtered: p.unseen, Masks: reports(p.masks), Maps: reports(p.maps)}
	for _, w := range p.workers {
		sum.add(&w.counts)
		for i := range w.hits {
			to := sum.rule(i)
			to.Records += w.hits[i].records
			to.Fields += w.hits[i].fields
			to.Looked += w.hits[i].looked
		}
		for _, t := range w.topics {
			sum.Uncovered = t.suspects(sum.Uncovered)
		}
	}
	sum.Uncovered = merge(sum.Uncovered)
	for _, s := range p.rules.Sample.By {
		sum.by = append(sum.by, s.Path)
	}
	return sum
}

func reports(rules []*rule) []RuleReport {
	var out []RuleReport
	for _, r := range rules {
		out = append(out, RuleReport{Rule: r.text, Topics: r.topics, Optional: r.optional, part: r.part, picks: r.leaves})
	}
	return out
}

// rule is the report of rule number i.
func (r *Report) rule(i int) *RuleReport {
	if i < len(r.Masks) {
		return &r.Masks[i]
	}
	return &r.Maps[i-len(r.Masks)]
}

func (r *Report) add(o *Report) {
	r.Read += o.Read
	r.Passed += o.Passed
	r.Filtered += o.Filtered
	r.Sampled += o.Sampled
	r.Withheld += o.Withheld
	r.WithoutEntity += o.WithoutEntity
	r.Unmaskable += o.Unmaskable
	r.KeysChanged += o.KeysChanged
	addCounts(&r.Undecided, o.Undecided)
	addCounts(&r.WithheldFor, o.WithheldFor)
}

func addCounts(to *map[string]int64, from map[string]int64) {
	if *to == nil && len(from) > 0 {
		*to = map[string]int64{}
	}
	for why, n := range from {
		(*to)[why] += n
	}
}

func (t *topicWork) suspects(to []Suspect) []Suspect {
	if t.last[ValueRoot] == nil { // nobody looked
		return to
	}
	for _, target := range []*target{&t.stages[0].key, &t.stages[0].value} {
		to = target.inner.root.suspects(to, t.topic, target.root.String())
		to = t.last[target.root].root.suspects(to, t.topic, target.root.String())
	}
	for path, s := range t.looks.plain {
		to = s.suspects(to, t.topic, func() string { return path })
	}
	return to
}

// merge adds up what several workers found at one place, and sorts.
func merge(all []Suspect) []Suspect {
	slices.SortFunc(all, func(a, b Suspect) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), strings.Compare(a.Path, b.Path), strings.Compare(a.Looks, b.Looks))
	})
	var out []Suspect
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].Topic == s.Topic && out[n-1].Path == s.Path && out[n-1].Looks == s.Looks {
			out[n-1].Records += s.Records
			continue
		}
		out = append(out, s)
	}
	return out
}
