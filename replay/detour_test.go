package replay_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/selection"
)

// small has one record in each partition that is larger than batchOf allows before compression.
func small() recording { return mixedOf(300) }

// batchOf is what a target is told to take at most.
var batchOf = map[string]string{"max.message.bytes": "1000"}

// producersOf notes the producer of each batch that a target is sent.
func (c target) producersOf() (batches func() map[int64]int) {
	var mu sync.Mutex
	by := make(map[int64]int)
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		for _, topic := range request.(*kmsg.ProduceRequest).Topics {
			for _, p := range topic.Partitions {
				const producer = 43 // its place in a batch
				by[int64(binary.BigEndian.Uint64(p.Records[producer:]))]++
			}
		}
		return nil, nil, false
	})
	return func() map[int64]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(by)
	}
}

func TestOversizedRecordsHaveAProducerOfTheirOwnUnlessOneIsAllThereIs(t *testing.T) {
	a := small().archive(t)
	for name, c := range map[string]struct {
		o    replay.Options
		want int
	}{
		"all replicas":  {replay.Options{}, 2},
		"exactly once":  {replay.Options{ExactlyOnce: true}, 1},
		"timed":         {replay.Options{Schedule: rate(t, "1000/s")}, 2},
		"only the rest": {replay.Options{Until: selection.AtOffset(small().records[orders0][3].Offset)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			target := newTarget(t)
			batches := target.producersOf()
			c.o.Compression, c.o.CreateTopics, c.o.TopicConfigs = "zstd", true, batchOf
			target.run(t, a, c.o)
			by := batches()
			equal(t, "producers", len(by), c.want)
			if c.want == 2 {
				equal(t, "batches of the one with fewer, one a partition", slices.Min(slices.Collect(maps.Values(by))), 3)
			}
		})
	}
}

func TestOversizedRecordsStayInPlaceWhateverIsAcknowledged(t *testing.T) {
	r := small()
	for _, records := range r.records {
		for _, i := range []int{0, 4, 5, 11} { // the first, in a row with the fourth, and the last
			records[i].Value = records[3].Value[i:]
		}
	}
	a := r.archive(t)
	for name, o := range map[string]replay.Options{
		"the leader":       {Acks: replay.AcksLeader},
		"all, in one lane": {Lanes: 1},
		"all, at a pace":   {Schedule: rate(t, "1000/s")},
	} {
		t.Run(name, func(t *testing.T) {
			o.Compression, o.CreateTopics, o.TopicConfigs = "lz4", true, batchOf
			c := newTarget(t)
			report := c.run(t, a, o)
			equal(t, "acknowledged, and left out", [2]int64{report.Acknowledged, report.LeftOut}, [2]int64{36, 0})
			for tp, records := range r.records {
				equal(t, tp.String()+" has what was recorded", c.values(t, tp), valuesOf(records))
			}
		})
	}
}

// buffered counts what the client has.
type buffered struct {
	all  func()
	mu   sync.Mutex
	left int
}

func (b *buffered) OnProduceRecordBuffered(*kgo.Record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left--; b.left == 0 {
		b.all()
	}
}

// What is compressed goes on its way without waiting, as long as no record is oversized, although the archive may hold some.
func TestACompressedReplayDoesNotWaitForWhatIsUnderWay(t *testing.T) {
	r := small()
	for _, records := range r.records {
		records[3].Value = records[2].Value
	}
	c := newTarget(t)
	given := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { <-given })
		return nil, nil, false
	})
	once := sync.OnceFunc(func() { close(given) })
	defer once()
	report := c.run(t, r.archive(t), replay.Options{
		Compression: "zstd", CreateTopics: true, TopicConfigs: batchOf, Hooks: []kgo.Hook{&buffered{all: once, left: 36}}, StallTimeout: 30 * time.Second,
	})
	equal(t, "acknowledged", report.Acknowledged, 36)
}

// A window that holds a batch at a time is full again and again: in virtual time nothing but a linger would take long.
func TestAReplayWithOneProducerDoesNotLingerWhereItsWindowIsFull(t *testing.T) {
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		network := new(kfake.VirtualNetwork)
		c := newTarget(t, kfake.ListenFn(network.Listen), kfake.Ports(9092))
		c.connect = append(c.connect, kgo.Dialer(network.DialContext))
		a := small().archive(t)
		o, given := watched(replay.Options{Compression: "zstd", CreateTopics: true, TopicConfigs: batchOf, ExactlyOnce: true, Lanes: 1})
		report := c.run(t, a, o)
		equal(t, "acknowledged", report.Acknowledged, 36)
		const lingers = 12 // at least, of which each is 10 ms
		times := given.after()
		if took := times[len(times)-1]; took >= lingers*10*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAnOversizedRecordThatIsRefusedStopsItsPartition(t *testing.T) {
	r := small()
	records := r.records[orders0]
	c := newTarget(t)
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked := request.(*kmsg.ProduceRequest)
		if len(asked.Topics) != 1 || len(asked.Topics[0].Partitions) != 1 || len(asked.Topics[0].Partitions[0].Records) > 250 {
			return nil, nil, false
		}
		response := asked.ResponseKind().(*kmsg.ProduceResponse)
		response.Topics = []kmsg.ProduceResponseTopic{{Topic: asked.Topics[0].Topic, TopicID: asked.Topics[0].TopicID, Partitions: []kmsg.ProduceResponseTopicPartition{
			{Partition: asked.Topics[0].Partitions[0].Partition, ErrorCode: kerr.InvalidRecord.Code, BaseOffset: -1},
		}}}
		return response, nil, true
	})
	report, err := replay.Run(t.Context(), c.connect, r.archive(t), replay.Options{
		Compression: "zstd", CreateTopics: true, TopicConfigs: batchOf, Topics: []string{"orders"}, Partitions: []int32{0},
	})
	if !errors.Is(err, kerr.InvalidRecord) {
		t.Errorf("error %v, want that of the target", err)
	}
	equal(t, "where it stopped", report.Failures[0].Offset, records[3].Offset)
	equal(t, "what the target has", c.values(t, orders0), valuesOf(records[:3]))
}
