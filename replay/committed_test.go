package replay_test

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// committed are the values that a reader with read_committed finds in a partition when nobody writes to it, in order.
func (c target) committed(t *testing.T, tp format.TopicPartition) []string {
	t.Helper()
	var out []string
	for _, r := range c.committedRecords(t, tp) {
		out = append(out, string(r.Value))
	}
	return out
}

func (c target) committedRecords(t *testing.T, tp format.TopicPartition) []*kgo.Record {
	t.Helper()
	end := c.offset(t, c.admin(t).ListEndOffsets, tp)
	if stable := c.offset(t, c.admin(t).ListCommittedOffsets, tp); stable != end {
		t.Fatalf("a transaction is open in %s: readers get as far as %d of %d", tp, stable, end)
	}
	start := c.offset(t, c.admin(t).ListStartOffsets, tp)
	if start == end {
		return nil
	}
	cl, err := kgo.NewClient(c.connect...)
	must(t, err)
	defer cl.Close()
	meta, err := kadm.NewClient(cl).Metadata(t.Context(), tp.Topic)
	must(t, err)
	var out []*kgo.Record
	// Raw requests: a consumer does not hear of offsets that aborted transactions left empty.
	for next := start; next < end; {
		fetched, after := fetchCommitted(t, cl, meta.Topics[tp.Topic], tp.Partition, next)
		out, next = append(out, fetched...), after
	}
	return out
}

// fetchCommitted returns the committed records of one answer and the offset after it.
func fetchCommitted(t *testing.T, cl *kgo.Client, topic kadm.TopicDetail, partition int32, from int64) ([]*kgo.Record, int64) {
	t.Helper()
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, from, 1<<20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID, rt.Partitions = topic.Topic, topic.ID, append(rt.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.IsolationLevel, req.MaxBytes, req.Topics = 1, 1<<20, append(req.Topics, rt)
	resp, err := cl.Broker(int(topic.Partitions[partition].Leader)).RetriableRequest(t.Context(), req)
	must(t, err)
	opts := kgo.ProcessFetchPartitionOpts{Offset: from, IsolationLevel: kgo.ReadCommitted(), Topic: topic.Topic, Partition: partition}
	fetched, next := kgo.ProcessFetchPartition(opts, &resp.(*kmsg.FetchResponse).Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	must(t, fetched.Err)
	return fetched.Records, next
}

// offset is what list says of a partition.
func (c target) offset(t *testing.T, list func(context.Context, ...string) (kadm.ListedOffsets, error), tp format.TopicPartition) int64 {
	t.Helper()
	listed, err := list(t.Context(), tp.Topic)
	must(t, err)
	o, ok := listed.Lookup(tp.Topic, tp.Partition)
	if !ok {
		t.Fatalf("%s does not exist", tp)
	}
	must(t, o.Err)
	return o.Offset
}
