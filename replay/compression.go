package replay

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sourceCompression is what the topics of the source were compressed with, as far as the archive knows it (compression.type), else none.
// Where topics differ it is that of the most bytes: a producer has one codec.
const sourceCompression = "source"

// codecs are the compressions of a producer. The client's own level of zstd takes nearly three times the CPU of the fastest and makes nothing
// smaller, because its window is 64 KiB (BenchmarkCompression).
var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression().WithLevel(int(zstd.SpeedFastest)),
}

// chooseCompression decides the codec.
func (p *Plan) chooseCompression(asked string) {
	p.Compression = asked
	if asked != sourceCompression {
		return
	}
	p.Compression = "none"
	bytes := map[string]int64{}
	for i := range p.Topics {
		t := &p.Topics[i]
		if codec := t.source.Configs["compression.type"]; codec != "uncompressed" && codecs[codec] != (kgo.CompressionCodec{}) {
			bytes[codec] += t.Total.Bytes
			p.CompressionOf = append(p.CompressionOf, t.Topic)
		}
	}
	var known []string
	for codec := range bytes {
		known = append(known, codec)
	}
	if len(known) > 0 {
		p.Compression = slices.MaxFunc(known, func(a, b string) int { return cmp.Or(cmp.Compare(bytes[a], bytes[b]), cmp.Compare(a, b)) })
	}
}

// shrinker finds out how large the client will make a record. It is safe for concurrent use.
type shrinker struct {
	name  string
	codec kgo.Compressor // nil: none
}

func newShrinker(codec string) *shrinker {
	s := &shrinker{name: codec}
	if codec != "none" {
		s.codec, _ = kgo.DefaultCompressor(codecs[codec])
	}
	return s
}

// fits says whether a batch of rec alone, which is larger than limit, is smaller when it is compressed.
func (s *shrinker) fits(rec *kgo.Record, limit int64) bool {
	if s.codec == nil {
		return false
	}
	small, _ := s.codec.Compress(new(bytes.Buffer), encoded(rec))
	return int64(batchHeaderBytes+len(small)) <= limit
}

// tooLarge is why a record does not fit.
func (s *shrinker) tooLarge() error {
	if s.codec == nil {
		return fmt.Errorf("%w, and is sent without compression", ErrTooLarge)
	}
	return fmt.Errorf("%w, also when it is compressed with %s", ErrTooLarge, s.name)
}

// encoded is rec as the first record of a batch.
func encoded(rec *kgo.Record) []byte {
	r := kmsg.Record{Key: rec.Key, Value: rec.Value}
	for _, h := range rec.Headers {
		r.Headers = append(r.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
	}
	r.Length = int32(recordBody(rec))
	return r.AppendTo(make([]byte, 0, recordSize(rec)))
}
