package replay

import (
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/options"
)

// checkShard refuses what shards could not do alike without talking to each other.
func (o *Options) checkShard() error {
	switch {
	case o.Shard.Check() != nil:
		return options.New("", "shard %d of %d is none: the first is 0, the last %d", o.Shard.Index, o.Shard.Count, max(o.Shard.Count, 1)-1)
	case !o.Shard.Divides():
		return nil
	case o.Schedule.Loop != 0:
		return options.New("the rounds of shards do not take the same time", "{Shard} and {Loop} exclude each other")
	case o.Schedule.MaxGap != 0:
		return options.New("where one shard is silent another one is not", "{Shard} and {MaxGap} exclude each other")
	case o.Timestamps == ShiftTimestamps && o.Pacing.StartAt.IsZero():
		return options.New("the shards must shift by the same time", "{Shard} with shifted timestamps needs {StartAt}")
	}
	return nil
}

// owners tells which shard sends to each partition of the target; allShards where several do. It is nil for what is no shard.
type owners map[format.TopicPartition]int

const allShards = -1

// noteOwners looks at all partitions that all shards have together, and at those in which only a group was.
func (p *Plan) noteOwners(j *job) {
	if !j.Shard.Divides() {
		return
	}
	p.owners = make(owners)
	for _, tp := range j.selected.all {
		p.noteOwner(j, tp)
	}
	if kept := j.archive.Identity().Groups; kept != nil {
		for i := range kept.Groups {
			for at := range kept.Groups[i].All {
				p.noteOwner(j, partitionOf(at))
			}
		}
	}
}

func (p *Plan) noteOwner(j *job, tp format.TopicPartition) {
	to, fixed := j.Partitioner.Fixed(tp.Partition)
	if !fixed || !j.selected.takes(tp) {
		return
	}
	target, owner := format.TopicPartition{Topic: p.topic(tp.Topic).Target, Partition: to}, j.Shard.Owner(tp)
	if other, there := p.owners[target]; there && other != owner {
		owner = allShards
	}
	p.owners[target] = owner
}

// alone says that no other shard sends to where the records of a partition go.
func (p *Plan) alone(target string, to int32) bool {
	if p.owners == nil {
		return true
	}
	owner, there := p.owners[format.TopicPartition{Topic: target, Partition: to}]
	return there && owner == p.Shard.Index
}
