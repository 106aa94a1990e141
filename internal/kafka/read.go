package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

const (
	readWait  = 250 * time.Millisecond // how long a broker may wait for a transaction to end before it answers
	readBytes = 8 << 20
)

// NamedFetch is a fetch request of the last version that names topics. Some clusters know later versions and yet have no topic ids.
type NamedFetch struct{ *kmsg.FetchRequest }

// MaxVersion is part of kmsg.Request.
func (NamedFetch) MaxVersion() int16 { return 12 }

// PartitionReader reads the committed records of one partition. The client's consumer would not do: it says nothing of offsets that
// compaction and aborted transactions emptied, so that it would wait for the last one for ever. It is for one goroutine.
type PartitionReader struct {
	cluster   *Cluster
	partition format.TopicPartition

	known  bool // where to ask
	id     [16]byte
	leader int32
}

// Reader makes a PartitionReader.
func (c *Cluster) Reader(tp format.TopicPartition) *PartitionReader {
	return &PartitionReader{cluster: c, partition: tp}
}

// Read calls each with the records of one answer and returns the offset after it. The offset does not move when nothing is there yet.
func (r *PartitionReader) Read(ctx context.Context, from int64, each func(*kgo.Record)) (next int64, err error) {
	err = r.cluster.Retry(ctx, fmt.Sprintf("read %s at offset %d", r.partition, from), func(ctx context.Context) error {
		next, err = r.fetch(ctx, from, each)
		if err != nil {
			r.known = false
		}
		return err
	})
	return next, err
}

func (r *PartitionReader) fetch(ctx context.Context, from int64, each func(*kgo.Record)) (next int64, err error) {
	if !r.known {
		if err := r.find(ctx); err != nil {
			return from, err
		}
	}
	answer, err := r.cluster.askBroker(ctx, r.leader, r.request(from))
	if err != nil {
		return from, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return from, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return from, errors.New("the answer to a fetch lacks the partition")
	}
	part := &resp.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
		return from, err
	}
	fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: from, IsolationLevel: kgo.ReadCommitted(), Topic: r.partition.Topic, Partition: r.partition.Partition,
	}, part, kgo.DefaultDecompressor(), nil)
	for _, record := range fetched.Records {
		each(record)
	}
	if fetched.Err != nil && next > from {
		return next, nil // what came before it counts; the next read meets it again
	}
	return next, fetched.Err
}

func (r *PartitionReader) request(from int64) kmsg.Request {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = r.partition.Partition, from, readBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = r.partition.Topic, r.id
	topic.Partitions = append(topic.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.IsolationLevel, req.MinBytes, req.MaxBytes, req.MaxWaitMillis = 1, 1, readBytes, int32(readWait.Milliseconds())
	req.Topics = append(req.Topics, topic)
	if r.id == [16]byte{} {
		return NamedFetch{req}
	}
	return req
}

// find asks for the leader and the topic's id.
func (r *PartitionReader) find(ctx context.Context) error {
	m, err := r.cluster.describe(ctx, []string{r.partition.Topic})
	if err != nil {
		return err
	}
	leaders, errs := m.byLeader([]format.TopicPartition{r.partition})
	for node := range leaders {
		r.known, r.id, r.leader = true, m.Topics[r.partition.Topic].ID, node
	}
	return errs[r.partition]
}
