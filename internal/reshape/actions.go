package reshape

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Action is what a mask does to a field.
type Action string

// The actions. The table actions says all about them.
const (
	Keep       Action = "keep"
	Drop       Action = "drop"
	Redact     Action = "redact"
	Hash       Action = "hash"
	HashFormat Action = "hash-format"
	Fixed      Action = "fixed" // Mask.Fixed
	Shift      Action = "shift" // Mask.Shift
)

// action is a row of the table: flags, files of rules, help and reports, and the rule that is compiled, all come from it.
type action struct {
	name     Action
	argument string // what stands behind = in a flag, and in a file under the name of the action; empty: it takes none
	help     []string
	keyed    bool // it needs the mask key
	times    bool // it is for timestamps too
	hides    bool // nothing is left of what was there, so that a field it changes counts as covered

	parse func(m *Mask, argument string) error     // reads the argument of a flag
	read  func(m *Mask, argument *yaml.Node) error // reads that of a file; nil: as parse
	spell func(m Mask) string                      // spells it as parse reads it

	kind ruleKind
	made func(m Mask) change // nil: the kind says it all
}

var actions = []action{
	{name: Drop, kind: dropKind, help: []string{"the field or header goes, a whole key or value becomes null"}},
	{name: Redact, hides: true, made: func(Mask) change { return redactChange{} }, help: []string{`"***" for text, 0, false, {} and [] for the rest`}},
	{name: Hash, hides: true, keyed: true, made: func(Mask) change { return hashChange{} }, help: []string{
		"a token of 32 hex digits, from HMAC-SHA-256 with the secret: the same text has the same token in every",
		"topic, key, value and header, so joins still work; numbers become text, 1, 1.0 and 1e0 are the same",
	}},
	{name: HashFormat, hides: true, keyed: true, made: func(Mask) change { return formatChange{} }, help: []string{
		"the same, and what it was like stays: an e-mail an e-mail, digits as many digits, a UUID a UUID, letters",
		"letters; see docs/privacy.md for what that tells",
	}},
	{
		name: Fixed, hides: true, argument: "TEXT", help: []string{`12, true, null, {"a":1} and "12" in quotes are JSON, everything else is text`},
		parse: func(m *Mask, s string) error { m.Fixed = ParseConstant(s); return nil },
		read:  func(m *Mask, n *yaml.Node) (err error) { m.Fixed, err = readConstant(n); return err },
		spell: func(m Mask) string { return m.Fixed.String() },
		made:  func(m Mask) change { return constantChange{m.Fixed} },
	},
	{
		name: Shift, hides: true, argument: "DURATION", times: true, help: []string{"times move: -30d, 1h30m; dates and RFC 3339 keep their form, whole numbers count from 1970"},
		parse: func(m *Mask, s string) (err error) { m.Shift, err = ParseSpan(s); return err },
		spell: func(m Mask) string { return m.Shift.String() },
		made:  func(m Mask) change { return shiftChange{time.Duration(m.Shift)} },
	},
	{name: Keep, kind: keepKind, help: []string{"nothing: the field may stay, though it looks personal"}},
}

func (a *action) String() string {
	if a.argument == "" {
		return string(a.name)
	}
	return string(a.name) + "=" + a.argument
}

// ActionUsage lists the actions as a flag takes them, on one line.
func ActionUsage() string {
	var names []string
	for i := range actions {
		names = append(names, actions[i].String())
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// ActionHelp says what each action does, in lines that begin with indent.
func ActionHelp(indent string) string {
	var b strings.Builder
	for i := range actions {
		for n, line := range actions[i].help {
			name := ""
			if n == 0 {
				name = actions[i].String()
			}
			fmt.Fprintf(&b, "%s%-*s  %s\n", indent, len("shift=DURATION"), name, line)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func findAction(name string) (*action, error) {
	var names []string
	for i := range actions {
		if string(actions[i].name) == name {
			return &actions[i], nil
		}
		names = append(names, string(actions[i].name))
	}
	return nil, fmt.Errorf("%w: unknown action%s: use %s", ErrRule, likely(name, names), strings.Join(names, ", "))
}

// setAction reads ACTION or ACTION=ARGUMENT.
func (m *Mask) setAction(text string) error {
	name, argument, has := strings.Cut(text, "=")
	a, err := findAction(name)
	switch {
	case err != nil:
		return err
	case a.parse != nil && !has:
		return fmt.Errorf("%w: %s needs a value: write %s=…", ErrRule, name, name)
	case a.parse == nil && has:
		return fmt.Errorf("%w: %s takes no value", ErrRule, name)
	}
	m.Action = a.name
	if has {
		return a.parse(m, argument)
	}
	return nil
}

// readAction takes over the action of a file, and its argument, which stands under the name of the action.
func (m *Mask) readAction(name string, arguments map[string]*yaml.Node) error {
	a, err := findAction(name)
	if err != nil {
		return err
	}
	m.Action = a.name
	for of := range arguments {
		if of != name {
			return fmt.Errorf("%w: %s goes with the action of that name", ErrRule, of)
		}
	}
	argument, has := arguments[name]
	switch {
	case a.parse == nil:
		return nil
	case !has:
		return fmt.Errorf("%w: %s needs a value, under the key %s", ErrRule, name, name)
	case a.read != nil:
		return a.read(m, argument)
	}
	text, err := readText(argument)
	if err == nil {
		err = a.parse(m, text)
	}
	return err
}

// argumentKeys are the keys of a file under which actions have their arguments.
func argumentKeys(known keys, into map[string]*yaml.Node) keys {
	for i := range actions {
		if name := string(actions[i].name); actions[i].parse != nil {
			known[name] = func(n *yaml.Node) error {
				into[name] = n
				return nil
			}
		}
	}
	return known
}

// spelled is the action as a flag has it.
func (m Mask) spelled() string {
	if a, err := findAction(string(m.Action)); err == nil && a.spell != nil {
		return string(a.name) + "=" + a.spell(m)
	}
	return string(m.Action)
}

func (m Mask) compile() (*rule, error) {
	c, err := newRule(m.place(), m.Selector)
	if err != nil {
		return nil, err
	}
	a, err := findAction(string(m.Action))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.text, cmp.Or(errors.Unwrap(err), err))
	}
	roots := []Root{ValueRoot, KeyRoot, HeadersRoot}
	if a.times {
		roots = append(roots, TimestampRoot)
	}
	c.kind = a.kind
	if a.made != nil {
		c.change, c.leaves = a.made(m), !a.hides
	}
	return c, c.on(roots...)
}

// isKeyed says that the mask needs the mask key.
func (m Mask) isKeyed() bool {
	return slices.ContainsFunc(actions, func(a action) bool { return a.name == m.Action && a.keyed })
}
