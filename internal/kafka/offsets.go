package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// Point is what an offset is asked for: a timestamp in milliseconds, or one of the constants.
type Point int64

// The points that are no timestamps.
const (
	Start         Point = -2 // first offset of the log
	HighWatermark Point = -1
	LastStable    Point = -3 // first offset that read_committed may not read
)

// Offsets asks the leaders for an offset of each partition: for a timestamp the first whose record is at or after it, -1 where there is
// none.
func (c *Cluster) Offsets(ctx context.Context, tps []format.TopicPartition, at Point) (map[format.TopicPartition]int64, error) {
	return ofLeaders(ctx, c, tps, question[int64]{
		step:    "list " + at.String(),
		request: func(tps []format.TopicPartition) kmsg.Request { return at.request(tps) },
		read: func(resp kmsg.Response, found func(format.TopicPartition, int64, error)) {
			for _, t := range resp.(*kmsg.ListOffsetsResponse).Topics {
				for _, p := range t.Partitions {
					offset := p.Offset
					if len(p.OldStyleOffsets) > 0 {
						offset = p.OldStyleOffsets[0]
					}
					found(format.TopicPartition{Topic: t.Topic, Partition: p.Partition}, offset, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		},
	})
}

// maxTimestamp asks for the record with the largest timestamp.
const maxTimestamp Point = -4

// Newest asks for the largest timestamp of each partition, in milliseconds; -1 where there is no record. Brokers before Kafka 3.0 cannot
// tell: then the error is kerr.UnsupportedVersion.
func (c *Cluster) Newest(ctx context.Context, tps []format.TopicPartition) (map[format.TopicPartition]int64, error) {
	return ofLeaders(ctx, c, tps, question[int64]{
		step:    "list newest timestamps",
		request: func(tps []format.TopicPartition) kmsg.Request { return maxTimestamp.request(tps) },
		read: func(resp kmsg.Response, found func(format.TopicPartition, int64, error)) {
			list := resp.(*kmsg.ListOffsetsResponse)
			for _, t := range list.Topics {
				for _, p := range t.Partitions {
					err := kerr.ErrorForCode(p.ErrorCode)
					if list.Version < 7 {
						err = kerr.UnsupportedVersion
					}
					found(format.TopicPartition{Topic: t.Topic, Partition: p.Partition}, p.Timestamp, err)
				}
			}
		},
	})
}

// String names what is asked for.
func (at Point) String() string {
	switch at {
	case Start:
		return "start offsets"
	case HighWatermark:
		return "high watermarks"
	case LastStable:
		return "end offsets"
	}
	return "offsets by time"
}

func (at Point) request(tps []format.TopicPartition) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	timestamp := int64(at)
	switch at {
	case maxTimestamp:
		timestamp = -3
	case LastStable:
		timestamp, req.IsolationLevel = int64(HighWatermark), 1
	}
	topics, partitions := byTopic(tps)
	for _, name := range topics {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = name
		for _, p := range partitions[name] {
			part := kmsg.NewListOffsetsRequestTopicPartition()
			part.Partition, part.Timestamp = p, timestamp
			t.Partitions = append(t.Partitions, part)
		}
		req.Topics = append(req.Topics, t)
	}
	return req
}

// EpochEnds asks the leaders where the log ends for the given epoch of each partition; -1: the leader does not know the epoch.
func (c *Cluster) EpochEnds(ctx context.Context, epochs map[format.TopicPartition]int32) (map[format.TopicPartition]int64, error) {
	tps := make([]format.TopicPartition, 0, len(epochs))
	for tp := range epochs {
		tps = append(tps, tp)
	}
	return ofLeaders(ctx, c, tps, question[int64]{
		step:    "check leader epochs",
		request: func(tps []format.TopicPartition) kmsg.Request { return epochRequest(tps, epochs) },
		read: func(resp kmsg.Response, found func(format.TopicPartition, int64, error)) {
			for _, t := range resp.(*kmsg.OffsetForLeaderEpochResponse).Topics {
				for _, p := range t.Partitions {
					found(format.TopicPartition{Topic: t.Topic, Partition: p.Partition}, p.EndOffset, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		},
	})
}

func epochRequest(tps []format.TopicPartition, epochs map[format.TopicPartition]int32) *kmsg.OffsetForLeaderEpochRequest {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	topics, partitions := byTopic(tps)
	for _, name := range topics {
		t := kmsg.NewOffsetForLeaderEpochRequestTopic()
		t.Topic = name
		for _, p := range partitions[name] {
			part := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			part.Partition, part.LeaderEpoch = p, epochs[format.TopicPartition{Topic: name, Partition: p}]
			part.CurrentLeaderEpoch = -1
			t.Partitions = append(t.Partitions, part)
		}
		req.Topics = append(req.Topics, t)
	}
	return req
}
