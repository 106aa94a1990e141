package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// readyPoll is the time between two looks at whether new topics have leaders.
const readyPoll = 50 * time.Millisecond

// newTopic describes a topic to make.
type newTopic struct {
	name       string
	partitions int32
	configs    map[string]string
}

// newTopics are the topics that the target lacks, in the order of the plan. When several topics of the archive go to one, it gets the
// most partitions any of them has, and the configs of the first.
func (p *Plan) newTopics() []newTopic {
	var out []newTopic
	for i := range p.Topics {
		t := &p.Topics[i]
		if !t.Create {
			continue
		}
		partitions := max(t.source.Partitions, t.partitionsNeeded())
		for _, part := range t.Partitions {
			partitions = max(partitions, part.Partition+1)
		}
		at := slices.IndexFunc(out, func(n newTopic) bool { return n.name == t.Target })
		if at < 0 {
			out = append(out, newTopic{name: t.Target, partitions: partitions, configs: t.source.Configs})
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
	req := kmsg.NewPtrCreateTopicsRequest()
	req.ValidateOnly = onlyValidate
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	for _, t := range topics {
		req.Topics = append(req.Topics, t.request(replicationFactor))
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return err
	}
	for _, made := range answer.(*kmsg.CreateTopicsResponse).Topics {
		if err := createError(made); err != nil {
			return err
		}
		i := slices.IndexFunc(topics, func(t newTopic) bool { return t.name == made.Topic })
		if onlyValidate && i >= 0 {
			c.topics[made.Topic] = topics[i].expected(made)
		}
	}
	if onlyValidate {
		return nil
	}
	return c.awaitTopics(ctx, topics)
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

func createError(made kmsg.CreateTopicsResponseTopic) error {
	err := kerr.ErrorForCode(made.ErrorCode)
	if err == nil || errors.Is(err, kerr.TopicAlreadyExists) { // someone else made it meanwhile
		return nil
	}
	if made.ErrorMessage != nil && *made.ErrorMessage != "" {
		err = fmt.Errorf("%w (%s)", err, *made.ErrorMessage)
	}
	return &CreateTopicError{Topic: made.Topic, Err: err}
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

// awaitTopics returns when all partitions of the topics have a leader.
func (c *cluster) awaitTopics(ctx context.Context, topics []newTopic) error {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.name
	}
	for {
		if err := c.lookUp(ctx, names); err != nil {
			return err
		}
		waiting := slices.IndexFunc(names, func(n string) bool { return !c.topics[n].ready })
		if waiting < 0 {
			return nil
		}
		if (systemClock{}).SleepUntil(limited, time.Now().Add(readyPoll)) != nil {
			return errors.Join(ctx.Err(), &CreateTopicError{Topic: names[waiting], Err: fmt.Errorf("it has no leader after %s", c.timeout)})
		}
	}
}
