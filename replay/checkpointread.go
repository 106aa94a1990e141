package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	readWait  = 250 * time.Millisecond // how long the target may wait for a transaction to end before it answers
	readRetry = 100 * time.Millisecond // after an error that may pass
	readBytes = 8 << 20
)

// read calls each with every committed record of the topic, in order. The consumer of the client would not do: it says nothing of
// offsets that compaction and aborted transactions emptied, so that it would wait for the last one for ever.
//
// After the fence the end is that of the log, and transactions of other replays which are open there are waited for: what they hold
// back may hold back a record of this replay, too. Before it the end is where the first of those begins.
func (t *checkpointTopic) read(ctx context.Context, each func(*kgo.Record)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.patience, fmt.Errorf("not done within %s, perhaps because a transaction of another replay is open there", t.patience))
	defer cancel()
	admin := kadm.NewClient(t.target.client)
	list := admin.ListCommittedOffsets
	if t.fenced {
		list = admin.ListEndOffsets
	}
	end, err := boundary(ctx, list)
	if err != nil {
		return err
	}
	next, err := boundary(ctx, admin.ListStartOffsets)
	if err != nil {
		return err
	}
	r := topicReader{client: t.target.client}
	for next < end {
		if next, err = r.fetch(ctx, next, each); err == nil {
			continue
		}
		if errors.Is(err, kerr.OffsetOutOfRange) { // compaction was faster
			if next, err = boundary(ctx, admin.ListStartOffsets); err != nil {
				return err
			}
			continue
		}
		if err = r.recover(ctx, err); err != nil {
			return fmt.Errorf("read %s from offset %d to %d: %w", CheckpointTopic, next, end, err)
		}
	}
	return nil
}

// boundary is an offset of partition 0 of the topic.
func boundary(ctx context.Context, list func(context.Context, ...string) (kadm.ListedOffsets, error)) (int64, error) {
	listed, err := list(ctx, CheckpointTopic)
	if err != nil {
		return 0, fmt.Errorf("look at %s: %w", CheckpointTopic, err)
	}
	o, ok := listed.Lookup(CheckpointTopic, 0)
	if !ok {
		return 0, fmt.Errorf("look at %s: %w", CheckpointTopic, kerr.UnknownTopicOrPartition)
	}
	if o.Err != nil {
		return 0, fmt.Errorf("look at %s: %w", CheckpointTopic, o.Err)
	}
	return o.Offset, nil
}

// topicReader fetches from partition 0 of the checkpoint topic. The zero value but for client is ready.
type topicReader struct {
	client *kgo.Client
	known  bool // where to ask
	id     [16]byte
	leader int32
}

// fetch calls each with the committed records of one answer and returns the offset after it.
func (r *topicReader) fetch(ctx context.Context, from int64, each func(*kgo.Record)) (next int64, err error) {
	if !r.known {
		if err := r.find(ctx); err != nil {
			return from, err
		}
	}
	answer, err := r.client.Broker(int(r.leader)).Request(ctx, r.request(from))
	if err != nil {
		return from, err
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return from, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return from, errors.New("the target's answer to a fetch lacks the partition")
	}
	fetched, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: from, IsolationLevel: kgo.ReadCommitted(), Topic: CheckpointTopic,
	}, &resp.Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	for _, record := range fetched.Records {
		each(record)
	}
	return next, fetched.Err
}

func (r *topicReader) request(from int64) kmsg.Request {
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes = from, readBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = CheckpointTopic, r.id
	topic.Partitions = append(topic.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.IsolationLevel, req.MinBytes, req.MaxBytes, req.MaxWaitMillis = 1, 1, readBytes, int32(readWait.Milliseconds())
	req.Topics = append(req.Topics, topic)
	if r.id == [16]byte{} {
		return namedFetch{req}
	}
	return req
}

// namedFetch is a fetch request of the last version that names topics. Some clusters know later versions and yet have no topic ids.
type namedFetch struct{ *kmsg.FetchRequest }

// MaxVersion is part of kmsg.Request.
func (namedFetch) MaxVersion() int16 { return 12 }

// find asks for the leader and the topic's id.
func (r *topicReader) find(ctx context.Context) error {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(CheckpointTopic)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, r.client)
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err
		}
		for _, p := range t.Partitions {
			if p.Partition == 0 {
				r.known, r.id, r.leader = true, t.TopicID, p.Leader
				return kerr.ErrorForCode(p.ErrorCode)
			}
		}
	}
	return kerr.UnknownTopicOrPartition
}

// recover waits a moment when an error may pass, and returns it when not, or when the context has ended.
func (r *topicReader) recover(ctx context.Context, err error) error {
	r.known = false
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !kerr.IsRetriable(err) && !kgo.IsRetryableBrokerErr(err) {
		return err
	}
	timer := time.NewTimer(readRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
}
