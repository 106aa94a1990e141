package capture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/selection"
)

// selected asks the cluster for the topics of o and returns them, with everything the cluster said.
func (c *cluster) selected(ctx context.Context, o *settings) (*kafka.Metadata, []string, error) {
	var ask []string // nil asks for all, which a glob needs
	if !slices.ContainsFunc(o.Topics, selection.IsGlob) {
		ask = o.Topics
	}
	m, err := c.Settled(ctx, ask)
	if err != nil {
		return nil, nil, err
	}
	topics, err := match(o.Topics, m)
	if missing, ok := err.(*selection.MissingTopicError); ok && ask != nil {
		if all, err := c.Describe(ctx, nil); err == nil {
			missing.Known = all.Names()
		}
	}
	return m, topics, err
}

// match picks the topics that patterns select, sorted.
func match(patterns []string, m *kafka.Metadata) ([]string, error) {
	found := map[string]bool{}
	for _, p := range patterns {
		if !selection.IsGlob(p) {
			if err := checkNamed(p, m); err != nil {
				return nil, err
			}
		}
		for name, t := range m.Topics {
			if t.Err == nil && selects(p, name, &t) {
				found[name] = true
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w %s", selection.ErrNoTopics, strings.Join(patterns, ", "))
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func checkNamed(topic string, m *kafka.Metadata) error {
	if err := ondisk.CheckTopic(topic); err != nil {
		return err
	}
	t, ok := m.Topics[topic]
	if !ok || kafka.IsUnknownTopic(t.Err) {
		return &selection.MissingTopicError{Topic: topic, In: selection.Cluster, Known: m.Names()}
	}
	if t.Err != nil {
		return fmt.Errorf("topic %q: %w", topic, t.Err)
	}
	return nil
}

// selects says whether a pattern selects a topic. Globs leave out what the cluster calls internal, too.
func selects(pattern, name string, t *kafka.Topic) bool {
	return selection.Matches(pattern, name) && (pattern == name || !t.Internal)
}

// partitionsOf lists the selected partitions of topics, sorted.
func partitionsOf(topics []string, m *kafka.Metadata, o *settings) []format.TopicPartition {
	var tps []format.TopicPartition
	for _, topic := range topics {
		for p := range m.Topics[topic].Partitions {
			if len(o.Partitions) == 0 || slices.Contains(o.Partitions, p) {
				tps = append(tps, format.TopicPartition{Topic: topic, Partition: p})
			}
		}
	}
	slices.SortFunc(tps, format.TopicPartition.Compare)
	return tps
}

// checkPartitions refuses a selected partition that exists nowhere: it is more likely a mistake than a wish.
func checkPartitions(tps []format.TopicPartition, o *settings) error {
	for _, p := range o.Partitions {
		if !slices.ContainsFunc(tps, func(tp format.TopicPartition) bool { return tp.Partition == p }) {
			return &selection.MissingPartitionError{Partition: p}
		}
	}
	return nil
}
