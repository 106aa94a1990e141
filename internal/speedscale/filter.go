package speedscale

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/suggest"
)

// ErrFilter is wrapped for text that is no filter.
var ErrFilter = errors.New(`not a filter: write conditions such as (command IS "Fetch"), joined by AND and OR`)

// Filter chooses RRPairs. It is immutable.
type Filter struct{ root node }

// ParseFilter reads speedctl's filter syntax: conditions KEYWORD OPERATOR VALUE, joined by AND and OR, with brackets; AND binds first.
// Operators are IS, IS NOT (or NOT), CONTAINS, NOT CONTAINS, REGEX and NOT REGEX; values stand in double quotes, \" being a quote, or
// are a word. Keywords are those of Keywords. Errors wrap ErrFilter and name the column.
func ParseFilter(text string) (Filter, error) {
	tokens, err := tokenize(text)
	if err != nil {
		return Filter{}, err
	}
	p := parser{tokens: tokens}
	root, err := p.or(0)
	if err == nil && p.peek().kind != endToken {
		err = p.unexpected("AND, OR or the end")
	}
	return Filter{root}, err
}

// Match says whether p is chosen.
func (f Filter) Match(p RRPair) bool { return f.root.match(p) }

type node interface{ match(RRPair) bool }

type (
	conjunction []node // AND
	disjunction []node // OR
)

func (c conjunction) match(p RRPair) bool {
	return !slices.ContainsFunc(c, func(n node) bool { return !n.match(p) })
}

func (d disjunction) match(p RRPair) bool {
	return slices.ContainsFunc(d, func(n node) bool { return n.match(p) })
}

// condition is true when one of the values of its keyword fits; negated, when none does.
type condition struct {
	values func(RRPair) []string
	fits   func(string) bool
	negate bool
}

func (c condition) match(p RRPair) bool { return slices.ContainsFunc(c.values(p), c.fits) != c.negate }

// maxDepth bounds brackets in brackets.
const maxDepth = 100

// parser reads conditions by recursive descent.
type parser struct {
	tokens []token // with an endToken last
	at     int
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// take moves on when the next token is this word, in upper case.
func (p *parser) take(word string) bool {
	if t := p.peek(); t.kind != wordToken || t.text != word {
		return false
	}
	p.at++
	return true
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	if t.kind == endToken {
		return fmt.Errorf("%w: column %d: it ends where %s is expected", ErrFilter, t.column, want)
	}
	return fmt.Errorf("%w: column %d: %q where %s is expected", ErrFilter, t.column, t.text, want)
}

func (p *parser) or(depth int) (node, error) {
	nodes, err := p.joined("OR", func() (node, error) { return p.and(depth) })
	if len(nodes) == 1 {
		return nodes[0], err
	}
	return disjunction(nodes), err
}

func (p *parser) and(depth int) (node, error) {
	nodes, err := p.joined("AND", func() (node, error) { return p.unit(depth) })
	if len(nodes) == 1 {
		return nodes[0], err
	}
	return conjunction(nodes), err
}

// joined reads what a word joins.
func (p *parser) joined(word string, part func() (node, error)) (nodes []node, err error) {
	for more := true; more; more = p.take(word) {
		n, err := part()
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func (p *parser) unit(depth int) (node, error) {
	if p.peek().kind != openToken {
		return p.condition()
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("%w: column %d: too many brackets in brackets", ErrFilter, p.peek().column)
	}
	p.next()
	n, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != closeToken {
		return nil, p.unexpected("AND, OR or )")
	}
	p.next()
	return n, nil
}

func (p *parser) condition() (node, error) {
	keyword := p.peek()
	if keyword.kind != wordToken {
		return nil, p.unexpected("a keyword")
	}
	p.next()
	values, err := lookUp(keyword)
	if err != nil {
		return nil, err
	}
	c := condition{values: values}
	operator := ""
	if operator, c.negate = p.operator(); operator == "" {
		return nil, p.unexpected("IS, IS NOT, CONTAINS, NOT CONTAINS or REGEX")
	}
	value := p.peek()
	if value.kind != textToken && value.kind != wordToken {
		return nil, p.unexpected("a value")
	}
	p.next()
	switch {
	case keyword.text == "timerange" && operator == "IS":
		c.fits, err = p.between(value)
	default:
		c.fits, err = fitter(keyword, operator, value)
	}
	return c, err
}

// operator is IS, CONTAINS or REGEX, and whether it is negated; empty when there is none.
func (p *parser) operator() (operator string, negate bool) {
	is := p.take("IS")
	negate = p.take("NOT")
	switch {
	case is:
		return "IS", negate
	case p.take("CONTAINS"):
		return "CONTAINS", negate
	case p.take("REGEX"):
		return "REGEX", negate
	case negate:
		return "IS", true
	}
	return "", false
}

func fitter(keyword token, operator string, value token) (func(string) bool, error) {
	text := value.unescaped()
	switch {
	case operator == "REGEX":
		re, err := regexp.Compile(value.pattern())
		if err != nil {
			return nil, fmt.Errorf("%w: column %d: %w", ErrFilter, value.column, err)
		}
		return re.MatchString, nil
	case operator == "CONTAINS" && keyword.text == "l7protocol":
		return func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(text)) }, nil
	case operator == "CONTAINS":
		return func(s string) bool { return strings.Contains(s, text) }, nil
	case keyword.text == "l7protocol" || keyword.text == "uuid":
		return func(s string) bool { return strings.EqualFold(s, text) }, nil
	}
	return func(s string) bool { return s == text }, nil
}

// between is the condition of a timerange: two times, the second not in it.
func (p *parser) between(from token) (func(string) bool, error) {
	begin, err := from.time()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != textToken && p.peek().kind != wordToken {
		return nil, p.unexpected("the time that the range ends with")
	}
	end, err := p.next().time()
	if err != nil {
		return nil, err
	}
	return func(s string) bool {
		at, err := time.Parse(time.RFC3339, s)
		return err == nil && !at.Before(begin) && at.Before(end)
	}, nil
}

func unknownKeyword(t token) error {
	hint := "known are " + strings.Join(Keywords(), ", ")
	if near := suggest.Nearest(t.text, Keywords()); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("%w: column %d: unknown keyword %s; %s", ErrFilter, t.column, t.text, hint)
}
