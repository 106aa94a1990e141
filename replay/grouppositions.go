package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/replay/routing"
)

// positioner finds where groups belong.
type positioner struct {
	moves  *groupMoves
	plan   *Plan
	router routing.Partitioner
	marks  map[format.TopicPartition][]checkpoint.Mark // nil: nothing was sent yet
	ends   map[format.TopicPartition]int64             // of the target
}

// noMark is the offset of what there is none of.
const noMark int64 = -1

// all are the positions of all groups, by group, topic and partition.
func (p *positioner) all() ([]GroupPosition, error) {
	var out []GroupPosition
	for i := range p.moves.groups {
		of, err := p.group(&p.moves.groups[i])
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// group finds the positions of one group.
func (p *positioner) group(g *origin.Group) ([]GroupPosition, error) {
	into := p.sources(g)
	var out []GroupPosition
	for _, tp := range slices.SortedFunc(maps.Keys(into), format.TopicPartition.Compare) {
		at := GroupPosition{Group: g.ID, From: into[tp], Topic: tp.Topic, Partition: tp.Partition, Offset: -1}
		if p.marks != nil {
			if err := p.place(&at); err != nil {
				return nil, err
			}
		}
		out = append(out, at)
	}
	return out, nil
}

// sources are the partitions of the archive that went into each partition of the target where the group is to be: of the topics that
// it was in, also those in which it had not committed yet, for it is to miss nothing of them.
func (p *positioner) sources(g *origin.Group) map[format.TopicPartition][]GroupSource {
	committed := make(map[format.TopicPartition]int64)
	for at := range g.All {
		committed[partitionOf(at)] = at.Offset
	}
	into := make(map[format.TopicPartition][]GroupSource)
	for tp, at := range committed {
		p.spread(tp, func(to format.TopicPartition) { into[to] = append(into[to], GroupSource{tp.Topic, tp.Partition, at}) })
	}
	for _, t := range g.Topics {
		planned := p.plan.topic(t.Topic)
		for i := range planned.Partitions {
			tp := format.TopicPartition{Topic: t.Topic, Partition: planned.Partitions[i].Partition}
			if _, ok := committed[tp]; ok {
				continue
			}
			p.spread(tp, func(to format.TopicPartition) {
				if into[to] != nil {
					into[to] = append(into[to], GroupSource{tp.Topic, tp.Partition, -1})
				}
			})
		}
	}
	for _, from := range into {
		slices.SortFunc(from, func(a, b GroupSource) int {
			return format.TopicPartition{Topic: a.Topic, Partition: a.Partition}.Compare(format.TopicPartition{Topic: b.Topic, Partition: b.Partition})
		})
	}
	return into
}

// spread calls each with the partitions that records of a partition of the archive may go to.
func (p *positioner) spread(tp format.TopicPartition, each func(format.TopicPartition)) {
	t := p.plan.topic(tp.Topic)
	if to, fixed := p.router.Fixed(tp.Partition); fixed {
		each(format.TopicPartition{Topic: t.Target, Partition: to})
		return
	}
	for to := range t.TargetPartitions {
		each(format.TopicPartition{Topic: t.Target, Partition: to})
	}
}

// place finds the first record that the group has not read, or else the place behind the last that it has.
func (p *positioner) place(at *GroupPosition) error {
	next, last := noMark, noMark
	for _, from := range at.From {
		tp := format.TopicPartition{Topic: from.Topic, Partition: from.Partition}
		for _, m := range p.marks[tp] {
			if m.Target != at.Partition {
				continue
			}
			if m.First < 0 {
				return fmt.Errorf("group %s: the target did not say where it put records of %s", at.Group, tp)
			}
			if m.From < from.Offset {
				last = max(last, m.Last)
			} else if next == noMark || m.First < next {
				next = m.First
			}
		}
	}
	switch {
	case next != noMark:
		at.Offset = next
	case last != noMark:
		at.Offset = last + 1
	default:
		at.Offset = p.ends[format.TopicPartition{Topic: at.Topic, Partition: at.Partition}]
	}
	at.Exact = last < at.Offset
	return nil
}

// groupPositions finds where the groups belong, and what they have committed there so far.
func (j *job) groupPositions(ctx context.Context, plan *Plan, marks map[format.TopicPartition][]checkpoint.Mark) ([]GroupPosition, error) {
	p := &positioner{moves: j.moves, plan: plan, router: j.Partitioner, marks: marks}
	var tps []format.TopicPartition
	for _, t := range plan.Topics {
		for to := range t.TargetPartitions {
			tps = append(tps, format.TopicPartition{Topic: t.Target, Partition: to})
		}
	}
	slices.SortFunc(tps, format.TopicPartition.Compare)
	var err error
	if marks != nil {
		if p.ends, err = j.target.Offsets(ctx, slices.Compact(tps), kafka.HighWatermark); err != nil {
			return nil, err
		}
	}
	all, err := p.all()
	if err != nil {
		return nil, err
	}
	there := func(topic string) bool { return marks != nil || j.target.topics[topic].exists }
	return all, noteBefore(ctx, j.target.Cluster, all, there)
}

// noteBefore says what groups have committed so far in the topics that are there.
func noteBefore(ctx context.Context, target *kafka.Cluster, all []GroupPosition, there func(topic string) bool) error {
	return eachGroup(ctx, all, func(id string, own []GroupPosition) error {
		tps := slices.DeleteFunc(partitionsOf(own), func(tp format.TopicPartition) bool { return !there(tp.Topic) })
		committed, err := target.Committed(ctx, id, tps)
		for i := range own {
			if before, ok := committed[own[i].target()]; ok {
				own[i].Before = &before.Offset
			}
		}
		return err
	})
}
