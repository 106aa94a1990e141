package replay_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// javaHashes are the test vectors of murmur2 in Kafka's own UtilsTest.
var javaHashes = map[string]int32{
	"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829,
	"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
}

func TestKeysGoWhereKafkasOwnProducerPutsThem(t *testing.T) {
	const partitions = 7
	var records []format.Record
	for key := range javaHashes {
		records = append(records, format.Record{Offset: int64(len(records)), TimestampMs: base, Key: []byte(key), Value: []byte(key)})
	}
	c := newTarget(t, kfake.SeedTopics(partitions, "orders"))
	c.run(t, recording{records: map[format.TopicPartition][]format.Record{orders1: records}}.archive(t), replay.Options{Partitioner: routing.ByKey})
	found := 0
	for partition, records := range c.contents(t, "orders") {
		for _, r := range records {
			found++
			if want := (javaHashes[string(r.Key)] & 0x7fffffff) % partitions; partition != want {
				t.Errorf("key %q is in partition %d, want %d", r.Key, partition, want)
			}
		}
	}
	equal(t, "records", found, len(javaHashes))
}

func TestRecordsWithoutAKeyGoRoundRobinAndAnEmptyKeyIsAKey(t *testing.T) {
	var records []format.Record
	for i := range int64(12) {
		records = append(records, format.Record{Offset: 2 * i, TimestampMs: base, Value: []byte("null")},
			format.Record{Offset: 2*i + 1, TimestampMs: base, Key: []byte{}, Value: []byte("empty")})
	}
	c := newTarget(t, kfake.SeedTopics(3, "orders"))
	c.run(t, recording{records: map[format.TopicPartition][]format.Record{orders1: records}}.archive(t), replay.Options{Partitioner: routing.ByKey})
	var nulls, empties [3]int
	for partition, records := range c.contents(t, "orders") {
		for _, r := range records {
			if r.Key == nil {
				nulls[partition]++
			} else {
				empties[partition]++
			}
		}
	}
	equal(t, "null keys by partition", nulls, [3]int{4, 4, 4})
	equal(t, "empty keys by partition", empties, [3]int{12, 0, 0}) // murmur2 of nothing is 275646681, as in Java
}

func TestRoundRobinStartsWithTheOwnPartition(t *testing.T) {
	r := recording{records: map[format.TopicPartition][]format.Record{orders1: plain(orders1, 6)}}
	c := newTarget(t, kfake.SeedTopics(3, "orders"))
	c.run(t, r.archive(t), replay.Options{Partitioner: routing.RoundRobin})
	all := valuesOf(r.records[orders1])
	got := [3][]string{}
	for partition := range got {
		got[partition] = c.values(t, format.TopicPartition{Topic: "orders", Partition: int32(partition)})
	}
	equal(t, "values by partition", got, [3][]string{{all[2], all[5]}, {all[0], all[3]}, {all[1], all[4]}})
}

func TestATableMovesThePartitionsItNames(t *testing.T) {
	r := ordersAndEvents(20)
	c := newTarget(t, kfake.SeedTopics(4, "orders", "events"))
	p, err := routing.ParsePartitioner("0=3")
	must(t, err)
	c.run(t, r.archive(t), replay.Options{Partitioner: p})
	equal(t, "orders/3", c.values(t, format.TopicPartition{Topic: "orders", Partition: 3}), valuesOf(r.records[orders0]))
	equal(t, "orders/1", c.values(t, orders1), valuesOf(r.records[orders1]))
	equal(t, "orders/0", len(c.values(t, orders0)), 0)
}
