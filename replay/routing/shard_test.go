package routing_test

import (
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/routing"
)

func TestEveryPartitionIsOfExactlyOneShard(t *testing.T) {
	for _, count := range []int{1, 2, 3, 8, 1000} {
		for p := range int32(50) {
			tp, takers := format.TopicPartition{Topic: "orders", Partition: p}, 0
			for i := range count {
				if (routing.Shard{Index: i, Count: count}).Takes(tp) {
					takers++
				}
			}
			if takers != 1 {
				t.Errorf("%d shards of %d take %s, want 1", takers, count, tp)
			}
		}
	}
}

func TestAShardTakesItsShareOfATopic(t *testing.T) {
	for i := range 8 {
		taken := 0
		for p := range int32(80) {
			if (routing.Shard{Index: i, Count: 8}).Takes(format.TopicPartition{Topic: "orders", Partition: p}) {
				taken++
			}
		}
		if taken != 10 {
			t.Errorf("shard %d takes %d partitions, want 10", i, taken)
		}
	}
}

func TestShardsAreSpelledFromZero(t *testing.T) {
	for _, good := range []string{"0/1", "0/8", "7/8", "1048575/1048576"} {
		s, err := routing.ParseShard(good)
		if err != nil || s.String() != good {
			t.Errorf("ParseShard(%q) = %s, %v", good, s, err)
		}
	}
	for _, bad := range []string{"", "8/8", "-1/8", "1", "0/0", "1/2/3", "a/2", "0/a", "0/99999999", "+1/8", " 1/8", "1/"} {
		if s, err := routing.ParseShard(bad); err == nil {
			t.Errorf("%q is taken for %v", bad, s)
		}
	}
}
