package format

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/ondisk"
)

// Groups is what an archive keeps of consumer groups: how far they were in its partitions at one moment. It is shared by all copies of an
// Identity and must not be changed.
type Groups struct {
	TakenAt string         `json:"taken_at"`         // RFC 3339, UTC
	Ends    []TopicEnds    `json:"ends"`             // of the partitions, then; sorted by topic
	Groups  []Group        `json:"groups"`           // those with a committed offset in Ends, sorted by id
	Unread  []UnreadGroups `json:"unread,omitempty"` // asked for and not told, sorted by id
}

// TopicEnds are the high watermarks of partitions of a topic.
type TopicEnds struct {
	Topic      string  `json:"topic"`
	Partitions []int32 `json:"partitions"` // rising
	Ends       []int64 `json:"ends"`       // one a partition
}

// Group is a consumer group.
type Group struct {
	ID           string         `json:"id"`
	State        string         `json:"state"`         // as the cluster calls it; empty: it did not tell
	ProtocolType string         `json:"protocol_type"` // "consumer" of consumers; empty: none
	Topics       []GroupOffsets `json:"topics"`        // sorted by topic
}

// GroupOffsets are the committed offsets of a group in a topic, in columns, because there may be a million.
type GroupOffsets struct {
	Topic        string   `json:"topic"`
	Partitions   []int32  `json:"partitions"`         // rising; those without a committed offset are not there
	Offsets      []int64  `json:"offsets"`            // of the next record to read, one a partition
	LeaderEpochs []int32  `json:"leader_epochs"`      // one a partition; NoLeaderEpoch: not known
	Metadata     []string `json:"metadata,omitempty"` // one a partition; nil: all are empty
}

