package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// creationGrace is how long a topic that was just made may be unknown to the broker that is asked.
const creationGrace = 400 * time.Millisecond

// Metadata is the cluster as one broker described it.
type Metadata struct {
	ClusterID  string // empty: it does not tell
	Brokers    int
	Controller int32            // broker that makes topics; -1: unknown
	Topics     map[string]Topic // those that were asked for, also with an error
}

// Topic is a topic as one broker described it.
type Topic struct {
	ID         [16]byte // zero: the cluster has none
	Internal   bool
	Partitions map[int32]Leader
	Err        error // of Kafka; nil: it is all right
}

// Leader is the broker that serves a partition; Node is -1 while there is none.
type Leader struct{ Node, Epoch int32 }

// Names are the topics without an error, sorted.
func (m *Metadata) Names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name, t := range m.Topics {
			if t.Err == nil && !yield(name) {
				return
			}
		}
	})
}

// IDString is a topic id as Kafka's own tools print it; no id is empty.
func (t *Topic) IDString() string {
	if t.ID == ([16]byte{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(t.ID[:])
}

// Ready says whether every partition has a leader.
func (t *Topic) Ready() bool {
	for l := range maps.Values(t.Partitions) {
		if l.Node < 0 {
			return false
		}
	}
	return t.Err == nil && len(t.Partitions) > 0
}

// IsUnknownTopic says whether err means that a broker does not know a topic.
func IsUnknownTopic(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
}

// Describe asks for the named topics, or for all when names is nil, as they are at this moment: errors of topics are theirs. It asks a
// broker each time: kadm's cache would answer with the topic id of a topic that is gone.
func (c *Cluster) Describe(ctx context.Context, names []string) (*Metadata, error) {
	var m *Metadata
	err := c.Retry(ctx, "ask for topics", func(ctx context.Context) (err error) {
		m, err = c.describe(ctx, names)
		return err
	})
	return m, err
}

// Settled asks for the named topics, or for all when names is nil, until none has an error that may pass; a topic that keeps one
// has it in what is returned. A topic that is unknown may have been made just now: it is asked for again for a moment.
func (c *Cluster) Settled(ctx context.Context, names []string) (*Metadata, error) {
	var m *Metadata
	begun := time.Now()
	err := c.Retry(ctx, "ask for topics", func(ctx context.Context) (err error) {
		if m, err = c.describe(ctx, names); err != nil {
			return err
		}
		return m.unsettled(time.Since(begun) >= creationGrace)
	})
	if _, late := errors.AsType[*TimeoutError](err); late && m != nil {
		return m, nil // the topics say it themselves
	}
	return m, err
}

// AwaitLeaders waits until every partition of the named topics has a leader.
func (c *Cluster) AwaitLeaders(ctx context.Context, names []string) (*Metadata, error) {
	var m *Metadata
	err := c.Retry(ctx, "wait for leaders", func(ctx context.Context) (err error) {
		if m, err = c.describe(ctx, names); err != nil {
			return err
		}
		for _, name := range names {
			t := m.Topics[name]
			if err := t.Err; err != nil {
				return fmt.Errorf("topic %s: %w", name, err)
			}
			if !t.Ready() {
				return fmt.Errorf("topic %s: %w", name, kerr.LeaderNotAvailable)
			}
		}
		return nil
	})
	return m, err
}

// unsettled is an error of a topic that may pass, nil when there is none. With missing, unknown topics do not exist.
func (m *Metadata) unsettled(missing bool) error {
	for name, t := range m.Topics {
		switch {
		case t.Err == nil || !Retriable(t.Err) || missing && IsUnknownTopic(t.Err):
		default:
			return fmt.Errorf("topic %s: %w", name, t.Err)
		}
	}
	return nil
}

func (c *Cluster) describe(ctx context.Context, names []string) (*Metadata, error) {
	answer, err := c.ask(ctx, metadataRequest(names))
	if err != nil {
		return nil, err
	}
	resp := answer.(*kmsg.MetadataResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	return newMetadata(resp), nil
}

func metadataRequest(names []string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	if names != nil {
		req.Topics = make([]kmsg.MetadataRequestTopic, 0, len(names))
	}
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func newMetadata(resp *kmsg.MetadataResponse) *Metadata {
	m := &Metadata{Brokers: len(resp.Brokers), Controller: resp.ControllerID, Topics: make(map[string]Topic, len(resp.Topics))}
	if resp.ClusterID != nil {
		m.ClusterID = *resp.ClusterID
	}
	there := map[int32]bool{}
	for _, b := range resp.Brokers {
		there[b.NodeID] = true
	}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			m.Topics[*t.Topic] = newTopic(&t, there)
		}
	}
	return m
}

// newTopic reads a topic. A leader that is no broker any more is none: until another is elected, it is still named.
func newTopic(t *kmsg.MetadataResponseTopic, brokers map[int32]bool) Topic {
	topic := Topic{ID: t.TopicID, Internal: t.IsInternal, Err: kerr.ErrorForCode(t.ErrorCode), Partitions: make(map[int32]Leader, len(t.Partitions))}
	for _, p := range t.Partitions {
		l := Leader{p.Leader, p.LeaderEpoch}
		if !brokers[l.Node] {
			l.Node = -1
		}
		topic.Partitions[p.Partition] = l
	}
	return topic
}
