package parquetbytes

import "github.com/klauspost/compress/zstd"

// zstdDecoder is for concurrent use. It is made at once: made in a test's bubble of virtual time it would be of no use outside.
var zstdDecoder = newZstdDecoder()

func newZstdDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

// DecodeZstd appends to dst what the frames of src hold, and never grows it: it is an error when they hold more than dst has capacity for. So a
// frame that lies about its size costs no memory. It is safe for concurrent use.
func DecodeZstd(dst, src []byte) ([]byte, error) { return zstdDecoder.DecodeAll(src, dst) }
