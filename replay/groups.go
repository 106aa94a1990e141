package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/selection"
)

// Groups says which consumer groups go on in the target where they were. The zero value: none.
type Groups struct {
	// Select are names and globs of groups that the archive keeps. Each must take one. When every record is acknowledged, the target gets their
	// offsets, each that of the next record that was sent, or behind the last one; and they are read back.
	Select []string
	// OnlyReport finds out where the groups belong, and sets nothing.
	OnlyReport bool
}

// GroupPosition is where a group belongs in a partition of the target.
type GroupPosition struct {
	Group     string        `json:"group"`
	From      []GroupSource `json:"from"` // the partitions of the archive whose records may be there, and where the group was in them
	Topic     string        `json:"topic"`
	Partition int32         `json:"partition"`
	Before    *int64        `json:"before,omitempty"` // what the group had committed there; nil: nothing
	Offset    int64         `json:"offset"`           // -1: only the replay will tell
	// Exact says that the group reads nothing twice. It misses nothing of what the replay sends in any case. When records of several partitions went to one, those
	// that it had read may lie between those that it had not.
	Exact bool `json:"exact"`
	// Lacking says, of RestoreGroups, that the archive may lack records that the group would have read next. It goes on earlier, so that it
	// misses none of them.
	Lacking bool `json:"lacking,omitempty"`
	Set     bool `json:"set"` // the target was told, and says so
}

// GroupSource is where a group was in a partition of the archive.
type GroupSource struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // -1: nowhere yet, though in other partitions of the topic
}

// Errors about groups.
var (
	// ErrNoGroup is wrapped when the archive does not keep a group that is asked for, or none at all.
	ErrNoGroup = errors.New("the archive does not keep it")
	// ErrGroups is wrapped when records were sent and groups are not where they belong. The Report says which are.
	ErrGroups = errors.New("not all groups are where they belong")
)

// maxGroupMarks bounds what is kept of where records went, which takes some 40 bytes a mark.
const maxGroupMarks = 4 << 20

// maxSavedMarks bounds those of one partition that a checkpoint keeps, in a record of a topic perhaps.
const maxSavedMarks = 8000

// checkGroups refuses what groups do not go together with.
func (o *Options) checkGroups() error {
	switch {
	case len(o.Groups.Select) == 0 && o.Groups.OnlyReport:
		return options.New("give {Groups}, too", "there are no groups to report")
	case len(o.Groups.Select) == 0:
		return nil
	case o.Schedule.Loop != 0:
		return options.New("a group cannot be in every round at once", "{Groups} and {Loop} exclude each other")
	case o.Acks == AcksNone:
		return options.New("without an answer nobody knows where a record is", "{Groups} needs {Acks} all or 1")
	}
	return selection.CheckGroupGlobs(o.Groups.Select)
}

// groupMoves are the groups of a replay.
type groupMoves struct {
	groups []origin.Group // with those of their offsets that are in selected partitions
	bounds map[format.TopicPartition]bounds
	id     string // of what the marks of a checkpoint are worth
}

// newGroupMoves selects groups; nil when none are asked for.
func newGroupMoves(archive *format.Archive, o *Options, selected chosen) (*groupMoves, error) {
	if len(o.Groups.Select) == 0 {
		return nil, nil
	}
	groups, err := keptGroups(archive, o.Groups.Select, func(tp format.TopicPartition) bool {
		return selected.takes(tp) && o.Shard.Takes(tp)
	})
	if err != nil {
		return nil, err
	}
	m := &groupMoves{groups: groups, bounds: make(map[format.TopicPartition]bounds)}
	for i := range groups {
		for at := range groups[i].All {
			tp := partitionOf(at)
			m.bounds[tp] = append(m.bounds[tp], at.Offset)
		}
	}
	for _, tp := range selected.partitions {
		if m.bounds[tp] == nil {
			m.bounds[tp] = bounds{}
		}
	}
	all := sha256.New()
	for _, tp := range slices.SortedFunc(maps.Keys(m.bounds), format.TopicPartition.Compare) {
		m.bounds[tp] = m.bounds[tp].sorted()
		fmt.Fprintln(all, tp, m.bounds[tp])
	}
	m.id = hex.EncodeToString(all.Sum(nil)[:8])
	return m, nil
}

// keptGroups are the groups of an archive that patterns take, in the partitions that takes accepts.
func keptGroups(archive *format.Archive, patterns []string, takes func(format.TopicPartition) bool) ([]origin.Group, error) {
	kept := archive.Identity().Groups
	if kept == nil || len(kept.Groups) == 0 {
		return nil, fmt.Errorf("any group: %w", ErrNoGroup)
	}
	taken := func(p string) bool {
		return slices.ContainsFunc(kept.Groups, func(g origin.Group) bool { return selection.MatchesGroup(p, g.ID) })
	}
	for _, p := range patterns {
		if !taken(p) {
			return nil, fmt.Errorf("group %s: %w", p, ErrNoGroup)
		}
	}
	here, err := kept.Select(func(topic string, partition int32) bool {
		return takes(format.TopicPartition{Topic: topic, Partition: partition})
	}, nil)
	if err != nil || here == nil {
		return nil, err
	}
	return slices.DeleteFunc(here.Groups, func(g origin.Group) bool {
		return !selection.MatchesAnyGroup(patterns, g.ID)
	}), nil
}

