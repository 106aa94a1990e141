package format

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

// Compression says how a segment's columns are compressed. The zero value is zstd at its fastest level.
type Compression struct {
	Codec string // CodecZstd or CodecNone; empty: CodecZstd
	Level int    // zstd level 1 (fastest) to 22; 0: 1. Unused by CodecNone
}

// The codecs of segments.
const (
	CodecZstd = "zstd"
	CodecNone = "none"
)

const maxZstdLevel = 22

// Normalize returns c with its defaults filled in, or an error that names what is wrong.
func (c Compression) Normalize() (Compression, error) {
	switch {
	case c.Codec == CodecNone && c.Level == 0:
		return c, nil
	case c.Codec == CodecNone:
		return c, fmt.Errorf("codec %q takes no level", c.Codec)
	case c.Codec != "" && c.Codec != CodecZstd:
		return c, fmt.Errorf("unknown codec %q: use %q or %q", c.Codec, CodecZstd, CodecNone)
	case c.Level < 0 || c.Level > maxZstdLevel:
		return c, fmt.Errorf("zstd level %d is not in 1..%d", c.Level, maxZstdLevel)
	}
	return Compression{Codec: CodecZstd, Level: max(c.Level, 1)}, nil
}

// ParseCompression reads what String writes; "zstd" is its fastest level.
func ParseCompression(s string) (Compression, error) {
	codec, level, leveled := strings.Cut(s, ":")
	c := Compression{Codec: codec}
	if leveled {
		n, err := strconv.Atoi(level)
		if err != nil || n < 1 || codec == CodecNone {
			return c, errors.New("not a codec: use zstd, zstd:LEVEL or none")
		}
		c.Level = n
	}
	return c.Normalize()
}

// String is the form "zstd:3" or "none".
func (c Compression) String() string {
	n, err := c.Normalize()
	if err != nil || n.Codec == CodecNone {
		return c.Codec
	}
	return fmt.Sprintf("%s:%d", n.Codec, n.Level)
}

func (c Compression) parquet() compress.Compression {
	if c.Codec == CodecNone {
		return compress.Codecs.Uncompressed
	}
	return compress.Codecs.Zstd
}

// Pages are compressed and decompressed here and not by arrow-go's codec: literals are entropy-coded only where that pays (arrow-go forces it),
// encoders are pooled a level, and decoding never writes past the size that the page header declares, so a frame that lies about its size
// costs no memory.

var zstdEncoders [zstd.SpeedBestCompression + 1]sync.Pool

// zstdDecoder is for concurrent use. It is made at once: made in a test's bubble of virtual time it would be of no use outside.
var zstdDecoder = newZstdDecoder()

func newZstdDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

// appendZstd appends src to dst as one frame, at a zstd level.
func appendZstd(dst, src []byte, level int) []byte {
	l := zstd.EncoderLevelFromZstd(level)
	e, _ := zstdEncoders[l].Get().(*zstd.Encoder)
	if e == nil {
		var err error
		e, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(l), zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
		if err != nil {
			panic(err) // the options are constants
		}
	}
	defer zstdEncoders[l].Put(e)
	return e.EncodeAll(src, dst)
}

// decodeZstd decodes into dst and never past its length.
func decodeZstd(dst, src []byte) ([]byte, error) {
	return zstdDecoder.DecodeAll(src, dst[:0:len(dst)])
}

// zstdBuffers are for what is compressed and copied away at once.
var zstdBuffers = sync.Pool{New: func() any { return new([]byte) }}
