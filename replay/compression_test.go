package replay_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// mixed is a recording of records that do not compress and, among them, one that is larger than a topic's limit before compression.
func mixed() recording {
	r := ordersAndEvents(12)
	noise := rand.NewChaCha8([32]byte{})
	for tp, records := range r.records {
		for i := range records {
			records[i].Value = make([]byte, 300_000)
			noise.Read(records[i].Value)
		}
		records[3].Value = bytes.Repeat([]byte(`{"order":"`+tp.Topic+`"},`), 150_000)
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
		{"uncompressed", "", "", "none", nil},
		{"gzip", "snappy", "", "gzip", []string{"events", "orders"}}, // orders has more bytes
		{"gzip", "gzip", "none", "none", nil},
		{"gzip", "", "source", "gzip", []string{"orders"}},
	} {
		r := ordersAndEvents(5)
		r.identity.Topics = nil
		for name, codec := range map[string]string{"events": c.events, "orders": c.orders} {
			topic := format.Topic{Name: name, Partitions: 2}
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
