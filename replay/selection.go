package replay

import (
	"path"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
)

// selection is what of an archive is replayed, by topic and in order.
type selection struct {
	topics     []string // sorted, also those without a record
	partitions []format.TopicPartition
}

// choose applies the topic and partition options to what the archive has.
func (s *settings) choose(archive *format.Archive) (selection, error) {
	all := archive.Partitions()
	known := topicNames(archive.Identity(), all)
	chosen, err := s.chooseTopics(known)
	if err != nil {
		return selection{}, err
	}
	if err := s.checkPartitions(archive.Identity(), all, chosen); err != nil {
		return selection{}, err
	}
	out := selection{topics: chosen}
	for _, tp := range all {
		if _, ok := slices.BinarySearch(chosen, tp.Topic); ok && (len(s.Partitions) == 0 || slices.Contains(s.Partitions, tp.Partition)) {
			out.partitions = append(out.partitions, tp)
		}
	}
	return out, nil
}

func topicNames(id format.Identity, partitions []format.TopicPartition) []string {
	var names []string
	for _, t := range id.Topics {
		names = append(names, t.Name)
	}
	for _, tp := range partitions {
		names = append(names, tp.Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *settings) chooseTopics(known []string) ([]string, error) {
	patterns := s.Topics
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	var chosen []string
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, `*?[\`) {
			if !slices.Contains(known, pattern) {
				return nil, &UnknownTopicError{Topic: pattern, Known: known}
			}
			chosen = append(chosen, pattern)
			continue
		}
		chosen = append(chosen, matching(pattern, known)...)
	}
	if len(chosen) == 0 && len(s.Topics) > 0 {
		return nil, ErrNoTopics
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), nil
}

// matching are the topics that a glob selects; topic names hold no slash, so path.Match fits.
func matching(pattern string, known []string) []string {
	var out []string
	for _, name := range known {
		if ok, _ := path.Match(pattern, name); ok && !strings.HasPrefix(name, "__") {
			out = append(out, name)
		}
	}
	return out
}

func (s *settings) checkPartitions(id format.Identity, all []format.TopicPartition, chosen []string) error {
	for _, p := range s.Partitions {
		archived := slices.ContainsFunc(all, func(tp format.TopicPartition) bool {
			return tp.Partition == p && slices.Contains(chosen, tp.Topic)
		})
		described := slices.ContainsFunc(id.Topics, func(t format.Topic) bool {
			return p >= 0 && p < t.Partitions && slices.Contains(chosen, t.Name)
		})
		if !archived && !described {
			return &MissingPartitionError{Partition: p}
		}
	}
	return nil
}
