//go:build kafka

package realkafka

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/kafkatest"
	"github.com/karchive/karchive/test/peak"
)

const (
	peakLimit = 256 << 20 // promised for capture and replay, whatever the archive
	peakBytes = 1 << 30   // in the topic
)

// memoryCases are logs of 1 GB that differ in what could make a process grow.
var memoryCases = []struct {
	name        string
	partitions  int32
	recordBytes int
	codec       kgo.CompressionCodec
}{
	{"one partition", 1, 1 << 10, kgo.NoCompression()},
	{"1,000 partitions", 1000, 1 << 10, kgo.NoCompression()},
	{"one partition, zstd batches", 1, 1 << 10, kgo.ZstdCompression()},
	{"eight partitions, small records", 8, 100, kgo.NoCompression()},
	{"one partition, records of 10 MB", 1, largeBytes, kgo.NoCompression()},
}

// It takes minutes, so it runs only when asked for: `make rss`.
func TestPeakMemoryOfCaptureAndReplayStaysWithin256MB(t *testing.T) {
	if os.Getenv("KARCHIVE_RSS") == "" {
		t.Skip("KARCHIVE_RSS is not set")
	}
	bin := buildCommand(t)
	for _, c := range memoryCases {
		t.Run(c.name, func(t *testing.T) {
			source := kafkatest.Start(t, kafkatest.Options{})
			fillWithJSON(t, source, c.partitions, c.recordBytes, c.codec)
			dir := t.TempDir()
			eachEncoding(t, func(t *testing.T, e format.Encoding) {
				checkPeak(t, bin, "capture", "-b", source.Brokers()[0], "-t", "load", "-o", filepath.Join(dir, string(e)), "--encoding", string(e), "--quiet")
			})
			source.Kill()
			eachEncoding(t, func(t *testing.T, e format.Encoding) {
				target := kafkatest.Start(t, kafkatest.Options{})
				checkPeak(t, bin, "replay", filepath.Join(dir, string(e)), "-b", target.Brokers()[0], "--create-topics", "--quiet")
				converted := filepath.Join(t.TempDir(), "converted")
				checkPeak(t, bin, "copy", filepath.Join(dir, string(e)), "-o", converted, "--compression", "zstd:3", "--quiet")
			})
		})
	}
}

// checkPeak runs karchive and fails when its peak RSS is over the limit.
func checkPeak(t *testing.T, bin string, args ...string) {
	t.Helper()
	c := newCommand(bin, args...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	most, err := peak.Watch(c.Process.Pid, ended)
	if err != nil {
		t.Fatalf("karchive %q: %v\n%s", args, err, c.said.Bytes())
	}
	cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	t.Logf("%s: peak RSS %d MB, %.1f s CPU", args[0], most>>20, cpu.Seconds())
	if most == 0 || most > peakLimit {
		t.Errorf("%s: peak RSS is %d MB, want some and at most %d MB", args[0], most>>20, peakLimit>>20)
	}
}

// fillWithJSON writes peakBytes of JSON records in turn to the partitions of topic load.
func fillWithJSON(t *testing.T, b *kafkatest.Broker, partitions int32, recordBytes int, codec kgo.CompressionCodec) {
	t.Helper()
	client := newClient(t, b, kgo.ProducerBatchCompression(codec), kgo.MaxBufferedRecords(20_000), kgo.MaxBufferedBytes(256<<20),
		kgo.ProducerLinger(5*time.Millisecond))
	createTopic(t, client, "load", partitions, anyTime)
	random := rand.New(rand.NewPCG(1, 2))
	var failed error
	for i := range peakBytes / recordBytes {
		client.Produce(t.Context(), &kgo.Record{Topic: "load", Partition: int32(i) % partitions, Key: fmt.Appendf(nil, "customer-%d", i%5000),
			Value: jsonValue(random, i, recordBytes), Headers: []kgo.RecordHeader{{Key: "trace", Value: fmt.Appendf(nil, "%016x", random.Uint64())}},
		}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Fatal(failed)
	}
}

// jsonValue is n bytes that compress about as JSON does: a quarter is noise.
func jsonValue(random *rand.Rand, i, n int) []byte {
	b := fmt.Appendf(make([]byte, 0, n+64), `{"order":%d,"customer":%d,"amount":%d.%02d,"noise":"`, i, random.IntN(5000), random.IntN(500), random.IntN(100))
	for len(b) < n/4 {
		b = fmt.Appendf(b, "%016x", random.Uint64())
	}
	b = append(b, `","lines":[`...)
	for len(b) < n {
		b = append(b, `{"state":"shipped","city":"Rotterdam","count":3},`...)
	}
	return b[:n]
}
