package replay

import (
	"context"
	"errors"
	"fmt"

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
	var failed []error
	names, first := groupRuns(positions)
	busy, err := target.Busy(ctx, names)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGroups, err)
	}
	for i, id := range names {
		if state := busy[id]; state != "" {
			failed = append(failed, fmt.Errorf("group %s has got members: it is %s", id, state))
			continue
		}
		own := positions[first[i]:first[i+1]]
		if err := commitGroup(ctx, target, id, own, metadataOf(groups, id)); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrGroups, errors.Join(failed...))
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

func commitGroup(ctx context.Context, target *kafka.Cluster, id string, own []GroupPosition, metadata map[GroupSource]string) error {
	offsets := make(map[format.TopicPartition]kafka.Committed, len(own))
	var tps []format.TopicPartition
	for i := range own {
		tp := format.TopicPartition{Topic: own[i].Topic, Partition: own[i].Partition}
		set := kafka.Committed{Offset: own[i].Offset, LeaderEpoch: format.NoLeaderEpoch}
		if len(own[i].From) == 1 {
			set.Metadata = metadata[own[i].From[0]]
		}
		offsets[tp] = set
		tps = append(tps, tp)
	}
	if err := target.Commit(ctx, id, offsets); err != nil {
		return err
	}
	there, err := target.Committed(ctx, []string{id}, tps)
	if err != nil || there[id].Err != nil {
		return errors.Join(err, there[id].Err)
	}
	for i, tp := range tps {
		found, ok := there[id].Offsets[tp]
		if own[i].Set = ok && found.Offset == own[i].Offset; !own[i].Set {
			return fmt.Errorf("group %s: the target took offset %d of %s and has %d", id, own[i].Offset, tp, found.Offset)
		}
	}
	return nil
}