// partitionOf is the partition of the archive in which a group had committed.
func partitionOf(at origin.GroupOffset) format.TopicPartition {
	return format.TopicPartition{Topic: at.Topic, Partition: at.Partition}
}

// of are the bounds in a partition. The receiver may be nil.
func (m *groupMoves) of(tp format.TopicPartition) bounds {
	if m == nil {
		return nil
	}
	return m.bounds[tp]
}

// name is what a checkpoint is bound to. The receiver may be nil.
func (m *groupMoves) name() string {
	if m == nil {
		return ""
	}
	return m.id
}

func namesOf(groups []origin.Group) []string {
	names := make([]string, len(groups))
	for i := range groups {
		names[i] = groups[i].ID
	}
	return names
}

// fit looks whether the groups can be set: before anything is sent. The findings that refuse do so also with Force.
func (m *groupMoves) fit(ctx context.Context, j *job, plan *Plan) ([]Finding, error) {
	if m == nil {
		return nil, nil
	}
	if err := m.checkSize(j, plan); err != nil {
		return nil, err
	}
	var found []Finding
	for i := range m.groups {
		unsent, err := m.unsent(&m.groups[i], j, plan)
		if err != nil {
			return nil, err
		}
		for _, f := range []*Finding{m.partitionless(&m.groups[i], j, plan), m.shared(&m.groups[i], j, plan), unsent} {
			if f != nil {
				found = append(found, *f)
			}
		}
	}
	if j.Groups.OnlyReport {
		return found, nil
	}
	busy, err := busyGroups(ctx, j.target.Cluster, m.groups)
	return append(found, busy...), err
}

// busyGroups refuses groups that have members in the target.
func busyGroups(ctx context.Context, target *kafka.Cluster, groups []origin.Group) ([]Finding, error) {
	busy, err := target.Busy(ctx, namesOf(groups))
	var found []Finding
	for _, id := range slices.Sorted(maps.Keys(busy)) {
		found = append(found, Finding{
			Code: "group-members", Severity: refuse, Final: true,
			What:        fmt.Sprintf("group %s has members in the target: it is %s", id, busy[id]),
			Consequence: "they go on from where they are, and the target lets nobody else say where that is",
			Fix:         "stop its consumers",
		})
	}
	return found, err
}

// checkSize refuses more marks than there is memory for.
func (m *groupMoves) checkSize(j *job, plan *Plan) error {
	total := 0
	for _, t := range plan.Topics {
		for _, p := range t.Partitions {
			n := len(m.bounds[format.TopicPartition{Topic: t.Topic, Partition: p.Partition}]) + 1
			if p.Target < 0 {
				n *= int(max(t.TargetPartitions, 1))
			}
			if n > maxSavedMarks && j.progress != nil {
				return fmt.Errorf("groups are at %d places in %s-%d, more than the progress of a replay can keep", n, t.Topic, p.Partition)
			}
			total += n
		}
	}
	if total > maxGroupMarks {
		return fmt.Errorf("groups are at %d places, which takes too much memory: replay fewer groups or topics at a time", total)
	}
	return nil
}

// partitionless finds an offset for which the target has no partition.
func (m *groupMoves) partitionless(g *origin.Group, j *job, plan *Plan) *Finding {
	for at := range g.All {
		t := plan.topic(at.Topic)
		to, fixed := j.Partitioner.Fixed(at.Partition)
		if t == nil || t.TargetPartitions > 0 && (!fixed || to < t.TargetPartitions) {
			continue
		}
		return &Finding{
			Code: "group-partition", Severity: refuse, Final: true, Topic: t.Target,
			What:        fmt.Sprintf("group %s was in %s, and topic %s has %d partitions", g.ID, partitionOf(at), t.Target, t.TargetPartitions),
			Consequence: "there is no place for it",
			Fix:         "add partitions, or leave the partition out",
		}
	}
	return nil
}

// shared finds an offset that no shard can know alone, because several of them send to its place.
func (m *groupMoves) shared(g *origin.Group, j *job, plan *Plan) *Finding {
	for at := range g.All {
		t := plan.topic(at.Topic)
		to, fixed := j.Partitioner.Fixed(at.Partition)
		if plan.owners == nil || t == nil || fixed && plan.alone(t.Target, to) {
			continue
		}
		return &Finding{
			Code: "group-shards", Severity: refuse, Final: true, Topic: t.Target,
			What:        fmt.Sprintf("group %s was in %s, and several shards send to where its records go", g.ID, partitionOf(at)),
			Consequence: "no shard knows where the group belongs",
			Fix:         "keep the partitions apart, or move the groups with one replay of all",
		}
	}
	return nil
}

// topic is a topic of the plan, by its name in the archive.
func (p *Plan) topic(name string) *PlannedTopic {
	i, ok := slices.BinarySearchFunc(p.Topics, name, func(t PlannedTopic, name string) int { return strings.Compare(t.Topic, name) })
	if !ok {
		return nil
	}
	return &p.Topics[i]
}
