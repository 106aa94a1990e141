package replay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/options"
)

var errShard = errors.New("not a shard: use I/N, from 0/N to N-1/N")

// maxShards bounds Shard.Count: no cluster has more partitions.
const maxShards = 1 << 20

// Shard is one of several replays that play an archive between them, each in a process of its own, and need not know of each other. The partitions of
// a topic go to the shards in turn. Which shard the turn begins with depends on the topic's name alone, so that shards also agree when the
// archive grows between their starts. The zero value is all partitions. It is immutable.
type Shard struct {
	Index int // from 0
	Count int // of all; 0 and 1: there is one
}

// ParseShard reads I/N, such as 0/8 for the first of eight.
func ParseShard(s string) (Shard, error) {
	index, count, found := strings.Cut(s, "/")
	i, err := strconv.ParseUint(index, 10, 31)
	n, err2 := strconv.ParseUint(count, 10, 31)
	out := Shard{int(i), int(n)}
	if !found || err != nil || err2 != nil || n == 0 || out.check() != nil {
		return Shard{}, fmt.Errorf("%q: %w", s, errShard)
	}
	return out, nil
}

// String spells the shard as ParseShard reads it. It is empty for the zero value.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// MarshalText is String, so that reports spell a shard as the options do.
func (s Shard) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Takes says whether a partition is one of the shard's. Every partition is of exactly one of 0/N to N-1/N.
func (s Shard) Takes(tp format.TopicPartition) bool { return s.Count == 0 || s.owner(tp) == s.Index }

// owner is the index of the shard that has a partition.
func (s Shard) owner(tp format.TopicPartition) int {
	if !s.divides() {
		return 0
	}
	n := uint64(s.Count)
	return int((xxh3.HashString(tp.Topic)%n + uint64(tp.Partition)) % n)
}

// divides says that there is more than one.
func (s Shard) divides() bool { return s.Count > 1 }

func (s Shard) check() error {
	if s.Index < 0 || s.Count < 0 || s.Count > maxShards || s.Index >= max(s.Count, 1) {
		return errShard
	}
	return nil
}

// suffix tells the replay ids of shards apart.
func (s Shard) suffix() string {
	if !s.divides() {
		return ""
	}
	return fmt.Sprintf("-%dof%d", s.Index, s.Count)
}

// checkShard refuses what shards could not do alike without talking to each other.
func (o *Options) checkShard() error {
	switch {
	case o.Shard.check() != nil:
		return options.New("", "shard %d of %d is none: the first is 0, the last %d", o.Shard.Index, o.Shard.Count, max(o.Shard.Count, 1)-1)
	case !o.Shard.divides():
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
	if !j.Shard.divides() {
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
	to, fixed := j.Partitioner.fixed(tp.Partition)
	if !fixed || !j.selected.takes(tp) {
		return
	}
	target, owner := format.TopicPartition{Topic: p.topic(tp.Topic).Target, Partition: to}, j.Shard.owner(tp)
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
