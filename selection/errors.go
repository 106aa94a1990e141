package selection

import (
	"errors"
	"fmt"
)

// The places where a topic may be missing.
const (
	Archive = "archive"
	Cluster = "cluster"
)

// ErrNoTopics is wrapped when globs match no topic at all.
var ErrNoTopics = errors.New("no topic matches")

// MissingTopicError is returned when a topic is named that is not there, or no longer.
type MissingTopicError struct {
	Topic string
	In    string   // Archive or Cluster
	Known []string // the topics that there are, sorted; nil when that is not known
}

// Error names the topic.
func (e *MissingTopicError) Error() string {
	return fmt.Sprintf("topic %q is not in the %s", e.Topic, e.In)
}

// MissingPartitionError is returned when a partition is selected that no selected topic has.
type MissingPartitionError struct{ Partition int32 }

// Error names the partition.
func (e *MissingPartitionError) Error() string {
	return fmt.Sprintf("partition %d exists in none of the topics", e.Partition)
}
