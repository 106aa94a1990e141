package imports

import (
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/karchive/karchive/internal/parquetbytes"
)

// boundedZstd is the Parquet library's zstd, but it never decompresses past the size that a page says of itself, so a frame that lies about
// its size costs no memory.
type boundedZstd struct{ compress.Codec }

// The library has one table of codecs for the whole process, and no way to give a reader another one. That is why this stands here, in a
// package that only karchive's own program is built with, and not in one that others import.
func init() {
	if codec, err := compress.GetCodec(compress.Codecs.Zstd); err == nil {
		compress.RegisterCodec(compress.Codecs.Zstd, boundedZstd{codec})
	}
}

// Decode implements compress.Codec.
func (c boundedZstd) Decode(dst, src []byte) []byte {
	b, err := c.DecodeWithError(dst, src)
	if err != nil {
		panic(err)
	}
	return b
}

// DecodeWithError decodes into dst, whose length is the size that the page says.
func (boundedZstd) DecodeWithError(dst, src []byte) ([]byte, error) {
	return parquetbytes.DecodeZstd(dst[:0:len(dst)], src)
}
