package replay_test

import (
	"context"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

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
	equal(t, "last stable offset of "+tp.String(), c.offset(t, c.admin(t).ListCommittedOffsets, tp), end)
	start := c.offset(t, c.admin(t).ListStartOffsets, tp)
	if start == end {
		return nil
	}
	// Every transaction ends with a marker, so that the last offset is seen.
	cl, err := kgo.NewClient(append(slices.Clone(c.connect), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{tp.Topic: {tp.Partition: kgo.NewOffset().AtStart()}}))...)
	must(t, err)
	defer cl.Close()
	var out []*kgo.Record
	for next := start; next < end; {
		fetches := cl.PollFetches(t.Context())
		must(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			if next = r.Offset + 1; !r.Attrs.IsControl() {
				out = append(out, r)
			}
		})
	}
	return out
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
