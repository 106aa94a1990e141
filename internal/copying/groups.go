package copying

import (
	"fmt"

	"github.com/karchive/karchive/format"
)

// addGroups adds what an input keeps of consumer groups in the partitions that are selected.
func addGroups(id *format.Identity, in *Input) error {
	groups := in.Archive.Identity().Groups
	if groups == nil {
		return nil
	}
	takes := func(topic string, partition int32) bool {
		return in.Takes == nil || in.Takes(format.TopicPartition{Topic: topic, Partition: partition})
	}
	selected, err := groups.Select(takes, in.Topic)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name, err)
	}
	id.Groups = id.Groups.Merge(selected)
	return nil
}
