package capture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

// cluster asks the source cluster. It is safe for concurrent use.
type cluster struct{ *kafka.Cluster }

// largestAnswer is the most bytes of an answer that are read, and the most that the client allows. A broker sends a batch whole however little
// was asked for, and the client's usual limit, 100 MiB, would make a partition with a larger one stall.
const largestAnswer = 1 << 30

// briefly is the patience of questions in a loop that asks again, and that has other partitions to care for.
const briefly = time.Second

// connect makes a client and waits for the first answer of a broker.
func connect(ctx context.Context, opts []kgo.Opt, o *settings) (*cluster, error) {
	c, err := kafka.Connect(ctx, append([]kgo.Opt{kgo.BrokerMaxReadBytes(largestAnswer)}, opts...), o.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	return &cluster{c}, nil
}

// within is the same cluster with another patience.
func (c *cluster) within(d time.Duration) *cluster { return &cluster{c.Within(d)} }

// offsets are a partition's offsets as the leader named them.
type offsets struct {
	start int64 // first offset of the log
	high  int64 // high watermark
	end   int64 // first offset that may not be read: the last stable offset under read_committed, else the high watermark
}

// logOffsets asks for the offsets of the given partitions. The start is asked first, so that it never lies past the end. The last stable offset
// comes after the high watermark: what is produced between the two questions would else look like an open transaction.
func (c *cluster) logOffsets(ctx context.Context, tps []format.TopicPartition, committed bool) (map[format.TopicPartition]offsets, error) {
	start, err := c.Offsets(ctx, tps, kafka.Start)
	if err != nil {
		return nil, err
	}
	high, err := c.Offsets(ctx, tps, kafka.HighWatermark)
	if err != nil {
		return nil, err
	}
	end := high
	if committed {
		if end, err = c.Offsets(ctx, tps, kafka.LastStable); err != nil {
			return nil, err
		}
	}
	all := make(map[format.TopicPartition]offsets, len(tps))
	for _, tp := range tps {
		all[tp] = offsets{start: start[tp], high: max(high[tp], end[tp]), end: end[tp]}
	}
	return all, nil
}

// offsetsAt asks for the first offset whose record is at or after ms; where there is none, the high watermark.
func (c *cluster) offsetsAt(ctx context.Context, tps []format.TopicPartition, ms int64) (map[format.TopicPartition]int64, error) {
	found, err := c.Offsets(ctx, tps, kafka.Point(max(ms, 0)))
	if err != nil {
		return nil, err
	}
	var none []format.TopicPartition
	for _, tp := range tps {
		if found[tp] < 0 {
			none = append(none, tp)
		}
	}
	ends, err := c.Offsets(ctx, none, kafka.HighWatermark)
	maps.Copy(found, ends)
	return found, err
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
	epochs := map[format.TopicPartition]int32{}
	for tp, r := range captured {
		if r.epoch != format.NoLeaderEpoch {
			epochs[tp] = r.epoch
		}
	}
	ends, err := c.EpochEnds(ctx, epochs)
	if err != nil {
		return err
	}
	for _, tp := range sortedPartitions(ends) {
		if end := ends[tp]; end >= 0 && end < captured[tp].sure {
			if err := c.confirmTruncation(ctx, tp, captured[tp], end); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkReached refuses to go on where a log, whose high watermarks are given, no longer holds what was captured of it.
func (c *cluster) checkReached(ctx context.Context, captured map[format.TopicPartition]reached, highs map[format.TopicPartition]int64) error {
	for _, tp := range sortedPartitions(captured) {
		if at := captured[tp]; at.next > highs[tp] {
			return &TruncatedError{Partition: tp, Next: at.next, LogEnd: highs[tp]}
		}
	}
	return c.checkEpochs(ctx, captured)
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

// knowsConsumerProtocol says whether the cluster knows the group protocol of KIP-848.
func (c *cluster) knowsConsumerProtocol(ctx context.Context) (bool, error) {
	known, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, c.Client())
	if err != nil {
		return false, fmt.Errorf("ask for the versions of the cluster: %w", err)
	}
	heartbeat := kmsg.NewPtrConsumerGroupHeartbeatRequest().Key()
	return slices.ContainsFunc(known.ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return k.ApiKey == heartbeat && k.MaxVersion >= 1 }), nil
}

// topicConfigs are the configs that are overridden at each topic. Not being allowed to see them is no error: they are left out, and
// the second result names why.
func (c *cluster) topicConfigs(ctx context.Context, topics []string) (map[string]map[string]string, error) {
	described, err := c.Configs(ctx, topics, nil)
	all := make(map[string]map[string]string, len(described))
	for name, t := range described {
		if t.Err != nil {
			err = t.Err
			continue
		}
		all[name] = overridden(t.Configs)
	}
	return all, err
}

func overridden(configs map[string]kafka.Config) map[string]string {
	set := map[string]string{}
	for name, c := range configs {
		if c.Overridden {
			set[name] = c.Value
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
	return slices.SortedFunc(maps.Keys(m), format.TopicPartition.Compare)
}
