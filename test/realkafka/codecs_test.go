//go:build kafka

package realkafka

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/kafkatest"
)

// A topic of Kafka's default, compression.type=producer, comes back in the codec that its producers took, with no more than its archive to go by.
func TestATopicIsReplayedInTheCodecOfItsProducers(t *testing.T) {
	source, target := kafkatest.Start(t, kafkatest.Options{}), kafkatest.Start(t, kafkatest.Options{})
	client := newClient(t, source)
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		topic, dir := "in-"+name, t.TempDir()
		createTopic(t, client, topic, 1, nil)
		compressing := newClient(t, source, kgo.ProducerBatchCompression(codec))
		for range 3 {
			produce(t, compressing, &kgo.Record{Topic: topic, Value: bytes.Repeat([]byte("value "), 1000)})
		}
		first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
		mustCapture(t, source, first, capture.Options{Topics: []string{topic}})
		report, err := replayInto(t, target, first, replay.Options{CreateTopics: true})
		if err != nil {
			t.Fatalf("%s: replay: %v", name, err)
		}
		if p := report.Plan; p.Compression != name || p.CompressionFrom != replay.CompressionBatches {
			t.Errorf("%s: replayed with %s, from %s", name, p.Compression, p.CompressionFrom)
		}
		mustCapture(t, target, second, capture.Options{Topics: []string{topic}})
		for _, dir := range []string{first, second} {
			codecs := openArchive(t, dir).Identity().Topics[0].Codecs
			if len(codecs) != 1 || codecs[name] == 0 {
				t.Errorf("%s: %s has batches of %v", name, filepath.Base(dir), codecs)
			}
		}
	}
}
