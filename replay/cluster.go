package replay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// cluster is the target: a client for questions and what it answered.
type cluster struct {
	client  *kgo.Client
	dials   *dials
	timeout time.Duration // of each question

	id     string
	topics map[string]targetTopic // those that were asked for, by name
}

// targetTopic is what is known of a topic of the target. The zero value is one that does not exist.
type targetTopic struct {
	exists     bool
	id         string // UUID in Kafka's base64 form; empty: the cluster has none
	partitions int32
	ready      bool              // every partition has a leader
	configs    map[string]string // effective ones; nil: not known
	configsErr error             // why they are not known
}

// checkedConfigs are the topic configs that the preflight looks at.
var checkedConfigs = []string{
	"cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "message.timestamp.type",
	"message.timestamp.before.max.ms", "message.timestamp.after.max.ms", "message.timestamp.difference.max.ms",
}

// connectTo makes a client of the options and asks the cluster for its id.
func connectTo(ctx context.Context, options []kgo.Opt, timeout time.Duration) (*cluster, error) {
	d := &dials{}
	client, err := kgo.NewClient(append(slices.Clone(options), kgo.WithHooks(d))...)
	if err != nil {
		return nil, fmt.Errorf("connection options: %w", err)
	}
	c := &cluster{client: client, dials: d, timeout: timeout, topics: make(map[string]targetTopic)}
	if err := c.lookUp(ctx, nil); err != nil {
		client.Close()
		return nil, err
	}
	return c, nil
}

func (c *cluster) close() { c.client.Close() }

// ask sends a request. An error of the connection, and no answer in time, is a ConnectError that names the brokers.
func (c *cluster) ask(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	limited, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %s", c.timeout))
	defer cancel()
	type answer struct {
		resp kmsg.Response
		err  error
	}
	answered := make(chan answer, 1)
	// The client does not look at the context while it opens a connection.
	go func() {
		resp, err := c.client.Request(limited, req)
		answered <- answer{resp, err}
	}()
	var err error
	select {
	case a := <-answered:
		if a.err == nil {
			return a.resp, nil
		}
		err = a.err
	case <-limited.Done():
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		if err = context.Cause(limited); c.dials.last() != nil {
			err = fmt.Errorf("%w: %w", err, c.dials.last())
		}
	}
	return nil, &ConnectError{Brokers: c.seeds(), Err: err}
}

func (c *cluster) seeds() []string {
	seeds, _ := c.client.OptValue(kgo.SeedBrokers).([]string)
	return seeds
}

// lookUp asks for the cluster id and for topics by name.
func (c *cluster) lookUp(ctx context.Context, names []string) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return err
	}
	resp := answer.(*kmsg.MetadataResponse)
	if resp.ClusterID != nil {
		c.id = *resp.ClusterID
	}
	for _, t := range resp.Topics {
		if err := c.note(t); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) note(t kmsg.MetadataResponseTopic) error {
	if t.Topic == nil {
		return nil
	}
	switch err := kerr.ErrorForCode(t.ErrorCode); {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		// Also said of a topic that was just made, by a broker that has not heard of it: what its configs will be stays known.
		c.topics[*t.Topic] = targetTopic{configs: c.topics[*t.Topic].configs}
		return nil
	case errors.Is(err, kerr.LeaderNotAvailable):
	case err != nil:
		return fmt.Errorf("look at topic %s: %w", *t.Topic, err)
	}
	topic := c.topics[*t.Topic]
	topic.exists, topic.partitions, topic.ready = true, int32(len(t.Partitions)), len(t.Partitions) > 0
	if t.TopicID != [16]byte{} {
		topic.id = base64.RawURLEncoding.EncodeToString(t.TopicID[:])
	}
	for _, p := range t.Partitions {
		topic.ready = topic.ready && p.Leader >= 0
	}
	c.topics[*t.Topic] = topic
	return nil
}

// describe asks for the configs of the topics that exist. A refusal is noted with the topic.
func (c *cluster) describe(ctx context.Context) error {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range slices.Sorted(maps.Keys(c.topics)) {
		if !c.topics[name].exists {
			continue
		}
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, name, checkedConfigs
		req.Resources = append(req.Resources, r)
	}
	if len(req.Resources) == 0 {
		return nil
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return err
	}
	for _, r := range answer.(*kmsg.DescribeConfigsResponse).Resources {
		topic := c.topics[r.ResourceName]
		topic.configs, topic.configsErr = make(map[string]string), kerr.ErrorForCode(r.ErrorCode)
		for _, config := range r.Configs {
			if config.Value != nil {
				topic.configs[config.Name] = *config.Value
			}
		}
		c.topics[r.ResourceName] = topic
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

// dials remembers the last failed connection, which the client itself only retries.
type dials struct {
	mu  sync.Mutex
	err error
}

// OnBrokerConnect is a hook of the client.
func (d *dials) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// last is the error of the last connection, nil if it was made.
func (d *dials) last() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}
