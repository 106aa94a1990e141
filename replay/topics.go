package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/internal/kafka"
)

// newTopic describes a topic to make.
type newTopic struct {
	name       string
	partitions int32
	configs    map[string]string
	asked      map[string]string // those of them that the options ask for
}

// noteMissing marks the topics to make. A topic without records needs no target unless all are made.
func (p *Plan) noteMissing(target *cluster, create bool) error {
	var missing []string
	for i := range p.Topics {
		t := &p.Topics[i]
		switch {
		case target.topics[t.Target].exists:
		case create:
			t.Create = true
		case t.Total.Records > 0:
			missing = append(missing, t.Target)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &MissingTopicsError{Cluster: target.id, Topics: slices.Compact(missing)}
}

// newTopics are the topics that the target lacks, in the order of the plan. When several topics of the archive go to one, it gets the
// most partitions any of them has, and the configs of the first.
func (p *Plan) newTopics(o *Options) []newTopic {
	var out []newTopic
	places := make(map[string]int)
	for i := range p.Topics {
		t := &p.Topics[i]
		if !t.Create {
			continue
		}
		partitions := max(t.source.Partitions, t.needs, 1)
		at, there := places[t.Target]
		if !there {
			places[t.Target] = len(out)
			out = append(out, newTopic{t.Target, partitions, o.topicConfigs(t.source.Configs), o.TopicConfigs})
			continue
		}
		out[at].partitions = max(out[at].partitions, partitions)
	}
	return out
}

// create makes topics, or with onlyValidate asks whether they could be made, and notes what they are.
func (c *cluster) create(ctx context.Context, topics []newTopic, replicationFactor int16, onlyValidate bool) error {
	if len(topics) == 0 {
		return nil
	}
	requests, names := make([]kmsg.CreateTopicsRequestTopic, len(topics)), make([]string, len(topics))
	byName := make(map[string]*newTopic, len(topics))
	for i, t := range topics {
		requests[i], names[i], byName[t.name] = t.request(replicationFactor), t.name, &topics[i]
	}
	made, err := c.CreateTopics(ctx, requests, onlyValidate)
	if err != nil && c.dropUnknown(ctx, topics, replicationFactor, err) {
		return c.create(ctx, topics, replicationFactor, onlyValidate)
	}
	if err != nil {
		return createError(err)
	}
	if onlyValidate {
		for _, m := range made {
			if t := byName[m.Topic]; t != nil {
				c.topics[m.Topic] = t.expected(m)
			}
		}
		return nil
	}
	m, err := c.AwaitLeaders(ctx, names)
	if err != nil {
		return err
	}
	return c.noteAll(m)
}

// createError is err in this package's words.
func createError(err error) error {
	if e, ok := errors.AsType[*kafka.NotMadeError](err); ok {
		return fmt.Errorf("create topic %s: %w", e.Topic, e.Err)
	}
	return err
}

func (t newTopic) request(replicationFactor int16) kmsg.CreateTopicsRequestTopic {
	out := kmsg.NewCreateTopicsRequestTopic()
	out.Topic, out.NumPartitions, out.ReplicationFactor = t.name, t.partitions, replicationFactor
	for _, name := range slices.Sorted(maps.Keys(t.configs)) {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, kmsg.StringPtr(t.configs[name])
		out.Configs = append(out.Configs, c)
	}
	return out
}

// expected is the topic as it would be: brokers since 2.4 answer with all its configs.
func (t newTopic) expected(made kmsg.CreateTopicsResponseTopic) targetTopic {
	out := targetTopic{partitions: t.partitions, configs: maps.Clone(t.configs)}
	if out.configs == nil {
		out.configs = make(map[string]string)
	}
	for _, c := range made.Configs {
		if c.Value != nil {
			out.configs[c.Name] = *c.Value
		}
	}
	return out
}
