package outcome

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

// Lag is what a group has not read.
type Lag struct {
	// Offsets are those behind what it has committed, in all partitions that its members have, or had last, or that it has committed; some may be
	// of no record.
	Offsets int64
	// Left says, of the first partition with a record behind what the group has committed, how far it is; empty: the group has read all.
	Left string
}

// Groups remembers which partitions groups had: when its last member has gone, a group tells only where it has committed. The zero value has seen
// none. It is for one goroutine.
type Groups struct{ had map[string]kadm.TopicsSet }

// Lag finds out what a group has not read. A group that shares out its partitions, or has none and has committed nothing, has something left.
func (h *Groups) Lag(ctx context.Context, cluster *kafka.Cluster, group string) (Lag, error) {
	g := groupLag{cluster: cluster, admin: kadm.NewClient(cluster.Client())}
	busy, err := g.describe(ctx, group)
	if err != nil {
		return Lag{}, err
	}
	if !busy {
		g.partitions = h.remember(group, g.partitions)
	}
	if err := g.list(ctx, group); err != nil {
		return Lag{}, err
	}
	switch {
	case busy:
		g.lag.Left = "it shares out its partitions"
	case len(g.partitions) == 0:
		g.lag.Left = "it has committed nothing"
	}
	for _, tp := range g.partitions.Sorted() {
		for _, n := range tp.Partitions {
			if err := g.add(ctx, tp.Topic, n); err != nil {
				return Lag{}, err
			}
		}
	}
	return g.lag, nil
}

// remember notes the partitions that a group has, and returns them, or those that it had last where it has none.
func (h *Groups) remember(group string, has kadm.TopicsSet) kadm.TopicsSet {
	if len(has) > 0 {
		if h.had == nil {
			h.had = map[string]kadm.TopicsSet{}
		}
		h.had[group] = has
	}
	all := kadm.TopicsSet{} // of the caller: what was committed is added to it
	all.Merge(h.had[group])
	return all
}

// groupLag is a Lag that is being found out.
type groupLag struct {
	cluster      *kafka.Cluster
	admin        *kadm.Client
	partitions   kadm.TopicsSet // that count
	committed    kadm.OffsetResponses
	starts, ends kadm.ListedOffsets
	lag          Lag
}

// describe finds the partitions that the members of a group have, and says whether they are being shared out.
func (g *groupLag) describe(ctx context.Context, group string) (busy bool, err error) {
	described, err := g.admin.DescribeGroups(ctx, group)
	if err != nil {
		return false, err
	}
	if classic := described[group]; classic.Err == nil && classic.State != "Dead" {
		g.partitions = described.AssignedPartitions()
		return unsettled(classic.State), nil
	}
	consumers, err := g.admin.DescribeConsumerGroups(ctx, group)
	if err != nil {
		return false, err
	}
	of := consumers[group]
	if of.Err != nil {
		return false, ignoreNoGroup(of.Err)
	}
	g.partitions = of.AssignedPartitions()
	return unsettled(of.State), nil
}

func unsettled(state string) bool { return state != "Stable" && state != "Empty" }

// ignoreNoGroup is an error but for that of a group that nobody is in any more, or not yet.
func ignoreNoGroup(err error) error {
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil
	}
	return err
}

// list finds what the group has committed, and where the partitions begin and end.
func (g *groupLag) list(ctx context.Context, group string) (err error) {
	g.committed, err = g.admin.FetchOffsets(ctx, group)
	if err := ignoreNoGroup(err); err != nil {
		return err
	}
	if g.partitions == nil {
		g.partitions = kadm.TopicsSet{}
	}
	g.partitions.Merge(g.committed.Offsets().TopicsSet())
	topics := g.partitions.Topics()
	if len(topics) == 0 {
		return nil
	}
	if g.starts, err = g.admin.ListStartOffsets(ctx, topics...); err != nil {
		return err
	}
	g.ends, err = g.admin.ListCommittedOffsets(ctx, topics...)
	return err
}

// add counts a partition.
func (g *groupLag) add(ctx context.Context, topic string, n int32) error {
	start, started := g.starts.Lookup(topic, n)
	end, ended := g.ends.Lookup(topic, n)
	if !started || !ended || start.Err != nil || end.Err != nil {
		return cmp.Or(start.Err, end.Err, error(kerr.UnknownTopicOrPartition))
	}
	from := start.Offset
	if c, ok := g.committed.Lookup(topic, n); ok {
		from = max(from, c.At)
	}
	g.lag.Offsets += max(end.Offset-from, 0)
	if g.lag.Left != "" {
		return nil
	}
	read, err := readAll(ctx, g.cluster, format.TopicPartition{Topic: topic, Partition: n}, from, end.Offset)
	if err == nil && !read {
		g.lag.Left = fmt.Sprintf("it has committed %d of %d in partition %d of %s", from, end.Offset, n, topic)
	}
	return err
}

// readAll says whether there is no record from an offset up to the end. A group does not commit over what is no record, such as the marker of
// a transaction, so the offsets alone do not tell.
func readAll(ctx context.Context, cluster *kafka.Cluster, tp format.TopicPartition, from, end int64) (bool, error) {
	reader := cluster.Reader(tp)
	for at := from; at < end; {
		records := 0
		next, err := reader.Read(ctx, at, func(*kgo.Record) { records++ })
		if err != nil || records > 0 || next == at {
			return false, err
		}
		at = next
	}
	return true, nil
}
