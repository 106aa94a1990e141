package reshape

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/karchive/karchive/internal/suggest"
)

// ErrRule is wrapped for text that is no rule.
var ErrRule = errors.New("not a rule")

// ParseMask reads PATH=ACTION, as --mask takes it: value.user.email=hash, key=redact, headers.token=drop, value.name=fixed=Jane,
// value.born=shift=-30d. A = in a path is written \=. Before the path may stand a topic, or a glob of topics: orders:value.name=redact.
func ParseMask(s string) (Mask, error) {
	path, action, err := cutRule(s, "PATH=ACTION")
	if err != nil {
		return Mask{}, err
	}
	m := Mask{}
	m.Topics, m.Path = cutTopic(path)
	if err := m.setAction(action); err != nil {
		return Mask{}, fmt.Errorf("%q: %w", s, err)
	}
	return m, nil
}

// cutTopic cuts TOPIC: from the start of a path. What begins as a path does has none.
func cutTopic(s string) (topics []string, path string) {
	end := strings.IndexAny(s, `.[|\:`)
	if end < 0 {
		return nil, s
	}
	if _, isRoot := findRoot(s[:end]); isRoot && s[end] != ':' {
		return nil, s
	}
	topic, path, found := strings.Cut(s, ":")
	if !found || topic == "" {
		return nil, s
	}
	return []string{topic}, path
}

// String spells the rule as ParseMask reads it, but for topics.
func (m Mask) String() string { return m.Path + "=" + m.spelled() }

// ParseSet reads PATH=VALUE, as --set takes it; the value as ParseConstant reads it.
func ParseSet(s string) (Set, error) {
	path, to, err := cutRule(s, "PATH=VALUE")
	return Set{Selector{Path: path}, ParseConstant(to)}, err
}

// String spells the rule as ParseSet reads it.
func (s Set) String() string { return s.Path + "=" + s.To.String() }

// ParseRename reads PATH=NAME, as --rename takes it: value.user.mail=email, headers.type=kind.
func ParseRename(s string) (Rename, error) {
	path, to, err := cutRule(s, "PATH=NAME")
	if err == nil && to == "" {
		err = fmt.Errorf("%q: %w: the new name is empty", s, ErrRule)
	}
	return Rename{Selector{Path: path}, to}, err
}

// String spells the rule as ParseRename reads it.
func (r Rename) String() string { return r.Path + "=" + r.To }

// String is the table's rule on one line.
func (t Table) String() string { return t.Path + "=" + t.File }

// String is the endpoint's rule on one line.
func (e Endpoint) String() string { return e.From + ":=" + e.To }

// String spells a span as ParseSpan reads it.
func (s Span) String() string {
	sign := ""
	if s < 0 {
		sign, s = "-", -s
	}
	const day = Span(24 * 3600 * 1e9)
	switch days, rest := s/day, s%day; {
	case days > 0 && rest == 0:
		return fmt.Sprintf("%s%dd", sign, days)
	case days > 0:
		return fmt.Sprintf("%s%dd%s", sign, days, rest.clock())
	}
	return sign + s.clock()
}

// cutRule parts a rule at its first = that has no backslash before it.
func cutRule(s, form string) (path, rest string, err error) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '=':
			if i == 0 {
				return "", "", fmt.Errorf("%q: %w: write %s", s, ErrRule, form)
			}
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("%q: %w: write %s", s, ErrRule, form)
}

// ParseSampleBy reads what --sample-by takes: key, a header or a path, or random and random:SEED.
func (s *Sample) ParseSampleBy(text string) error {
	kind, seed, seeded := strings.Cut(text, ":")
	if kind != "random" {
		_, err := ParsePath(text)
		s.By = append(s.By, Selector{Path: text})
		return err
	}
	s.Random = true
	if !seeded {
		return nil
	}
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return fmt.Errorf("%q: %w: the seed is a whole number", text, ErrRule)
	}
	s.Seed = n
	return nil
}

func (s Sample) all() bool { return s.Rate.All() }

func (s *Sample) add(o Sample) {
	if !o.all() {
		s.Rate = o.Rate
	}
	if len(o.By) > 0 || o.Random {
		s.By, s.Random, s.Seed = o.By, o.Random, o.Seed
	}
}

// ParseUnmaskable reads withhold, pass or redact.
func ParseUnmaskable(s string) (Unmaskable, error) {
	switch u := Unmaskable(s); u {
	case Withhold, PassOn, RedactAll:
		return u, nil
	}
	return "", fmt.Errorf("%q is none of %s, %s and %s", s, Withhold, PassOn, RedactAll)
}

// likely repeats a word only when it is like one that is known: any other may be a secret in the wrong place.
func likely(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return fmt.Sprintf(" %q%s", word, near)
	}
	return ""
}

func nearest(word string, candidates []string) string {
	if s := suggest.Nearest(word, candidates); s != "" {
		return " (did you mean " + s + "?)"
	}
	return ""
}
