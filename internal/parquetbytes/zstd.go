package parquetbytes

import "github.com/klauspost/compress/zstd"

// The decoders are for concurrent use. They are made at once: made in a test's bubble of virtual time they would be of no use outside.
var zstdDecoder, zstdTrustingDecoder = newZstdDecoder(false), newZstdDecoder(true)

func newZstdDecoder(trusting bool) *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.IgnoreChecksum(trusting))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

// DecodeZstd appends to dst what the frames of src hold, and never grows it: it is an error when they hold more than dst has capacity for. So a
// frame that lies about its size costs no memory. It is safe for concurrent use.
func DecodeZstd(dst, src []byte) ([]byte, error) { return zstdDecoder.DecodeAll(src, dst) }

// DecodeTrustedZstd is DecodeZstd without the checksums of frames. It is for what has a digest of its own, which is checked before it is used: to
// check twice takes a tenth of the time.
func DecodeTrustedZstd(dst, src []byte) ([]byte, error) {
	return zstdTrustingDecoder.DecodeAll(src, dst)
}
