package capture

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// cluster asks the source cluster. It is safe for concurrent use.
type cluster struct {
	client *kgo.Client
	admin  *kadm.Client
}

// metadata is the cluster as one broker described it.
type metadata struct {
	clusterID string
	brokers   int
	topics    map[string]topicMetadata // those that were asked for, also with an error
}

type topicMetadata struct {
	id         [16]byte
	internal   bool
	partitions map[int32]leader
	err        error
}

// leader is the broker that serves a partition; node is -1 while there is none.
type leader struct{ node, epoch int32 }

// largestAnswer is the most bytes of an answer that are read, and the most that the client allows. A broker sends a batch whole however little
// was asked for, and the client's usual limit, 100 MiB, would make a partition with a larger one stall.
const largestAnswer = 1 << 30

// connect makes a client and waits for the first answer of a broker.
func connect(ctx context.Context, opts []kgo.Opt, o *settings) (*cluster, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.BrokerMaxReadBytes(largestAnswer)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connection options: %w", err)
	}
	ping, cancel := context.WithTimeoutCause(ctx, o.ConnectTimeout, fmt.Errorf("no answer within %s", o.ConnectTimeout))
	defer cancel()
	if err := client.Ping(ping); err != nil {
		seeds, _ := client.OptValue(kgo.SeedBrokers).([]string)
		client.Close()
		if cause := context.Cause(ping); cause != nil {
			err = cause
		}
		return nil, &ConnectError{Brokers: seeds, Err: err}
	}
	return &cluster{client, kadm.NewClient(client)}, nil
}

func (c *cluster) close() { c.client.Close() }

// describe asks for the named topics, or for all when names is nil. It asks a broker each time: kadm's cache would answer with
// the topic id of a topic that is gone.
func (c *cluster) describe(ctx context.Context, names []string) (*metadata, error) {
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
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, fmt.Errorf("ask for topics: %w", err)
	}
	return newMetadata(resp), nil
}

func newMetadata(resp *kmsg.MetadataResponse) *metadata {
	m := &metadata{brokers: len(resp.Brokers), topics: make(map[string]topicMetadata, len(resp.Topics))}
	if resp.ClusterID != nil {
		m.clusterID = *resp.ClusterID
	}
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		topic := topicMetadata{id: t.TopicID, internal: t.IsInternal, err: kerr.ErrorForCode(t.ErrorCode), partitions: make(map[int32]leader, len(t.Partitions))}
		for _, p := range t.Partitions {
			topic.partitions[p.Partition] = leader{p.Leader, p.LeaderEpoch}
		}
		m.topics[*t.Topic] = topic
	}
	return m
}

