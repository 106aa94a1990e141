package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicConfigs are the configs that a topic is made with: those of the archive, and over them those of the options.
func (o *Options) topicConfigs(archived map[string]string) map[string]string {
	configs := make(map[string]string)
	if !o.NoTopicConfigs {
		maps.Copy(configs, archived)
	}
	maps.Copy(configs, o.TopicConfigs)
	return configs
}

// dropUnknown takes configs of the archive that the target does not have out of topics, when that is why it would not make them. It says
// whether there are any. What the options ask for stays.
func (c *cluster) dropUnknown(ctx context.Context, topics []newTopic, replicationFactor int16, why error) (dropped bool) {
	if !errors.Is(why, kerr.InvalidConfig) {
		return false
	}
	known := c.knownConfigs(ctx, topics[0], replicationFactor)
	if len(known) == 0 {
		return false
	}
	for i := range topics {
		t := &topics[i]
		for _, name := range slices.Sorted(maps.Keys(t.configs)) {
			if _, asked := t.asked[name]; !known[name] && !asked {
				delete(t.configs, name)
				c.unknownConfigs[name] = append(c.unknownConfigs[name], t.name)
				dropped = true
			}
		}
	}
	return dropped
}

// knownConfigs are the configs that a topic of the target has: those of a topic that would be made without any, or that is there.
func (c *cluster) knownConfigs(ctx context.Context, t newTopic, replicationFactor int16) map[string]bool {
	known := make(map[string]bool)
	t.configs = nil
	made, err := c.CreateTopics(ctx, []kmsg.CreateTopicsRequestTopic{t.request(replicationFactor)}, true)
	if err == nil {
		for _, m := range made {
			for _, config := range m.Configs {
				known[config.Name] = true
			}
		}
	}
	if len(known) > 0 {
		return known
	}
	m, err := c.Describe(ctx, nil) // a cluster that does not tell: look at any of its topics
	if err != nil || len(m.Names()) == 0 {
		return nil
	}
	described, _ := c.Configs(ctx, m.Names()[:1], nil)
	for name := range described[m.Names()[0]].Configs {
		known[name] = true
	}
	return known
}

// leftOutConfigs warns of what dropUnknown did.
func (p *preflight) leftOutConfigs() {
	for _, name := range slices.Sorted(maps.Keys(p.target.unknownConfigs)) {
		topics := slices.Compact(slices.Sorted(slices.Values(p.target.unknownConfigs[name])))
		p.add(Finding{
			Code: "unknown-config", Severity: warn,
			What:        fmt.Sprintf("the target does not have the config %s, which %s has in the archive", name, strings.Join(topics, ", ")),
			Consequence: "the topic is made without it",
			Fix:         "give its topics what the target has instead",
		})
	}
}
