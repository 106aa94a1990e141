package replay

import (
	"errors"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/selection"
)

// chosen is what of an archive is replayed, by topic and in order.
type chosen struct {
	topics     []string // sorted, also those without a record
	partitions []format.TopicPartition
	all        []format.TopicPartition // those of all shards
	numbers    []int32                 // of partitions; empty: all
}

// takes says whether a partition is selected for all shards together, also one of which the archive has no record.
func (c *chosen) takes(tp format.TopicPartition) bool {
	return slices.Contains(c.topics, tp.Topic) && (len(c.numbers) == 0 || slices.Contains(c.numbers, tp.Partition))
}

// choose applies the topic and partition options to what the archive has. Internal topics are only taken by name.
func (o *Options) choose(archive *format.Archive) (chosen, error) {
	patterns := o.Topics
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	topics, err := selection.Topics(patterns, selection.TopicsOf(archive), selection.Archive)
	if errors.Is(err, selection.ErrNoTopics) && len(o.Topics) == 0 {
		err = nil
	}
	if err != nil {
		return chosen{}, err
	}
	all := selection.Partitions(archive, topics, o.Partitions)
	mine := slices.DeleteFunc(slices.Clone(all), func(tp format.TopicPartition) bool { return !o.Shard.Takes(tp) })
	return chosen{topics, mine, all, o.Partitions}, selection.CheckPartitions(o.Partitions, topics, archive)
}