func (m *metadata) names() []string {
	names := make([]string, 0, len(m.topics))
	for name, t := range m.topics {
		if t.err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// idString is a topic id as Kafka's own tools print it; no id is empty.
func (t *topicMetadata) idString() string {
	if t.id == ([16]byte{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(t.id[:])
}

// offsets are a partition's offsets as the leader named them.
type offsets struct {
	start int64 // first offset of the log
	high  int64 // high watermark
	end   int64 // first offset that may not be read: the last stable offset under read_committed, else the high watermark
}

// logOffsets asks for the offsets of the given partitions. The start is asked first, so that it never lies past the end.
func (c *cluster) logOffsets(ctx context.Context, tps []format.TopicPartition, committed bool) (map[format.TopicPartition]offsets, error) {
	if len(tps) == 0 {
		return nil, nil
	}
	topics := topicsOf(tps)
	start, err := c.admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list start offsets: %w", err)
	}
	end, err := c.admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list end offsets: %w", err)
	}
	high, err := c.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("list high watermarks: %w", err)
	}
	if !committed {
		end = high
	}
	all := make(map[format.TopicPartition]offsets, len(tps))
	for _, tp := range tps {
		var o offsets
		if err := errors.Join(listed(start, tp, &o.start), listed(end, tp, &o.end), listed(high, tp, &o.high)); err != nil {
			return nil, fmt.Errorf("list offsets: %w", err)
		}
		all[tp] = o
	}
	return all, nil
}

// offsetsAt asks for the first offset whose record is at or after ms; where there is none, the high watermark.
func (c *cluster) offsetsAt(ctx context.Context, tps []format.TopicPartition, ms int64) (map[format.TopicPartition]int64, error) {
	found, err := c.admin.ListOffsetsAfterMilli(ctx, max(ms, 0), topicsOf(tps)...)
	if err != nil {
		return nil, fmt.Errorf("list offsets by time: %w", err)
	}
	all := make(map[format.TopicPartition]int64, len(tps))
	for _, tp := range tps {
		var o int64
		if err := listed(found, tp, &o); err != nil {
			return nil, fmt.Errorf("list offsets by time: %w", err)
		}
		all[tp] = o
	}
	return all, nil
}

func listed(l kadm.ListedOffsets, tp format.TopicPartition, to *int64) error {
	o, ok := l.Lookup(tp.Topic, tp.Partition)
	if !ok {
		return fmt.Errorf("%s: the cluster did not answer for it", tp)
	}
	if o.Err != nil {
		return fmt.Errorf("%s: %w", tp, o.Err)
	}
	*to = o.Offset
	return nil
}

// reached is how far a partition was captured.
type reached struct {
	next  int64 // first offset that was not captured
	epoch int32 // leader epoch of the last one of which it is known; format.NoLeaderEpoch: of none
	sure  int64 // one past that one: what lies between it and next may have been of a later epoch
}

// checkEpochs asks the leaders whether their logs still agree with what was captured, and returns a *TruncatedError for the first
// that does not. A leader that no longer knows the epoch, retention does that, proves nothing.
func (c *cluster) checkEpochs(ctx context.Context, captured map[format.TopicPartition]reached) error {
	req := kadm.OffsetForLeaderEpochRequest{}
	for tp, r := range captured {
		if r.epoch != format.NoLeaderEpoch {
			req.Add(tp.Topic, tp.Partition, r.epoch)
		}
	}
	if len(req) == 0 {
		return nil
	}
	found, err := c.admin.OffsetForLeaderEpoch(ctx, req)
	if err != nil {
		return fmt.Errorf("check leader epochs: %w", err)
	}
	for _, tp := range sortedPartitions(captured) {
		o, ok := found[tp.Topic][tp.Partition]
		switch {
		case !ok:
		case o.Err != nil:
			return fmt.Errorf("check leader epoch of %s: %w", tp, o.Err)
		case o.EndOffset >= 0 && o.EndOffset < captured[tp].sure:
			if err := c.confirmTruncation(ctx, tp, captured[tp], o.EndOffset); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirmTruncation looks whether the log still reaches back to what was captured: if not, it cannot disagree with it.
func (c *cluster) confirmTruncation(ctx context.Context, tp format.TopicPartition, r reached, end int64) error {
	log, err := c.logOffsets(ctx, []format.TopicPartition{tp}, false)
	if err != nil {
		return err
	}
	if log[tp].start >= r.sure {
		return nil
	}
	return &TruncatedError{Partition: tp, Next: r.next, LogEnd: end}
}

// topicConfigs are the configs that are overridden at each topic. Not being allowed to see them is no error: they are left out, and
// the second result names why.
func (c *cluster) topicConfigs(ctx context.Context, topics []string) (map[string]map[string]string, error) {
	described, err := c.admin.DescribeTopicConfigs(ctx, topics...)
	all := make(map[string]map[string]string, len(described))
	for _, t := range described {
		if t.Err != nil {
			err = t.Err
			continue
		}
		all[t.Name] = overridden(t.Configs)
	}
	return all, err
}

func overridden(configs []kadm.Config) map[string]string {
	set := map[string]string{}
	for _, c := range configs {
		if c.Source == kmsg.ConfigSourceDynamicTopicConfig && c.Value != nil {
			set[c.Key] = *c.Value
		}
	}
	return set
}

// topicsOf are the topics of tps, each once.
func topicsOf(tps []format.TopicPartition) []string {
	topics := make([]string, 0, len(tps))
	for _, tp := range tps {
		topics = append(topics, tp.Topic)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func sortedPartitions[V any](m map[format.TopicPartition]V) []format.TopicPartition {
	return slices.SortedFunc(maps.Keys(m), comparePartitions)
}

func comparePartitions(a, b format.TopicPartition) int {
	if c := strings.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return int(a.Partition) - int(b.Partition)
}
