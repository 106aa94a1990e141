package reshape

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidwall/match"
)

// stepKind says what a step of a pattern leads to.
type stepKind uint8

const (
	nameStep    stepKind = iota // a member by name, or an element by number
	globStep                    // every member whose name matches; * alone also every element
	eachStep                    // every element
	memberStep                  // a member by name only
	elementStep                 // an element by number only
	insideStep                  // the document in a string; what is no string is gone into as it is
)

type step struct {
	kind  stepKind
	text  string
	index int // of a nameStep that can be a number, and of an elementStep; -1: none
}

// pattern leads to any number of places in a document. It is the part of gjson's paths that is about places and not about values:
// names, numbers, * and ? in names, and # for every element. Unlike in a gjson path, * and ? stand for all that fit and not for the
// first, and * also for elements: what hides data must not miss any.
type pattern []step

// pattern reads what is behind the root, for rules that change or compare.
func (p Path) pattern() (pattern, error) {
	var out pattern
	rest, inside := strings.CutPrefix(p.rest, insideName+".")
	if inside {
		out = append(out, step{kind: insideStep, index: -1})
	}
	for more := true; more; {
		var component string
		component, rest, more = cutComponent(rest)
		name, times := cutInside(component)
		s, err := parseStep(name)
		if err == nil && times > 0 && !more {
			err = fmt.Errorf("%w: nothing follows %s", ErrPath, insideName)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		out = append(out, s)
		for range times {
			out = append(out, step{kind: insideStep, index: -1})
		}
	}
	return out, nil
}

// cutInside cuts |json, as often as it stands there, from the end of a component.
func cutInside(component string) (name string, times int) {
	for {
		before, ok := strings.CutSuffix(component, insideName)
		if !ok || strings.HasSuffix(before, `\`) {
			return component, times
		}
		component = before
		times++
	}
}

// cutComponent cuts a path at its first dot that has no backslash before it.
func cutComponent(s string) (component, rest string, more bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '.':
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func parseStep(component string) (step, error) {
	switch {
	case component == "#":
		return step{kind: eachStep, index: -1}, nil
	case isQuery(component):
		return step{}, fmt.Errorf("%w: %q chooses by what is there, and a rule needs a place", ErrPath, component)
	case strings.ContainsAny(withoutEscapes(component), "*?"):
		return step{kind: globStep, text: component, index: -1}, nil
	}
	s := step{kind: nameStep, text: unescapePath(component), index: -1}
	if n, err := strconv.ParseUint(s.text, 10, 31); err == nil && strconv.FormatUint(n, 10) == s.text {
		s.index = int(n)
	}
	return s, nil
}

func (s *step) takesName(name string) bool {
	switch s.kind {
	case nameStep, memberStep:
		return s.text == name
	case globStep:
		return match.Match(name, s.text)
	}
	return false
}

func (s *step) takesElement(i int) bool {
	switch s.kind {
	case eachStep:
		return true
	case globStep:
		return s.text == "*"
	}
	return s.index == i && s.kind != memberStep && s.kind != insideStep
}

// literal says that the pattern is names alone, so that what it leads to can be made.
func (p pattern) literal() bool {
	for i := range p {
		if p[i].kind != nameStep || p[i].index >= 0 {
			return false
		}
	}
	return true
}

// position is a pattern that is on its way: its next step.
type position struct{ pattern, step int32 }

// patterns are what a walk looks for.
type patterns []pattern

// start are the positions at the root of a document.
func (ps patterns) start() []position {
	var out []position
	for i := range ps {
		out = append(out, position{int32(i), 0})
	}
	return out
}

// advance appends to dst where the positions are one step further, for those that take it.
func (ps patterns) advance(dst, from []position, takes func(*step) bool) []position {
	for _, at := range from {
		if p := ps[at.pattern]; int(at.step) < len(p) && takes(&p[at.step]) {
			dst = append(dst, position{at.pattern, at.step + 1})
		}
	}
	return dst
}

// ended are the patterns that lead to here, in their order.
func (ps patterns) ended(at []position) []int32 {
	var out []int32
	for _, p := range at {
		if int(p.step) == len(ps[p.pattern]) {
			out = append(out, p.pattern)
		}
	}
	return out
}

// numbered says that elements differ by their number.
func (ps patterns) numbered(at []position) bool {
	for _, p := range at {
		if pt := ps[p.pattern]; int(p.step) < len(pt) && pt[p.step].index >= 0 && pt[p.step].kind != memberStep {
			return true
		}
	}
	return false
}

// makeable are the positions whose rest is names alone.
func (ps patterns) makeable(at []position) []position {
	var out []position
	for _, p := range at {
		if rest := ps[p.pattern][p.step:]; len(rest) > 0 && rest.literal() {
			out = append(out, p)
		}
	}
	return out
}
