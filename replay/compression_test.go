package replay_test

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// mixed has, among records of 300 KB, one that is larger than the usual limit of topics before compression.
func mixed() recording { return mixedOf(300_000) }

// mixedOf is a recording of records of so many bytes that do not compress and, in each partition, one of about ten times as many that does.
func mixedOf(size int) recording {
	r := ordersAndEvents(12)
	noise := rand.NewChaCha8([32]byte{})
	for tp, records := range r.records {
		for i := range records {
			records[i].Value = make([]byte, size)
			noise.Read(records[i].Value)
		}
		records[3].Value = bytes.Repeat([]byte(`{"order":"`+tp.Topic+`"},`), size/2)
	}
	return r
}

func TestWhatTheSourceStoredCompressedGoesIntoATargetLikeIt(t *testing.T) {
	r := mixed()
	a := r.archive(t)
	for name, o := range map[string]replay.Options{
		"top speed":    {Compression: "zstd"},
		"one lane":     {Compression: "gzip", Lanes: 1},
		"timed":        {Compression: "lz4", Schedule: rate(t, "1000/s")},
		"exactly once": {Compression: "zstd", ExactlyOnce: true, TransactionBytes: 1_000_000},
		"key":          {Compression: "zstd", Partitioner: partitioner(t, "key")},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTarget(t)
			o.CreateTopics = true
			report := c.run(t, a, o)
			equal(t, "acknowledged, and left out", [2]int64{report.Acknowledged, report.LeftOut}, [2]int64{36, 0})
			for tp, records := range r.records {
				if name == "exactly once" {
					equal(t, tp.String()+" has what was recorded", strings.Join(c.committed(t, tp), "\n") == strings.Join(valuesOf(records), "\n"), true)
				} else if name != "key" {
					equal(t, tp.String()+" has what was recorded", strings.Join(c.values(t, tp), "\n") == strings.Join(valuesOf(records), "\n"), true)
				}
			}
		})
	}
}

func partitioner(t *testing.T, text string) routing.Partitioner {
	t.Helper()
	p, err := routing.ParsePartitioner(text)
	must(t, err)
	return p
}

func TestARecordThatIsTooLargeSaysWhatCompressionDid(t *testing.T) {
	for codec, want := range map[string]string{"none": "and is sent without compression", "zstd": "also when it is compressed with zstd"} {
		r := mixed()
		if codec == "zstd" {
			noise := rand.NewChaCha8([32]byte{})
			r.records[orders0][3].Value = make([]byte, 1_100_000)
			noise.Read(r.records[orders0][3].Value)
		}
		c := newTarget(t, withTopics())
		report, err := replay.Run(t.Context(), c.connect, r.archive(t), replay.Options{Compression: codec, Topics: []string{"orders"}})
		if !errors.Is(err, replay.ErrTooLarge) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want ErrTooLarge, %s", codec, err, want)
		}
		equal(t, codec+": where it stopped", report.Failures[0].Offset, r.records[orders0][3].Offset)
	}
}

func TestTheCodecOfTheSourcesTopicsIsTakenOver(t *testing.T) {
	for _, c := range []struct {
		orders, events, asked, want string
		of                          []string
	}{
		{"", "", "", "none", nil},
		{"zstd", "", "", "zstd", []string{"orders"}},
		{"producer", "lz4", "", "lz4", []string{"events"}},
		{"uncompressed", "", "", "none", []string{"orders"}},
		{"gzip", "snappy", "", "gzip", []string{"orders"}}, // orders has more bytes
		{"gzip", "uncompressed", "", "gzip", []string{"orders"}},
		{"uncompressed", "gzip", "", "none", []string{"orders"}},
		{"gzip", "gzip", "none", "none", nil},
		{"gzip", "", "source", "gzip", []string{"orders"}},
		{"none", "brotli", "", "none", nil}, // which are no values of compression.type
	} {
		r := ordersAndEvents(5)
		r.identity.Topics = nil
		for name, codec := range map[string]string{"events": c.events, "orders": c.orders} {
			topic := origin.Topic{Name: name, Partitions: 2}
			if codec != "" {
				topic.Configs = map[string]string{"compression.type": codec}
			}
			r.identity.Topics = append(r.identity.Topics, topic)
		}
		report := newTarget(t, withTopics()).run(t, r.archive(t), replay.Options{Compression: c.asked, DryRun: true})
		equal(t, c.orders+", "+c.events+", "+c.asked, report.Plan.Compression, c.want)
		equal(t, c.orders+", "+c.events+", "+c.asked+": topics", report.Plan.CompressionOf, c.of)
	}
}

