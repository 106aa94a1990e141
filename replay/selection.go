package replay

import (
	"errors"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/selecting"
	"github.com/karchive/karchive/selection"
)

// chosen is what of an archive is replayed, by topic and in order.
type chosen struct {
	topics     []string // sorted, also those without a record
	partitions []format.TopicPartition
}

// choose applies the topic and partition options to what the archive has. Internal topics are only taken by name.
func (o *Options) choose(archive *format.Archive) (chosen, error) {
	patterns := o.Topics
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	topics, err := selecting.Topics(patterns, selecting.TopicsOf(archive), selection.Archive)
	if errors.Is(err, selection.ErrNoTopics) && len(o.Topics) == 0 {
		err = nil
	}
	if err != nil {
		return chosen{}, err
	}
	return chosen{topics, selecting.Partitions(archive, topics, o.Partitions)}, selecting.CheckPartitions(o.Partitions, topics, archive)
}
