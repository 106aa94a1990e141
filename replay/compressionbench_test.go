package replay

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

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
	tried := maps.Clone(codecs)
	tried["the client's zstd"] = kgo.ZstdCompression()
	for _, name := range slices.Sorted(maps.Keys(tried)) {
		b.Run(name, func(b *testing.B) {
			compressor, err := kgo.DefaultCompressor(tried[name])
			if err != nil {
				b.Fatal(err)
			}
			if compressor == nil {
				b.Skip("does nothing")
			}
			b.SetBytes(int64(batch.Len()))
			var small []byte
			for b.Loop() {
				small, _ = compressor.Compress(new(bytes.Buffer), batch.Bytes())
			}
			b.ReportMetric(float64(len(small))/float64(batch.Len()), "of_its_size")
		})
	}
}
