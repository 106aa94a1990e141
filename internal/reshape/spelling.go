package reshape

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

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
	path, m.Optional = strings.CutPrefix(path, optionalMark)
	m.Topics, path = cutTopic(path)
	if err := cmp.Or(checkTopics(m.Topics), m.setPath(path)); err != nil {
		return Mask{}, err
	}
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
func (m Mask) String() string { return m.Selector.String() + "=" + m.spelled() }

// ParseSet reads PATH=VALUE, as --set takes it; the value as ParseConstant reads it.
func ParseSet(s string) (Set, error) {
	at, to, err := cutSelector(s, "PATH=VALUE")
	return Set{at, ParseConstant(to)}, err
}

// String spells the rule as ParseSet reads it.
func (s Set) String() string { return s.Selector.String() + "=" + s.To.String() }

// ParseRename reads PATH=NAME, as --rename takes it: value.user.mail=email, headers.type=kind.
func ParseRename(s string) (Rename, error) {
	at, to, err := cutSelector(s, "PATH=NAME")
	switch {
	case err != nil:
	case to == "":
		err = fmt.Errorf("%q: %w: the new name is empty", s, ErrRule)
	case !utf8.ValidString(to):
		err = fmt.Errorf("%q: %w: the new name is not UTF-8", s, ErrRule)
	}
	return Rename{at, to}, err
}

// String spells the rule as ParseRename reads it.
func (r Rename) String() string { return r.Selector.String() + "=" + r.To }

// String is the table's rule on one line.
func (t Table) String() string { return t.Selector.String() + "=" + t.File }

// String is the endpoint's rule on one line.
func (e Endpoint) String() string { return optional(e.Optional) + e.From + ":=" + e.To }

// ParseSelector reads a path; with a ? before it, the rule is optional.
func ParseSelector(text string) (Selector, error) {
	var s Selector
	err := s.setPath(text)
	return s, err
}

func (s *Selector) setPath(text string) error {
	path, optional := strings.CutPrefix(text, optionalMark)
	s.Path, s.Optional = path, s.Optional || optional
	_, err := ParsePath(path)
	return err
}

// String spells the selector as ParseSelector reads it.
func (s Selector) String() string { return optional(s.Optional) + s.Path }

// optionalMark stands before the path of a rule that may match nothing.
const optionalMark = "?"

func optional(is bool) string {
	if is {
		return optionalMark
	}
	return ""
}

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

// cutRule parts a rule at its first = that has no backslash before it and stands in no name in quotes.
func cutRule(s, form string) (path, rest string, err error) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case isQuotedBracket(s[i:]):
			if _, behind, err := readBracket(s[i:]); err == nil {
				i = len(s) - len(behind) - 1
			}
		case s[i] == '=' && i > 0:
			return s[:i], s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("%q: %w: write %s", s, ErrRule, form)
}

func cutSelector(s, form string) (at Selector, rest string, err error) {
	path, rest, err := cutRule(s, form)
	if err == nil {
		at, err = ParseSelector(path)
	}
	return at, rest, err
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
