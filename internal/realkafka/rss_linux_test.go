//go:build kafka

package realkafka

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/internal/kafkatest"
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
			dir := filepath.Join(t.TempDir(), "run")
			captured := mustRun(t, bin, "capture", "-b", source.Brokers()[0], "-t", "load", "-o", dir, "--quiet")
			checkPeak(t, "capture", captured)
			source.Kill()

			target := kafkatest.Start(t, kafkatest.Options{})
			replayed := mustRun(t, bin, "replay", dir, "-b", target.Brokers()[0], "--create-topics", "--quiet")
			checkPeak(t, "replay", replayed)
		})
	}
}

func checkPeak(t *testing.T, what string, c *command) {
	t.Helper()
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	peak := usage.Maxrss << 10 // Linux counts it in KiB
	t.Logf("%s: peak RSS %d MB, %.1f s CPU", what, peak>>20, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
	if peak > peakLimit {
		t.Errorf("%s: peak RSS is %d MB, over %d MB", what, peak>>20, peakLimit>>20)
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
