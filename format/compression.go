package format

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/zstd"

	"github.com/karchive/karchive/internal/parquetbytes"
	"github.com/karchive/karchive/internal/zstdfast"
)

// Compression says how a segment's columns are compressed: "zstd:LEVEL" with a level from 1 (fastest) to 22, "zstd" for the fastest, or
// NoCompression. The zero value is zstd at its fastest level.
type Compression string

// NoCompression leaves columns as they are.
const NoCompression Compression = "none"

const (
	zstdName     = "zstd"
	maxZstdLevel = 22
)

// ParseCompression gives a compression its one spelling, "zstd:3" say, with its defaults filled in, or an error that names what is wrong.
func ParseCompression(s string) (Compression, error) {
	level, err := Compression(s).level()
	if err != nil || level == 0 {
		return NoCompression, err
	}
	return Compression(fmt.Sprintf("%s:%d", zstdName, level)), nil
}

// level is the level of zstd, 0 for no compression.
func (c Compression) level() (int, error) {
	codec, level, leveled := strings.Cut(string(c), ":")
	switch {
	case c == NoCompression:
		return 0, nil
	case c == "" || c == zstdName:
		return 1, nil
	case codec != zstdName || !leveled:
		return 0, fmt.Errorf("codec %.40q is unknown: use %s, %s:LEVEL or %s", string(c), zstdName, zstdName, NoCompression)
	}
	n, err := strconv.Atoi(level)
	if err != nil || n < 1 || n > maxZstdLevel {
		return 0, fmt.Errorf("zstd level %.40q is not in 1..%d", level, maxZstdLevel)
	}
	return n, nil
}

func parquetCodec(level int) compress.Compression {
	if level == 0 {
		return compress.Codecs.Uncompressed
	}
	return compress.Codecs.Zstd
}

// Pages are compressed and decompressed here and not by arrow-go's codec: the fastest level has an encoder of its own (see zstdfast), encoders
// are pooled a level, and decoding never writes past the size that the page header declares, so a frame that lies about its size
// costs no memory.

var zstdEncoders [zstd.SpeedBestCompression + 1]sync.Pool

// appendZstd appends src to dst as one frame, at a zstd level.
func appendZstd(dst, src []byte, level int) []byte {
	if level == 1 {
		return zstdfast.Append(dst, src)
	}
	l := zstd.EncoderLevelFromZstd(level)
	e, _ := zstdEncoders[l].Get().(*zstd.Encoder)
	if e == nil {
		e = newZstdEncoder(l)
	}
	defer zstdEncoders[l].Put(e)
	return e.EncodeAll(src, dst)
}

func newZstdEncoder(l zstd.EncoderLevel) *zstd.Encoder {
	options := []zstd.EOption{zstd.WithEncoderLevel(l), zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true)}
	if l == zstd.SpeedFastest {
		// The window, which is the level's own, is given before it: so the codec leaves blocks at their largest, and a page is one.
		options = slices.Insert(options, 0, zstd.WithWindowSize(4<<20))
	}
	e, err := zstd.NewWriter(nil, options...)
	if err != nil {
		panic(err) // the options are constants
	}
	return e
}

// decodeZstd decodes what has a digest into dst and never past its length.
func decodeZstd(dst, src []byte) ([]byte, error) {
	return parquetbytes.DecodeTrustedZstd(dst[:0:len(dst)], src)
}

// zstdBuffers are for what is compressed and copied away at once.
var zstdBuffers = sync.Pool{New: func() any { return new([]byte) }}
