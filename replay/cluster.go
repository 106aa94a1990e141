package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/internal/kafka"
)

// cluster is the target: a connection for questions and what it answered.
type cluster struct {
	*kafka.Cluster

	id     string
	topics map[string]targetTopic // those that were asked for, by name

	unknownConfigs map[string][]string // configs of the archive that the target does not have, with the topics that were to have them
}

// targetTopic is what is known of a topic of the target. The zero value is one that does not exist.
type targetTopic struct {
	exists     bool
	id         string // UUID in Kafka's base64 form; empty: the cluster has none
	partitions int32
	configs    map[string]string // effective ones; nil: not known
	configsErr error             // why they are not known
}

// checkedConfigs are the topic configs that the preflight looks at.
var checkedConfigs = []string{
	"cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "message.timestamp.type",
	"message.timestamp.before.max.ms", "message.timestamp.after.max.ms", "message.timestamp.difference.max.ms",
}

// connectTo makes a client of the options and asks the cluster for its id.
func connectTo(ctx context.Context, options []kgo.Opt, patience time.Duration) (*cluster, error) {
	connected, err := kafka.Connect(ctx, options, patience)
	if err != nil {
		return nil, err
	}
	c := &cluster{Cluster: connected, topics: make(map[string]targetTopic), unknownConfigs: make(map[string][]string)}
	if err := c.lookUp(ctx, nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// lookUp asks for the cluster id and for topics by name.
func (c *cluster) lookUp(ctx context.Context, names []string) error {
	m, err := c.Settled(ctx, slices.Concat([]string{}, names))
	if err != nil {
		return err
	}
	return c.noteAll(m)
}

// noteAll takes down what a broker told.
func (c *cluster) noteAll(m *kafka.Metadata) error {
	c.id = m.ClusterID
	for name, t := range m.Topics {
		if err := c.note(name, &t); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) note(name string, t *kafka.Topic) error {
	switch {
	case kafka.IsUnknownTopic(t.Err):
		// Also said of a topic that was just made, by a broker that has not heard of it: what its configs will be stays known.
		c.topics[name] = targetTopic{configs: c.topics[name].configs}
		return nil
	case errors.Is(t.Err, kerr.LeaderNotAvailable):
	case t.Err != nil:
		return fmt.Errorf("look at topic %s: %w", name, t.Err)
	}
	topic := c.topics[name]
	topic.exists, topic.partitions, topic.id = true, int32(len(t.Partitions)), t.IDString()
	c.topics[name] = topic
	return nil
}

// describe asks for the configs of the topics that exist. A refusal is noted with the topic.
func (c *cluster) describe(ctx context.Context) error {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(c.topics)), func(name string) bool { return !c.topics[name].exists })
	described, err := c.Configs(ctx, names, checkedConfigs)
	if err != nil {
		return err
	}
	for name, d := range described {
		topic := c.topics[name]
		topic.configs, topic.configsErr = make(map[string]string), d.Err
		for config, v := range d.Configs {
			topic.configs[config] = v.Value
		}
		c.topics[name] = topic
	}
	return nil
}

// number is a config that is a number; ok is false when it is unknown.
func (t targetTopic) number(name string) (n int64, ok bool) {
	text, ok := t.configs[name]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
