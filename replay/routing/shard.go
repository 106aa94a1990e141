package routing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
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
	if !found || err != nil || err2 != nil || n == 0 || out.Check() != nil {
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
func (s Shard) Takes(tp format.TopicPartition) bool { return s.Count == 0 || s.Owner(tp) == s.Index }

// Owner is the index of the shard that has a partition.
func (s Shard) Owner(tp format.TopicPartition) int {
	if !s.Divides() {
		return 0
	}
	n := uint64(s.Count)
	return int((xxh3.HashString(tp.Topic)%n + uint64(tp.Partition)) % n)
}

// Divides says that there is more than one.
func (s Shard) Divides() bool { return s.Count > 1 }

// Check refuses an index that no shard of so many has, and more shards than there can be.
func (s Shard) Check() error {
	if s.Index < 0 || s.Count < 0 || s.Count > maxShards || s.Index >= max(s.Count, 1) {
		return errShard
	}
	return nil
}
