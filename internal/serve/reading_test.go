package serve

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
)

// counting counts how often row groups are decoded.
type counting struct{ decoded atomic.Int64 }

func (*counting) Rules(string) string { return "count" }
func (*counting) Steps() string       { return "count" }
func (c *counting) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	c.decoded.Add(1)
	return func(format.TopicPartition, *format.Record) (bool, error) { return true, nil }, func() {}
}

// Row groups of three batches, and room for few of them: a client that reads many partitions, one batch of each at a time, comes back to each three times.
func TestRowGroupsOfManyPartitionsAreDecodedOnceInWhateverOrderTheyAreAskedFor(t *testing.T) {
	const partitions, groups, each, recordBytes = 8, 2, 6, 100 << 10
	var logs []log
	var all []int32
	for p := range int32(partitions) {
		logs, all = append(logs, zeros(format.TopicPartition{Topic: "orders", Partition: p}, groups*each, each, recordBytes)), append(all, p)
	}
	a, _ := newArchive(t, logs...)
	for name, next := range map[string]func(asked, answered []int32) []int32{
		"always the same":  func(asked, _ []int32) []int32 { return asked },
		"as franz-go asks": func(asked, _ []int32) []int32 { return append(asked[1:], asked[0]) },
		"as Java asks": func(asked, answered []int32) []int32 {
			return append(slices.DeleteFunc(asked, func(p int32) bool { return slices.Contains(answered, p) }), answered...)
		},
	} {
		for _, room := range []int64{1, 4, partitions + 1} {
			rules := &counting{}
			s := start(t, Options{Sources: []Source{{Archive: a, Rules: rules}}, CacheBytes: room * (each + 1) * recordBytes})
			c := client(t, s, kgo.MaxVersions(fetchVersion(11)))
			asked := slices.Clone(all)
			for at := make([]int64, partitions); slices.Min(at) < groups*each; {
				asked = next(asked, fetchSome(t, c, asked, at, 3*recordBytes))
			}
			if got, want := rules.decoded.Load(), int64(partitions*groups); got != want {
				t.Errorf("%s, room for %d row groups: %d were decoded %d times", name, room, want, got)
			}
		}
	}
}

// zeros is a log of large records that take little room in an archive.
func zeros(tp format.TopicPartition, next int64, cut, recordBytes int) log {
	l := log{tp: tp, next: next, cut: cut}
	for o := range next {
		l.records = append(l.records, format.Record{Offset: o, Value: make([]byte, recordBytes)})
	}
	return l
}

// fetchSome asks for partitions of orders from the offsets at on, which it moves behind the batches that come, and returns those with an answer.
func fetchSome(t *testing.T, c *kgo.Client, partitions []int32, at []int64, most int32) (answered []int32) {
	t.Helper()
	got := fetched(t, c, 0, func(m *kmsg.FetchRequest) {
		one := m.Topics[0].Partitions[0]
		m.Topics[0].Partitions = nil
		for _, p := range partitions {
			one.Partition, one.FetchOffset, one.PartitionMaxBytes = p, at[p], most
			m.Topics[0].Partitions = append(m.Topics[0].Partitions, one)
		}
	})
	for _, p := range got.Topics[0].Partitions {
		for raw := p.RecordBatches; len(raw) > 0; {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(raw); err != nil {
				t.Fatal(err)
			}
			raw, at[p.Partition] = raw[12+b.Length:], b.FirstOffset+int64(b.LastOffsetDelta)+1
		}
		if len(p.RecordBatches) > 0 {
			answered = append(answered, p.Partition)
		}
	}
	return answered
}

func TestRowGroupsOfReadersThatHaveGoneMakeRoomForThoseThatAreDecodedAhead(t *testing.T) {
	const held = 4
	c := newCache(held*(2<<10), nil)
	put := func() *block {
		return c.put(&block{partition: &partition{}, batches: []batch{{raw: make([]byte, 1<<10-64)}}})
	}
	for range held {
		put() // somebody is in the middle of it, and never comes back
	}
	if c.reserve() != 0 {
		t.Fatal("there is room where all of it is taken, want none")
	}
	for n := 0; ; n++ {
		one, two := c.reserve(), c.reserve()
		c.release(one + two)
		if one > 0 && two > 0 {
			break
		}
		if n > 10*held {
			t.Fatalf("there is room for %d and %d bytes after %d row groups that were read to their end, want some for two", one, two, n)
		}
		c.finish(put())
	}
}
