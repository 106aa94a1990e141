package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
)

// ListedGroup is a consumer group as its coordinator lists it.
type ListedGroup struct {
	State        string // empty: the broker does not tell
	ProtocolType string
}

// Committed is what a group committed of a partition.
type Committed struct {
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

// groupsAtOnce bounds the groups that are asked about at the same time: what their answers take, and what one broker has to do at once.
const groupsAtOnce = 8

// unlistedTypes have no committed offsets of the kind that is asked for here.
var unlistedTypes = []string{"share", "Share"}

// ListGroups lists the groups that the cluster lets this client see, but for share groups, whose offsets are of another kind.
func (c *Cluster) ListGroups(ctx context.Context) (map[string]ListedGroup, error) {
	var all map[string]ListedGroup
	err := c.Retry(ctx, "list groups", func(ctx context.Context) error {
		all = make(map[string]ListedGroup)
		answer, err := c.ask(ctx, metadataRequest([]string{}))
		if err != nil {
			return err
		}
		for _, b := range answer.(*kmsg.MetadataResponse).Brokers {
			if err := c.listGroupsOf(ctx, b.NodeID, all); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// listGroupsOf adds the groups that a broker coordinates. The brokers are asked one by one: the client, asked for all, would ask a broker
// again by itself and not tell why.
func (c *Cluster) listGroupsOf(ctx context.Context, node int32, all map[string]ListedGroup) error {
	answer, err := c.askBroker(ctx, node, kmsg.NewPtrListGroupsRequest())
	if err != nil {
		return err
	}
	resp := answer.(*kmsg.ListGroupsResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return err
	}
	for _, g := range resp.Groups {
		if !slices.Contains(unlistedTypes, g.GroupType) {
			all[g.Group] = ListedGroup{State: g.GroupState, ProtocolType: g.ProtocolType}
		}
	}
	return nil
}

// Busy are those of groups that have members, with their states. A group that does not exist has none, and neither has one whose
// consumers were assigned their partitions by hand.
func (c *Cluster) Busy(ctx context.Context, groups []string) (map[string]string, error) {
	listed, err := c.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	busy := make(map[string]string)
	for _, id := range groups {
		g, there := listed[id]
		if there && g.State == "" {
			if g.State, err = c.groupState(ctx, id); err != nil {
				return nil, err
			}
		}
		if there && g.State != "Empty" && g.State != "Dead" {
			busy[id] = g.State
		}
	}
	return busy, nil
}

// groupState asks a broker before Kafka 2.6, whose list has no states.
func (c *Cluster) groupState(ctx context.Context, id string) (state string, err error) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{id}
	err = c.Retry(ctx, "describe group "+id, func(ctx context.Context) error {
		answer, err := c.ask(ctx, req)
		if err != nil {
			return err
		}
		for _, g := range answer.(*kmsg.DescribeGroupsResponse).Groups {
			if state = g.State; g.ErrorCode != 0 {
				return kerr.ErrorForCode(g.ErrorCode)
			}
		}
		return nil
	})
	return state, err
}

// EachGroup calls do with the numbers below n, for some at the same time, as long as ctx lasts. It returns when all have, with why ctx ended.
func EachGroup(ctx context.Context, n int, do func(i int)) error {
	var asking errgroup.Group
	asking.SetLimit(groupsAtOnce)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		asking.Go(func() error { do(i); return nil })
	}
	asking.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Committed asks the coordinator of a group for its committed offsets in tps, and again about partitions whose answer is an error that may
// pass. A group that does not exist has none. With an error it returns those that it knows.
func (c *Cluster) Committed(ctx context.Context, id string, tps []format.TopicPartition) (map[format.TopicPartition]Committed, error) {
	found := make(map[format.TopicPartition]Committed)
	open := tps
	err := c.Retry(ctx, "fetch the offsets of group "+id, func(ctx context.Context) error {
		if len(open) == 0 {
			return nil
		}
		answer, err := c.ask(ctx, offsetFetchRequest(id, open))
		if err != nil {
			return err
		}
		errs, err := readCommitted(answer.(*kmsg.OffsetFetchResponse), open, found)
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(slices.Clone(open), func(tp format.TopicPartition) bool { return errs[tp] == nil })
		return worst(open, errs)
	})
	return found, err
}

func offsetFetchRequest(id string, tps []format.TopicPartition) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = id
	topics, partitions := byTopic(tps)
	for _, topic := range topics {
		t := kmsg.NewOffsetFetchRequestTopic()
		t.Topic, t.Partitions = topic, partitions[topic]
		req.Topics = append(req.Topics, t)
	}
	return req
}

// readCommitted takes down what is committed, and says of every partition whether it is known.
func readCommitted(resp *kmsg.OffsetFetchResponse, tps []format.TopicPartition, found map[format.TopicPartition]Committed) (map[format.TopicPartition]error, error) {
	err := kerr.ErrorForCode(resp.ErrorCode)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil // it has no offsets
	}
	if err != nil {
		return nil, err
	}
	errs := make(map[format.TopicPartition]error, len(tps))
	for _, tp := range tps {
		errs[tp] = kerr.UnknownTopicOrPartition // it did not answer for it
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			tp := format.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			errs[tp] = kerr.ErrorForCode(p.ErrorCode)
			if p.ErrorCode != 0 || p.Offset < 0 {
				continue
			}
			o := Committed{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch}
			if p.Metadata != nil {
				o.Metadata = *p.Metadata
			}
			found[tp] = o
		}
	}
	return errs, nil
}

// Commit commits offsets for a group that has no members, in place of those that it had there. The coordinator refuses it for one that has.
// M tells of the topics and may be nil; after an answer that may pass it asks for them again.
func (c *Cluster) Commit(ctx context.Context, m *Metadata, id string, offsets map[format.TopicPartition]Committed) error {
	open := slices.SortedFunc(maps.Keys(offsets), format.TopicPartition.Compare)
	return c.Retry(ctx, "commit offsets of group "+id, func(ctx context.Context) (err error) {
		if m == nil {
			if m, err = c.describe(ctx, topicsOf(open)); err != nil {
				return err
			}
		}
		req := offsetCommitRequest(id, open, offsets, m)
		answer, err := c.ask(ctx, req)
		if err != nil {
			return err
		}
		errs := readCommits(answer.(*kmsg.OffsetCommitResponse), open, m)
		open, m = slices.DeleteFunc(open, func(tp format.TopicPartition) bool { return errs[tp] == nil }), nil
		return worst(open, errs)
	})
}

// GroupMember is who commits for a group that has members.
type GroupMember struct {
	Group, Member string
	Generation    int32
	InstanceID    string // empty: it is no static one
}

// CommitAs commits offsets as a member of a group, and says of each that was not committed why. It asks once: in a rebalance the answer is that the
// member is to come again later.
func (c *Cluster) CommitAs(ctx context.Context, as GroupMember, offsets map[format.TopicPartition]Committed) (map[format.TopicPartition]error, error) {
	tps := slices.SortedFunc(maps.Keys(offsets), format.TopicPartition.Compare)
	m, err := c.describe(ctx, topicsOf(tps))
	if err != nil {
		return nil, err
	}
	req := offsetCommitRequest(as.Group, tps, offsets, m)
	req.MemberID, req.Generation = as.Member, as.Generation
	if as.InstanceID != "" {
		req.InstanceID = &as.InstanceID
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return nil, err
	}
	errs := readCommits(answer.(*kmsg.OffsetCommitResponse), tps, m)
	maps.DeleteFunc(errs, func(_ format.TopicPartition, err error) bool { return err == nil })
	return errs, nil
}

// offsetCommitRequest names topics by name and by id: which of them counts is a matter of its version.
func offsetCommitRequest(id string, tps []format.TopicPartition, offsets map[format.TopicPartition]Committed, m *Metadata) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = id
	topics, partitions := byTopic(tps)
	for _, topic := range topics {
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic, t.TopicID = topic, m.Topics[topic].ID
		for _, n := range partitions[topic] {
			o := offsets[format.TopicPartition{Topic: topic, Partition: n}]
			p := kmsg.NewOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = n, o.Offset, o.LeaderEpoch, kmsg.StringPtr(o.Metadata)
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	return req
}

func readCommits(resp *kmsg.OffsetCommitResponse, tps []format.TopicPartition, m *Metadata) map[format.TopicPartition]error {
	errs := make(map[format.TopicPartition]error, len(tps))
	names := make(map[[16]byte]string)
	for _, tp := range tps {
		errs[tp] = kerr.UnknownTopicOrPartition // it did not answer for it
		names[m.Topics[tp.Topic].ID] = tp.Topic
	}
	for _, t := range resp.Topics {
		name := t.Topic
		if name == "" {
			name = names[t.TopicID]
		}
		for _, p := range t.Partitions {
			errs[format.TopicPartition{Topic: name, Partition: p.Partition}] = kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return errs
}
