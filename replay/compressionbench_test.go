package replay

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkCompression compresses a megabyte of JSON, as much as a batch holds, with each codec of a replay and with the client's own zstd.
func BenchmarkCompression(b *testing.B) {
	var batch bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2))
	for batch.Len() < usualBatchBytes {
		fmt.Fprintf(&batch, `{"id":%d,"user":"user-%d","amount":%d,"city":%q,"session":"%016x","note":"delivered to the gate at %d"}`,
			r.Int64(), r.IntN(100_000), r.IntN(1000), []string{"Berlin", "Paris"}[r.IntN(2)], r.Uint64(), r.IntN(1000))
	}
	tried := make(map[string]kgo.Compressor)
	for name := range codecs {
		if c := newCompressor(name); c != nil {
			tried[name] = c
		}
	}
	tried["the client's zstd"], _ = kgo.DefaultCompressor(kgo.ZstdCompression())
	tried["the client's zstd, fastest"], _ = kgo.DefaultCompressor(kgo.ZstdCompression().WithLevel(int(zstd.SpeedFastest)))
	for _, name := range slices.Sorted(maps.Keys(tried)) {
		compressor := tried[name]
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(batch.Len()))
			var small []byte
			for b.Loop() {
				small, _ = compressor.Compress(new(bytes.Buffer), batch.Bytes())
			}
			b.ReportMetric(float64(len(small))/float64(batch.Len()), "of_its_size")
		})
	}
}

func TestABrokerThatDoesNotKnowZstdGetsNone(t *testing.T) {
	batch := bytes.Repeat([]byte("to the gate "), 1000)
	c := newCompressor("zstd")
	small, codec := c.Compress(new(bytes.Buffer), batch)
	if codec != kgo.CodecZstd || len(small) > len(batch)/10 {
		t.Errorf("got codec %d and %d bytes, want zstd and few", codec, len(small))
	}
	got, codec := c.Compress(new(bytes.Buffer), batch, kgo.CompressDisableZstd)
	if codec != kgo.CodecNone || !bytes.Equal(got, batch) {
		t.Errorf("where zstd is not known: got codec %d and %d bytes, want none and the batch", codec, len(got))
	}
}
