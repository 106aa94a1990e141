package selection

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// IsGlob says whether a topic pattern is a glob: no topic name holds these characters.
func IsGlob(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// CheckGlobs returns an error for a malformed glob that wraps path.ErrBadPattern.
func CheckGlobs(patterns []string) error { return checkGlobs("topic", patterns) }

// CheckGroupGlobs is CheckGlobs for consumer groups.
func CheckGroupGlobs(patterns []string) error { return checkGlobs("group", patterns) }

func checkGlobs(of string, patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%s pattern %q: %w", of, p, err)
		}
		if strings.Contains(p, "[!") { // a shell leaves these out: here they would be taken
			return fmt.Errorf("%s pattern %q: %w: write [^…] for any other letter", of, p, path.ErrBadPattern)
		}
	}
	return nil
}

// Matches says whether a name or a glob (*, ?, [a-z]) takes a topic. Globs leave out internal topics, which begin with two underscores.
func Matches(pattern, topic string) bool {
	if pattern == topic {
		return true
	}
	ok, _ := path.Match(pattern, topic) // topic names hold no slash
	return ok && !strings.HasPrefix(topic, "__")
}

// MatchesGroup says whether a name or a glob takes a consumer group. The name of a group may hold a slash, and * takes it.
func MatchesGroup(pattern, group string) bool {
	noSlash := strings.NewReplacer("/", "\x00")
	ok, _ := path.Match(noSlash.Replace(pattern), noSlash.Replace(group))
	return ok || pattern == group
}

// MatchesAnyGroup says whether one of the patterns takes a consumer group.
func MatchesAnyGroup(patterns []string, group string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return MatchesGroup(p, group) })
}

// MatchesAny says whether one of the patterns takes a topic.
func MatchesAny(patterns []string, topic string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return Matches(p, topic) })
}

// Topics are the ones of known that patterns take, sorted. A name that is not known is a MissingTopicError, in the place that is given; that
// nothing matches wraps ErrNoTopics.
func Topics(patterns, known []string, in string) ([]string, error) {
	found := map[string]bool{}
	for _, p := range patterns {
		if !IsGlob(p) && !slices.Contains(known, p) {
			return nil, &MissingTopicError{Topic: p, In: in, Known: known}
		}
	}
	for _, topic := range known {
		if MatchesAny(patterns, topic) {
			found[topic] = true
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w %s", ErrNoTopics, strings.Join(patterns, ", "))
	}
	return slices.Sorted(maps.Keys(found)), nil
}
