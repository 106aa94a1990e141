package reshape

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// ErrTopic is wrapped for text that is neither a topic's name nor a glob of names.
var ErrTopic = errors.New("not a topic or a glob of topics")

// maxTopicName is the most characters that Kafka takes.
const maxTopicName = 249

// checkTopics refuses globs that no topic's name can match, which would leave their rule without effect.
func checkTopics(globs []string) error {
	for _, glob := range globs {
		if why := wrongTopic(glob); why != "" {
			return fmt.Errorf("topics: %q: %w: %s", glob, ErrTopic, why)
		}
	}
	return nil
}

func wrongTopic(glob string) string {
	const known = "letters, digits, . _ and -, with * ? and [a-z] for any"
	bare, regex := strings.CutPrefix(strings.TrimSuffix(glob, "$"), "^")
	switch _, err := path.Match(glob, ""); {
	case glob == "":
		return "it is empty: leave topics out to mean all"
	case strings.Contains(glob, ","):
		return "write a list: [" + strings.Join(strings.FieldsFunc(glob, func(r rune) bool { return r == ',' || r == ' ' }), ", ") + "]"
	case glob == "." || glob == "..":
		return "no topic is called so"
	case regex || strings.HasSuffix(glob, "$"):
		return "it is no regular expression: write " + strings.ReplaceAll(strings.ReplaceAll(bare, `\.`, "."), ".*", "*")
	case strings.HasSuffix(glob, ".*") && strings.HasPrefix(glob, ".*"):
		return "it is no regular expression: write *" + strings.Trim(glob, ".*") + "*"
	case err != nil:
		return "a bracket is not closed: use " + known
	case strings.HasPrefix(glob, "!"), strings.HasPrefix(glob, "-") && len(glob) > 1 && strings.ContainsAny(glob, "*?"):
		return "nothing can be left out here: name what the rule is for"
	case strings.Trim(outsideClasses(glob), topicCharacters+"*?") != "":
		return "use " + known
	case !strings.ContainsAny(glob, "*?[") && len(glob) > maxTopicName:
		return fmt.Sprintf("it is longer than %d characters", maxTopicName)
	}
	return ""
}

const topicCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// outsideClasses is a glob without its [classes].
func outsideClasses(glob string) string {
	for {
		from := strings.IndexByte(glob, '[')
		if from < 0 {
			return glob
		}
		to := strings.IndexByte(glob[from:], ']')
		if to < 0 || strings.Trim(strings.TrimPrefix(glob[from+1:from+to], "^"), topicCharacters) != "" {
			return glob
		}
		glob = glob[:from] + glob[from+to+1:]
	}
}

func fits(globs []string, topic string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool { ok, _ := path.Match(g, topic); return ok })
}