func TestWhereProducersChooseTheBatchesThatWereCapturedCount(t *testing.T) {
	producer := map[string]string{"compression.type": "producer"}
	for name, c := range map[string]struct {
		orders, events origin.Topic
		asked, want    string
		from           replay.CompressionReason
		of             []string
	}{
		"nothing is known":            {want: "none", from: replay.CompressionUnknown},
		"batches":                     {orders: origin.Topic{Codecs: origin.Codecs{"none": 5, "lz4": 6}}, want: "lz4", from: replay.CompressionBatches, of: []string{"orders"}},
		"most were not compressed":    {orders: origin.Topic{Codecs: origin.Codecs{"none": 6, "lz4": 5}}, want: "none", from: replay.CompressionBatches, of: []string{"orders"}},
		"producer by name":            {orders: origin.Topic{Configs: producer, Codecs: origin.Codecs{"zstd": 1}}, want: "zstd", from: replay.CompressionBatches, of: []string{"orders"}},
		"the config is newer":         {orders: origin.Topic{Configs: map[string]string{"compression.type": "gzip"}, Codecs: origin.Codecs{"zstd": 9}}, want: "gzip", from: replay.CompressionConfigs, of: []string{"orders"}},
		"a codec that nobody knows":   {orders: origin.Topic{Codecs: origin.Codecs{"brotli": 9}}, want: "none", from: replay.CompressionUnknown},
		"one that nobody knows, most": {orders: origin.Topic{Codecs: origin.Codecs{"brotli": 9, "snappy": 1}}, want: "snappy", from: replay.CompressionBatches, of: []string{"orders"}},
		"each topic as it is":         {orders: origin.Topic{Codecs: origin.Codecs{"gzip": 1}}, events: origin.Topic{Codecs: origin.Codecs{"zstd": math.MaxInt64}}, want: "gzip", from: replay.CompressionBatches, of: []string{"orders"}},
		"config and batches agree":    {orders: origin.Topic{Codecs: origin.Codecs{"zstd": 1}}, events: origin.Topic{Configs: map[string]string{"compression.type": "zstd"}}, want: "zstd", from: replay.CompressionBoth, of: []string{"events", "orders"}},
		"asked":                       {orders: origin.Topic{Codecs: origin.Codecs{"zstd": 1}}, asked: "snappy", want: "snappy", from: replay.CompressionAsked},
	} {
		r := ordersAndEvents(5)
		c.orders.Name, c.orders.Partitions, c.events.Name, c.events.Partitions = "orders", 2, "events", 1
		r.identity.Topics = []origin.Topic{c.events, c.orders}
		report := newTarget(t, withTopics()).run(t, r.archive(t), replay.Options{Compression: c.asked, DryRun: true})
		equal(t, name, report.Plan.Compression, c.want)
		equal(t, name+": why", report.Plan.CompressionFrom, c.from)
		equal(t, name+": topics", report.Plan.CompressionOf, c.of)
	}
}

// codecsOfBatches counts the batches that a target is sent by their codec. A hook of the client would do so in a goroutine of its own, which nobody waits for.
type codecsOfBatches struct {
	mu sync.Mutex
	by map[kgo.CompressionCodecType]int
}

func (c *codecsOfBatches) listen(at target) {
	at.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		at.KeepControl()
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, topic := range request.(*kmsg.ProduceRequest).Topics {
			for _, p := range topic.Partitions {
				const attributes, codec = 22, 7 // their lower byte in a batch, and the bits in it
				c.by[kgo.CompressionCodecType(p.Records[attributes]&codec)]++
			}
		}
		return nil, nil, false
	})
}

func (c *codecsOfBatches) heard() map[kgo.CompressionCodecType]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.by)
}

func TestBatchesAreSentInTheCodecOfTheBatchesThatWereCaptured(t *testing.T) {
	for name, codec := range map[string]kgo.CompressionCodecType{
		"none": kgo.CodecNone, "gzip": kgo.CodecGzip, "snappy": kgo.CodecSnappy, "lz4": kgo.CodecLz4, "zstd": kgo.CodecZstd,
	} {
		r := ordersAndEvents(20)
		for _, records := range r.records {
			for i := range records {
				records[i].Value = bytes.Repeat([]byte("v"), 5000)
			}
		}
		for i := range r.identity.Topics {
			r.identity.Topics[i].Codecs = origin.Codecs{name: 7, "brotli": 8}
		}
		c, sent := newTarget(t, withTopics()), &codecsOfBatches{by: map[kgo.CompressionCodecType]int{}}
		sent.listen(c)
		c.run(t, r.archive(t), replay.Options{})
		if by := sent.heard(); len(by) != 1 || by[codec] == 0 {
			t.Errorf("%s: batches by codec %v, want all with %d", name, by, codec)
		}
	}
}
