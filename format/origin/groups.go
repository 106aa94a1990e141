package origin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/ondisk"
)

// Groups is what an archive keeps of consumer groups: how far they were in its partitions at one moment. An archive
// shares it with all copies of its identity: it must not be changed there.
type Groups struct {
	TakenAt string        `json:"taken_at"`         // RFC 3339, UTC
	Ends    []TopicEnds   `json:"ends"`             // of the partitions, then; sorted by topic
	Groups  []Group       `json:"groups"`           // those with a committed offset in Ends, sorted by id
	Unread  []UnreadGroup `json:"unread,omitempty"` // asked for and not told, sorted by id
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
	LeaderEpochs []int32  `json:"leader_epochs"`      // one a partition; -1: not known
	Metadata     []string `json:"metadata,omitempty"` // one a partition; nil: all are empty
}

// UnreadGroup is a group that was asked for and that the cluster did not tell of.
type UnreadGroup struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// GroupOffset is one committed offset.
type GroupOffset struct {
	Topic       string
	Partition   int32
	Offset      int64
	LeaderEpoch int32 // -1: not known
	Metadata    string
}

// End is the high watermark of one partition.
type End struct {
	Topic     string
	Partition int32
	Offset    int64
}

// partition is a key of maps.
type partition struct {
	topic  string
	number int32
}

func (o *GroupOffset) partition() partition { return partition{o.Topic, o.Partition} }

func (p partition) compare(other partition) int {
	return cmp.Or(strings.Compare(p.topic, other.topic), cmp.Compare(p.number, other.number))
}

// All gives the committed offsets of a group, by topic and partition.
func (g *Group) All(yield func(GroupOffset) bool) {
	for i := range g.Topics {
		t := &g.Topics[i]
		for j, p := range t.Partitions {
			o := GroupOffset{Topic: t.Topic, Partition: p, Offset: t.Offsets[j], LeaderEpoch: t.LeaderEpochs[j]}
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
	if n := len(g.Topics); n == 0 || g.Topics[n-1].Topic != o.Topic {
		g.Topics = append(g.Topics, GroupOffsets{Topic: o.Topic})
	}
	t := &g.Topics[len(g.Topics)-1]
	if o.Metadata != "" && t.Metadata == nil {
		t.Metadata = make([]string, len(t.Partitions))
	}
	t.Partitions, t.Offsets, t.LeaderEpochs = append(t.Partitions, o.Partition), append(t.Offsets, o.Offset), append(t.LeaderEpochs, o.LeaderEpoch)
	if t.Metadata != nil {
		t.Metadata = append(t.Metadata, o.Metadata)
	}
}

// AllEnds gives the end of every partition, by topic and partition.
func (g *Groups) AllEnds(yield func(End) bool) {
	for _, t := range g.Ends {
		for i, p := range t.Partitions {
			if !yield(End{t.Topic, p, t.Ends[i]}) {
				return
			}
		}
	}
}

// AddEnd adds the end of a partition behind those that are there, in the order of AllEnds.
func (g *Groups) AddEnd(e End) {
	if n := len(g.Ends); n == 0 || g.Ends[n-1].Topic != e.Topic {
		g.Ends = append(g.Ends, TopicEnds{Topic: e.Topic})
	}
	t := &g.Ends[len(g.Ends)-1]
	t.Partitions, t.Ends = append(t.Partitions, e.Partition), append(t.Ends, e.Offset)
}

// Select is what is left of g in the partitions that takes accepts, nil when it accepts none. Groups without an offset there are left
// out. Rename, when it is not nil, gives topics their new names.
func (g *Groups) Select(takes func(topic string, partition int32) bool, rename func(string) (string, error)) (*Groups, error) {
	if rename == nil {
		rename = func(topic string) (string, error) { return topic, nil }
	}
	out := &Groups{TakenAt: g.TakenAt, Ends: []TopicEnds{}, Groups: []Group{}, Unread: g.Unread}
	for e := range g.AllEnds {
		if takes != nil && !takes(e.Topic, e.Partition) {
			continue
		}
		topic, err := rename(e.Topic)
		if err != nil {
			return nil, err
		}
		e.Topic = topic
		out.AddEnd(e)
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

func (g *Group) selected(takes func(topic string, partition int32) bool, rename func(string) (string, error)) (Group, error) {
	left := Group{ID: g.ID, State: g.State, ProtocolType: g.ProtocolType}
	for o := range g.All {
		if takes != nil && !takes(o.Topic, o.Partition) {
			continue
		}
		topic, err := rename(o.Topic)
		if err != nil {
			return left, err
		}
		o.Topic = topic
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

// Check refuses what cannot be. A nil Groups is right.
func (g *Groups) Check() error {
	if g == nil {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, g.TakenAt); err != nil {
		return fmt.Errorf("groups were taken at %.40q, which is no time", g.TakenAt)
	}
	ends := make(map[partition]bool)
	for i, t := range g.Ends {
		if i > 0 && g.Ends[i-1].Topic >= t.Topic {
			return fmt.Errorf("the ends of topic %s are there twice or out of order", t.Topic)
		}
		if err := checkColumns(t.Topic, t.Partitions, t.Ends, len(t.Ends)); err != nil {
			return fmt.Errorf("ends: %w", err)
		}
		for _, p := range t.Partitions {
			ends[partition{t.Topic, p}] = true
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

func (g *Group) check(ends map[partition]bool) error {
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
			if !ends[partition{t.Topic, p}] {
				return fmt.Errorf("%s-%d has an offset and no end", t.Topic, p)
			}
			if t.LeaderEpochs[j] < -1 {
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
