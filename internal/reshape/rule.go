package reshape

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/match"
)

// ErrNoKey is returned for rules that hash without a mask key.
var ErrNoKey = errors.New("an action that hashes needs a key: give a mask key, as @FILE or env:NAME")

// ruleKind says how a rule is carried out.
type ruleKind uint8

const (
	changeKind ruleKind = iota // by its change
	keepKind                   // not at all: it only says that there is a rule
	dropKind
	renameKind
	setKind  // by its change, and where the member is missing by filling it in
	takeKind // the field becomes the whole payload
)

// rule is one rule, compiled. It is immutable.
type rule struct {
	text   string // for reports and errors
	number int    // of its counter; -1: none
	path   Path
	steps  pattern // empty: the whole of the root
	topics []string
	kind   ruleKind
	change change
	quoted []byte   // the new name of a field
	name   string   // the new name of a header
	fills  [][]byte // of a setKind, by step: the member to put in when that step's name is missing
	header bool     // the name of the header is a glob

	leaves   bool // some of what was there stays where it changes something
	required bool // records in which its path leads nowhere are withheld
	optional bool // it may match nothing
	part     int  // of an endpoint: the first of its rules in Report.Maps
}

// newRule compiles what rules that change a place have in common: where it is.
func newRule(text string, s Selector) (*rule, error) {
	p, err := ParsePath(s.Path)
	if err != nil {
		return nil, err
	}
	r, err := newRuleAt(text, p, s)
	if err != nil {
		return nil, err
	}
	switch {
	case p.root == HeadersRoot:
		r.header = strings.ContainsAny(withoutEscapes(p.rest), "*?")
	case p.rest != "":
		if r.steps, err = p.pattern(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// newReader compiles a rule that only reads its path.
func newReader(text string, s Selector) (*rule, error) {
	p, err := ParseField(s.Path)
	if err != nil {
		return nil, err
	}
	return newRuleAt(text, p, s)
}

func newRuleAt(text string, p Path, s Selector) (*rule, error) {
	if err := checkTopics(s.Topics); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return &rule{text: text, number: -1, path: p, topics: s.Topics, required: s.Required, optional: s.Optional}, nil
}

// whole says that the rule is about all of a key or value, or about the timestamp.
func (r *rule) whole() bool { return len(r.steps) == 0 && r.path.root != HeadersRoot }

// fits says whether the rule is for records of a topic.
func (r *rule) fits(topic string) bool { return fits(r.topics, topic) }

func (r *rule) takesHeader(name string) bool {
	if r.header {
		return match.Match(name, r.path.rest)
	}
	return r.path.name == name
}

// on refuses roots that a rule cannot change.
func (r *rule) on(roots ...Root) error {
	if !slices.Contains(roots, r.path.root) {
		return fmt.Errorf("%s: %w: %s cannot be changed so", r.text, ErrRule, r.path)
	}
	return nil
}

// canRequire says that a missing path means something: neither that there is no host name, nor that the path is to be made.
func (r *rule) canRequire() bool { return r.kind != setKind && !r.leaves }

// named makes sure that the path leads to a member, whose name can be changed.
func (r *rule) named() error {
	if n := len(r.steps); r.path.root != HeadersRoot && (n == 0 || r.steps[n-1].kind == eachStep) {
		return fmt.Errorf("%s: %w: %s has no name", r.text, ErrRule, r.path)
	}
	return nil
}

// masks compiles the rules of the mask step.
func (r *Rules) masks() ([]*rule, error) {
	var out []*rule
	for _, m := range r.Mask {
		c, err := m.compile()
		if err != nil {
			return nil, fmt.Errorf("mask: %w", err)
		}
		c.number, c.required = len(out), c.required || r.RequireMatch
		out = append(out, c)
	}
	if r.needsKey() && r.secret == nil {
		return nil, ErrNoKey
	}
	return out, nil
}

// stages compiles the rules of the map step, in groups that are carried out one after the other. Numbers begin at first.
func (r *Rules) stages(first int) ([][]*rule, []*rule, error) {
	b := stageBuilder{next: first, requireMatch: r.RequireMatch}
	for _, t := range r.Tables {
		b.add(newRule(t.String(), t.Selector))(changeKind, &tableChange{t.entries, t.Else.orDefault()})
	}
	b.endStage()
	for _, e := range r.Endpoints {
		b.endpoint(e)
	}
	for _, s := range r.Set {
		b.set(s)
	}
	for _, n := range r.Rename {
		b.rename(n)
	}
	b.endStage()
	for _, s := range r.Remove {
		b.add(newRule(s.String(), s))(dropKind, nil)
	}
	b.endStage()
	b.take("key", r.Key)
	b.take("value", r.Value)
	return b.stages, b.all, b.err
}

type stageBuilder struct {
	stages [][]*rule
	stage  []*rule
	all    []*rule
	next   int
	err    error // the first one

	requireMatch bool // Rules.RequireMatch
}

// add takes over a new rule, unless there was an error. The returned function says what it does.
func (b *stageBuilder) add(r *rule, err error) func(ruleKind, change) *rule {
	return func(k ruleKind, c change) *rule {
		if err == nil {
			err = r.on(ValueRoot, KeyRoot, HeadersRoot)
		}
		if err != nil {
			b.fail(err)
			return &rule{}
		}
		r.kind, r.change, r.number = k, c, b.next
		r.required = r.required || b.requireMatch && r.canRequire()
		b.next++
		b.stage, b.all = append(b.stage, r), append(b.all, r)
		return r
	}
}

func (b *stageBuilder) fail(err error) {
	if b.err == nil && err != nil {
		b.err = err
	}
}

func (b *stageBuilder) endStage() {
	if len(b.stage) > 0 {
		b.stages = append(b.stages, b.stage)
		b.stage = nil
	}
}

// endpoint makes a stage of its own, so that every endpoint sees every text.
func (b *stageBuilder) endpoint(e Endpoint) {
	c, err := newEndpointChange(e)
	if err != nil {
		b.fail(fmt.Errorf("endpoints: %w", err))
		return
	}
	in := e.In
	if len(in) == 0 {
		in = []Selector{{Path: "value"}}
	}
	from := len(b.all)
	for _, s := range in {
		s.Optional = s.Optional || e.Optional
		r := b.add(newRule(e.String()+" in "+s.Path, s))(changeKind, c)
		r.part, r.leaves = from, true
	}
	b.endStage()
}

// place is the rule as a report names it, without a value that was given: a test environment's token may be one.
func (m Mask) place() string {
	if m.Action == Fixed {
		return m.Selector.String() + "=" + string(Fixed) + "=…"
	}
	return m.String()
}

// place is like that of a mask.
func (s Set) place() string { return strings.TrimSuffix(s.String(), s.To.String()) + "…" }

// set makes a stage of its own: two of them may fill in the same object.
func (b *stageBuilder) set(s Set) {
	if s.To.IsZero() {
		b.fail(fmt.Errorf("set %s: %w: there is nothing to set it to", s.Path, ErrRule))
		return
	}
	r := b.add(newRule(s.place(), s.Selector))(setKind, constantChange{s.To})
	for i := range r.steps {
		r.fills = append(r.fills, fill(r.steps[i:], s.To))
	}
	b.endStage()
}

// fill is the member that a path of names alone would make.
func fill(steps pattern, to Constant) []byte {
	out := appendQuoted(nil, steps[0].text)
	out = append(out, ':')
	if len(steps) == 1 {
		return append(out, to.raw...)
	}
	out = append(out, '{')
	out = append(out, fill(steps[1:], to)...)
	return append(out, '}')
}

func (b *stageBuilder) rename(n Rename) {
	r := b.add(newRule(n.String(), n.Selector))(renameKind, nil)
	if b.err == nil {
		b.fail(r.named())
	}
	r.name, r.quoted = n.To, appendQuoted(nil, n.To)
}

// take makes one stage of all choices for the key, and one for the value: the first whose topics fit is carried out.
func (b *stageBuilder) take(into string, from []Selector) {
	for _, s := range from {
		r, err := newReader(into+" "+s.String(), s)
		if err != nil {
			b.fail(err)
			return
		}
		r.name = into
		r.kind, r.number = takeKind, b.next
		b.next++
		b.stage, b.all = append(b.stage, r), append(b.all, r)
	}
	b.endStage()
}
