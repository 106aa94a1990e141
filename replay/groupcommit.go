package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// setGroups comes when every record is acknowledged, and says so in the report.
func (j *job) setGroups(ctx context.Context, p *player, report *Report) (err error) {
	if j.moves == nil {
		return nil
	}
	defer func() {
		if err != nil {
			report.GroupFailure = err.Error()
		}
	}()
	if report.Groups, err = j.groupPositions(ctx, report.Plan, p.marks()); err != nil {
		return fmt.Errorf("%w: %w", ErrGroups, err)
	}
	if j.Groups.OnlyReport {
		return nil
	}
	return commitGroups(ctx, j.target.Cluster, report.Groups, j.moves.groups)
}

// marks are where the records of each partition went.
func (p *player) marks() map[format.TopicPartition][]checkpoint.Mark {
	all := make(map[format.TopicPartition][]checkpoint.Mark)
	for _, part := range p.parts {
		all[part.ledger.source] = part.ledger.snapshot(true).Marks
	}
	return all
}

// commitGroups sets the positions of groups that have no members, reads them back, and notes those that are there.
func commitGroups(ctx context.Context, target *kafka.Cluster, positions []GroupPosition, groups []origin.Group) error {
	names, _ := groupRuns(positions)
	busy, err := target.Busy(ctx, names)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGroups, err)
	}
	topics, err := target.Describe(ctx, topicsOf(positions))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGroups, err)
	}
	err = eachGroup(ctx, positions, func(id string, own []GroupPosition) error {
		if state := busy[id]; state != "" {
			return fmt.Errorf("group %s has got members: it is %s", id, state)
		}
		return commitGroup(ctx, target, topics, id, own, metadataOf(groups, id))
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGroups, err)
	}
	return nil
}

// topicsOf are the topics of the target in which groups belong.
func topicsOf(positions []GroupPosition) []string {
	topics := make(map[string]bool)
	for i := range positions {
		topics[positions[i].Topic] = true
	}
	return slices.Sorted(maps.Keys(topics))
}

// eachGroup calls do with the positions of each group, for some at the same time, and joins what goes wrong.
func eachGroup(ctx context.Context, positions []GroupPosition, do func(id string, own []GroupPosition) error) error {
	names, first := groupRuns(positions)
	errs := make([]error, len(names))
	err := kafka.EachGroup(ctx, len(names), func(i int) { errs[i] = do(names[i], positions[first[i]:first[i+1]]) })
	return cmp.Or(err, errors.Join(errs...))
}

// groupRuns are the groups of positions, and where the positions of each begin.
func groupRuns(positions []GroupPosition) (names []string, first []int) {
	for i := range positions {
		if i == 0 || positions[i-1].Group != positions[i].Group {
			names, first = append(names, positions[i].Group), append(first, i)
		}
	}
	return names, append(first, len(positions))
}

// metadataOf is what a group had noted with its offsets.
func metadataOf(groups []origin.Group, id string) map[GroupSource]string {
	all := make(map[GroupSource]string)
	for i := range groups {
		if groups[i].ID != id {
			continue
		}
		for o := range groups[i].All {
			all[GroupSource{o.Topic, o.Partition, o.Offset}] = o.Metadata
		}
	}
	return all
}

// target is where a position is.
func (p *GroupPosition) target() format.TopicPartition {
	return format.TopicPartition{Topic: p.Topic, Partition: p.Partition}
}

func partitionsOf(own []GroupPosition) []format.TopicPartition {
	tps := make([]format.TopicPartition, len(own))
	for i := range own {
		tps[i] = own[i].target()
	}
	return tps
}

func commitGroup(ctx context.Context, target *kafka.Cluster, topics *kafka.Metadata, id string, own []GroupPosition, metadata map[GroupSource]string) error {
	offsets := make(map[format.TopicPartition]kafka.Committed, len(own))
	for i := range own {
		set := kafka.Committed{Offset: own[i].Offset, LeaderEpoch: format.NoLeaderEpoch}
		if len(own[i].From) == 1 {
			set.Metadata = metadata[own[i].From[0]]
		}
		offsets[own[i].target()] = set
	}
	if err := target.Commit(ctx, topics, id, offsets); err != nil {
		return err
	}
	there, err := target.Committed(ctx, id, partitionsOf(own))
	if err != nil {
		return err
	}
	for i := range own {
		found, ok := there[own[i].target()]
		if own[i].Set = ok && found.Offset == own[i].Offset; !own[i].Set {
			return fmt.Errorf("group %s: the target took offset %d of %s and has %d", id, own[i].Offset, own[i].target(), found.Offset)
		}
	}
	return nil
}
