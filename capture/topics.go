package capture

import (
	"fmt"
	"slices"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
)

// mergeTopics brings the named topics up to date in have. Configs that could not be asked for stay as they were.
func mergeTopics(have []origin.Topic, names []string, m *kafka.Metadata, configs map[string]map[string]string) []origin.Topic {
	for _, n := range names {
		meta := m.Topics[n]
		t := origin.Topic{Name: n, ID: meta.IDString(), Partitions: int32(len(meta.Partitions)), Configs: configs[n]}
		i := slices.IndexFunc(have, func(h origin.Topic) bool { return h.Name == n })
		if i < 0 {
			have = append(have, t)
			continue
		}
		if t.Configs == nil {
			t.Configs = have[i].Configs
		}
		t.Codecs = have[i].Codecs
		have[i] = t
	}
	return have
}

// joined is a list in one canonical spelling.
func joined[T string | int32](list []T) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(list)))
	text := ""
	for i, v := range sorted {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprint(v)
	}
	return text
}
