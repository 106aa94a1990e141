package routing

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/ondisk"
)

var errMapping = errors.New("not a topic mapping")

// Mapping renames topics. The first rule that matches a name decides; a name that no rule matches is kept. The zero value keeps all.
type Mapping []Rule

// Rule renames the topics that its pattern matches. It is made by ParseRule and immutable.
type Rule struct {
	from, to string
	pattern  *regexp.Regexp
}

// ParseRule reads OLD:=NEW. Each * in OLD matches any characters, also none, as many as it can; the first * in NEW stands for what
// the first * in OLD matched, and so on. NEW may have fewer.
func ParseRule(s string) (Rule, error) {
	from, to, ok := strings.Cut(s, ":=")
	switch {
	case !ok || from == "" || to == "":
		return Rule{}, fmt.Errorf("%q: %w: write OLD:=NEW", s, errMapping)
	case strings.Count(to, "*") > strings.Count(from, "*"):
		return Rule{}, fmt.Errorf("%q: %w: NEW has more * than OLD", s, errMapping)
	}
	for _, part := range []string{from, to} {
		if err := ondisk.CheckTopic(strings.ReplaceAll(part, "*", "x")); err != nil {
			return Rule{}, fmt.Errorf("%q: %w: %w", s, errMapping, err)
		}
	}
	quoted := strings.ReplaceAll(regexp.QuoteMeta(from), `\*`, "(.*)")
	return Rule{from: from, to: to, pattern: regexp.MustCompile("^" + quoted + "$")}, nil
}

// ParseMapping reads rules as ParseRule does.
func ParseMapping(rules ...string) (Mapping, error) {
	var m Mapping
	for _, text := range rules {
		r, err := ParseRule(text)
		if err != nil {
			return nil, err
		}
		m = append(m, r)
	}
	return m, nil
}

// String spells the rule as ParseRule reads it.
func (r Rule) String() string { return r.from + ":=" + r.to }

// Topic is the name that topic has in the target. It fails for a name that Kafka would not accept.
func (m Mapping) Topic(topic string) (string, error) {
	for _, r := range m {
		found := r.pattern.FindStringSubmatch(topic)
		if found == nil {
			continue
		}
		renamed := r.fill(found[1:])
		if err := ondisk.CheckTopic(renamed); err != nil {
			return "", fmt.Errorf("%s turns topic %s into %q: %w: %w", r, topic, renamed, errMapping, err)
		}
		return renamed, nil
	}
	return topic, nil
}

// Unused are the rules that decide the name of none of topics, because they match none or an earlier rule does.
func (m Mapping) Unused(topics []string) []Rule {
	used := make([]bool, len(m))
	for _, topic := range topics {
		if i := slices.IndexFunc(m, func(r Rule) bool { return r.pattern.MatchString(topic) }); i >= 0 {
			used[i] = true
		}
	}
	var unused []Rule
	for i, r := range m {
		if !used[i] {
			unused = append(unused, r)
		}
	}
	return unused
}

// Topics are the names that topics have in the target, sorted, each once.
func (m Mapping) Topics(topics []string) ([]string, error) {
	var names []string
	for _, topic := range topics {
		name, err := m.Topic(topic)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func (r Rule) fill(stars []string) string {
	out := r.to
	for _, s := range stars {
		// Topic names hold no *, so what is put in is never taken for a star.
		out = strings.Replace(out, "*", s, 1)
	}
	return out
}

// String spells all rules, separated by commas.
func (m Mapping) String() string {
	rules := make([]string, len(m))
	for i, r := range m {
		rules[i] = r.String()
	}
	return strings.Join(rules, ",")
}