// UnreadGroups is a group that was asked for and that the cluster did not tell of.
type UnreadGroups struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// GroupOffset is one committed offset.
type GroupOffset struct {
	Partition   TopicPartition
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

// All gives the committed offsets of a group, by topic and partition.
func (g *Group) All(yield func(GroupOffset) bool) {
	for i := range g.Topics {
		t := &g.Topics[i]
		for j, p := range t.Partitions {
			o := GroupOffset{Partition: TopicPartition{t.Topic, p}, Offset: t.Offsets[j], LeaderEpoch: t.LeaderEpochs[j]}
			if t.Metadata != nil {
				o.Metadata = t.Metadata[j]
			}
			if !yield(o) {
				return
			}
		}
	}
}

// Add adds a committed offset behind those that are there, in the order of All.
func (g *Group) Add(o GroupOffset) {
	if n := len(g.Topics); n == 0 || g.Topics[n-1].Topic != o.Partition.Topic {
		g.Topics = append(g.Topics, GroupOffsets{Topic: o.Partition.Topic})
	}
	t := &g.Topics[len(g.Topics)-1]
	if o.Metadata != "" && t.Metadata == nil {
		t.Metadata = make([]string, len(t.Partitions))
	}
	t.Partitions, t.Offsets, t.LeaderEpochs = append(t.Partitions, o.Partition.Partition), append(t.Offsets, o.Offset), append(t.LeaderEpochs, o.LeaderEpoch)
	if t.Metadata != nil {
		t.Metadata = append(t.Metadata, o.Metadata)
	}
}

// AllEnds gives the end of every partition, by topic and partition.
func (g *Groups) AllEnds(yield func(TopicPartition, int64) bool) {
	for _, t := range g.Ends {
		for i, p := range t.Partitions {
			if !yield(TopicPartition{t.Topic, p}, t.Ends[i]) {
				return
			}
		}
	}
}

// AddEnd adds the end of a partition behind those that are there, in the order of AllEnds.
func (g *Groups) AddEnd(tp TopicPartition, end int64) {
	if n := len(g.Ends); n == 0 || g.Ends[n-1].Topic != tp.Topic {
		g.Ends = append(g.Ends, TopicEnds{Topic: tp.Topic})
	}
	t := &g.Ends[len(g.Ends)-1]
	t.Partitions, t.Ends = append(t.Partitions, tp.Partition), append(t.Ends, end)
}

// Select is what is left of g in the partitions that takes accepts, nil when it accepts none. Groups without an offset there are left
// out. Rename, when it is not nil, gives topics their new names.
func (g *Groups) Select(takes func(TopicPartition) bool, rename func(string) (string, error)) (*Groups, error) {
	if rename == nil {
		rename = func(topic string) (string, error) { return topic, nil }
	}
	out := &Groups{TakenAt: g.TakenAt, Ends: []TopicEnds{}, Groups: []Group{}, Unread: g.Unread}
	for tp, end := range g.AllEnds {
		if takes != nil && !takes(tp) {
			continue
		}
		topic, err := rename(tp.Topic)
		if err != nil {
			return nil, err
		}
		out.AddEnd(TopicPartition{topic, tp.Partition}, end)
	}
	if len(out.Ends) == 0 {
		return nil, nil
	}
	for i := range g.Groups {
		left, err := g.Groups[i].selected(takes, rename)
		if err != nil {
			return nil, err
		}
		if len(left.Topics) > 0 {
			out.Groups = append(out.Groups, left)
		}
	}
	out.sort()
	return out, nil
}

func (g *Group) selected(takes func(TopicPartition) bool, rename func(string) (string, error)) (Group, error) {
	left := Group{ID: g.ID, State: g.State, ProtocolType: g.ProtocolType}
	for o := range g.All {
		if takes != nil && !takes(o.Partition) {
			continue
		}
		topic, err := rename(o.Partition.Topic)
		if err != nil {
			return left, err
		}
		o.Partition.Topic = topic
		left.Add(o)
	}
	return left, nil
}

// sort brings topics into order again, which new names may have changed.
func (g *Groups) sort() {
	slices.SortFunc(g.Ends, func(a, b TopicEnds) int { return strings.Compare(a.Topic, b.Topic) })
	for i := range g.Groups {
		slices.SortFunc(g.Groups[i].Topics, func(a, b GroupOffsets) int { return strings.Compare(a.Topic, b.Topic) })
	}
}

// withLists is g with empty lists in the place of those that are nil.
func (g *Groups) withLists() *Groups {
	out := *g
	if out.Ends == nil {
		out.Ends = []TopicEnds{}
	}
	if out.Groups == nil {
		out.Groups = []Group{}
	}
	return &out
}

// check refuses what cannot be. A nil Groups is right.
func (g *Groups) check() error {
	if g == nil {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, g.TakenAt); err != nil {
		return fmt.Errorf("groups were taken at %.40q, which is no time", g.TakenAt)
	}
	ends := make(map[TopicPartition]bool)
	for i, t := range g.Ends {
		if i > 0 && g.Ends[i-1].Topic >= t.Topic {
			return fmt.Errorf("the ends of topic %s are there twice or out of order", t.Topic)
		}
		if err := checkColumns(t.Topic, t.Partitions, t.Ends, len(t.Ends)); err != nil {
			return fmt.Errorf("ends: %w", err)
		}
		for _, p := range t.Partitions {
			ends[TopicPartition{t.Topic, p}] = true
		}
	}
	for i := range g.Groups {
		if i > 0 && g.Groups[i-1].ID >= g.Groups[i].ID {
			return fmt.Errorf("group %.200q is there twice or out of order", g.Groups[i].ID)
		}
		if err := g.Groups[i].check(ends); err != nil {
			return fmt.Errorf("group %.200q: %w", g.Groups[i].ID, err)
		}
	}
	for i, u := range g.Unread {
		if i > 0 && g.Unread[i-1].ID >= u.ID {
			return fmt.Errorf("unread group %.200q is there twice or out of order", u.ID)
		}
	}
	return nil
}

func (g *Group) check(ends map[TopicPartition]bool) error {
	if len(g.Topics) == 0 {
		return fmt.Errorf("it has no offset")
	}
	for i := range g.Topics {
		t := &g.Topics[i]
		if i > 0 && g.Topics[i-1].Topic >= t.Topic {
			return fmt.Errorf("topic %s is there twice or out of order", t.Topic)
		}
		if err := checkColumns(t.Topic, t.Partitions, t.Offsets, len(t.LeaderEpochs)); err != nil {
			return err
		}
		if t.Metadata != nil && len(t.Metadata) != len(t.Partitions) {
			return fmt.Errorf("topic %s has %d partitions and the metadata of %d", t.Topic, len(t.Partitions), len(t.Metadata))
		}
		for j, p := range t.Partitions {
			if !ends[TopicPartition{t.Topic, p}] {
				return fmt.Errorf("%s-%d has an offset and no end", t.Topic, p)
			}
			if t.LeaderEpochs[j] < NoLeaderEpoch {
				return fmt.Errorf("%s-%d has the leader epoch %d", t.Topic, p, t.LeaderEpochs[j])
			}
		}
	}
	return nil
}

// checkColumns checks what all columns by partition have to be.
func checkColumns(topic string, partitions []int32, offsets []int64, third int) error {
	if err := ondisk.CheckTopic(topic); err != nil {
		return err
	}
	if n := len(partitions); n == 0 || n != len(offsets) || n != third {
		return fmt.Errorf("topic %s has columns of %d, %d and %d values", topic, n, len(offsets), third)
	}
	last := int32(-1)
	for i, p := range partitions {
		if p <= last || offsets[i] < 0 {
			return fmt.Errorf("topic %s has partition %d at offset %d after partition %d", topic, p, offsets[i], last)
		}
		last = p
	}
	return nil
}
