package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config is a config of a topic.
type Config struct {
	Value      string
	Overridden bool // at the topic itself
}

// TopicConfigs are a topic's configs by name, or why the cluster does not tell them.
type TopicConfigs struct {
	Configs map[string]Config
	Err     error // of Kafka
}

// Configs asks for the configs of topics: those named, or all when names is nil. Topics that have their answer when the patience ends
// keep it, the others have the error that they had last.
func (c *Cluster) Configs(ctx context.Context, topics, names []string) (map[string]TopicConfigs, error) {
	all := make(map[string]TopicConfigs, len(topics))
	open := topics
	err := c.Retry(ctx, "describe topic configs", func(ctx context.Context) error {
		if len(open) == 0 {
			return nil
		}
		answer, err := c.ask(ctx, configsRequest(open, names))
		if err != nil {
			return err
		}
		var passing error
		open = nil
		for _, r := range answer.(*kmsg.DescribeConfigsResponse).Resources {
			found := newTopicConfigs(&r)
			all[r.ResourceName] = found
			if found.Err != nil && Retriable(found.Err) {
				open, passing = append(open, r.ResourceName), fmt.Errorf("topic %s: %w", r.ResourceName, found.Err)
			}
		}
		return passing
	})
	if err != nil && len(all) == len(topics) {
		return all, nil // each topic has its own error
	}
	return all, err
}

func configsRequest(topics, names []string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range topics {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, name, names
		req.Resources = append(req.Resources, r)
	}
	return req
}

func newTopicConfigs(r *kmsg.DescribeConfigsResponseResource) TopicConfigs {
	out := TopicConfigs{Err: kerr.ErrorForCode(r.ErrorCode), Configs: make(map[string]Config, len(r.Configs))}
	for _, c := range r.Configs {
		if c.Value != nil {
			out.Configs[c.Name] = Config{Value: *c.Value, Overridden: c.Source == kmsg.ConfigSourceDynamicTopicConfig}
		}
	}
	return out
}
