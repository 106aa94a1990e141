package replay

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/zstdfast"
)

// sourceCompression is what the topics of the source were compressed with, as far as the archive knows it, else none: a topic's compression.type, or
// where that leaves it to producers the codec of the most bytes of the batches that were captured. Where topics differ it is that of the
// most bytes: a producer has one codec.
const sourceCompression = "source"

// CompressionReason says why a replay compresses as it does.
type CompressionReason string

// The reasons of a codec.
const (
	CompressionAsked   CompressionReason = "asked"               // Options name it
	CompressionConfigs CompressionReason = "configs"             // compression.type of the source's topics
	CompressionBatches CompressionReason = "batches"             // the batches that were captured
	CompressionBoth    CompressionReason = "configs and batches" // of some topics the one, of some the other
	CompressionUnknown CompressionReason = "unknown"             // the archive does not tell: none
)

// codecs are the compressions of a producer.
var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

// isCodec says whether a producer can compress so.
func isCodec(name string) bool {
	_, ok := codecs[name]
	return ok
}

// newCompressor is what compresses batches with a codec; nil: none. The client's own zstd takes four times the CPU of the fastest level and
// makes nothing smaller, because its window is 64 KiB (BenchmarkCompression).
func newCompressor(codec string) kgo.Compressor {
	if codec == "zstd" {
		return zstdCompressor{}
	}
	c, _ := kgo.DefaultCompressor(codecs[codec]) // fails for codecs that are not in the list
	return c
}

// zstdCompressor compresses with zstd at its fastest level.
type zstdCompressor struct{}

// Compress makes one frame of src. Brokers before Kafka 2.1 do not know zstd.
func (zstdCompressor) Compress(dst *bytes.Buffer, src []byte, flags ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	if slices.Contains(flags, kgo.CompressDisableZstd) {
		return src, kgo.CodecNone
	}
	dst.Grow(len(src) / 2) // the buffer is used again
	return zstdfast.Append(dst.AvailableBuffer(), src), kgo.CodecZstd
}

// compression is what the source compressed a topic with, and how the archive knows; empty: it does not.
func (t *PlannedTopic) compression() (codec string, why CompressionReason) {
	switch config := t.source.Configs["compression.type"]; {
	case config == "uncompressed":
		return "none", CompressionConfigs
	case config != "none" && isCodec(config): // none is no compression.type
		return config, CompressionConfigs
	}
	return t.source.Codecs.Most(isCodec), CompressionBatches
}

// chooseCompression decides the codec.
func (p *Plan) chooseCompression(asked string) {
	p.Compression, p.CompressionFrom = asked, CompressionAsked
	if asked != sourceCompression {
		return
	}
	p.Compression, p.CompressionFrom = "none", CompressionUnknown
	var known origin.Codecs
	for i := range p.Topics {
		if codec, _ := p.Topics[i].compression(); codec != "" {
			known = known.Plus(origin.Codecs{codec: p.Topics[i].Total.Bytes})
		}
	}
	if len(known) == 0 {
		return
	}
	p.Compression, p.CompressionFrom = known.Most(nil), ""
	for i := range p.Topics {
		codec, why := p.Topics[i].compression()
		if codec != p.Compression {
			continue
		}
		if p.CompressionFrom != "" && p.CompressionFrom != why {
			why = CompressionBoth
		}
		p.CompressionFrom = why
		p.CompressionOf = append(p.CompressionOf, p.Topics[i].Topic)
	}
}

// shrinker finds out how large the client will make a record. It is safe for concurrent use.
type shrinker struct {
	name  string
	codec kgo.Compressor // nil: none
}

func newShrinker(codec string) *shrinker {
	return &shrinker{name: codec, codec: newCompressor(codec)}
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
