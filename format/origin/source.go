package origin

import (
	"cmp"
	"fmt"
)

// Source is where the records of a segment come from. It is part of every segment, so that two segments of different sources
// never pass for one log.
type Source struct {
	ClusterID string    `json:"cluster_id"`      // Kafka's cluster id; empty: unknown
	TopicID   string    `json:"topic_id"`        // the topic's UUID in Kafka's base64 form; empty: the cluster has none
	Isolation Isolation `json:"isolation"`       // empty: not read by a consumer
	Rules     string    `json:"rules,omitempty"` // hash of the rules that left records out; empty: none
}

// String is the source on one line, for messages.
func (s Source) String() string {
	return fmt.Sprintf("cluster %s, topic id %s, %s, rules %s",
		cmp.Or(s.ClusterID, "unknown"), cmp.Or(s.TopicID, "none"), cmp.Or(s.Isolation, "isolation unknown"), cmp.Or(s.Rules, "none"))
}

// Isolation is the consumer isolation level under which records were read.
type Isolation string

// The two isolation levels of Kafka consumers.
const (
	ReadCommitted   Isolation = "read_committed"
	ReadUncommitted Isolation = "read_uncommitted"
)

// Check refuses words that are no isolation level. Nothing is one: what was not read by a consumer has none.
func (i Isolation) Check() error {
	switch i {
	case ReadCommitted, ReadUncommitted, "":
		return nil
	}
	return fmt.Errorf("isolation %.40q is unknown", string(i))
}
