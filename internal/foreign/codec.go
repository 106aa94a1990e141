package foreign

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// maxWindow bounds what a zstd frame makes its reader keep. What zstd writes without --ultra and --long stays below.
const maxWindow = 256 << 20

// codec is a compression that is read.
type codec struct {
	name  string
	magic []string
	open  func(io.Reader) (io.Reader, func(), error)
}

var codecs = []codec{
	{"gzip", []string{"\x1f\x8b\x08"}, openGzip},
	{"zstd", append([]string{"\x28\xb5\x2f\xfd"}, skippable()...), openZstd},
	{"bzip2", []string{"BZh"}, openBzip2},
	{"xz", []string{"\xfd7zXZ\x00"}, openXZ},
	{"LZ4", []string{"\x04\x22\x4d\x18", "\x02\x21\x4c\x18"}, openLZ4},
}

// skippable are the magic numbers of frames with something else in them, which zstd and LZ4 share. pzstd begins with one.
func skippable() (out []string) {
	for c := range 16 {
		out = append(out, string([]byte{0x50 + byte(c), 0x2a, 0x4d, 0x18}))
	}
	return out
}

// bzip2Blocks is what follows BZh and a digit: a block, or the end. BZh alone may begin a text.
var bzip2Blocks = []string{"\x31\x41\x59\x26\x53\x59", "\x17\x72\x45\x38\x50\x90"}

// findCodec returns the compression that begins so; an empty name: none.
func findCodec(begin []byte) (string, func(io.Reader) (io.Reader, func(), error)) {
	for _, c := range codecs {
		for _, magic := range c.magic {
			if bytes.HasPrefix(begin, []byte(magic)) && (c.name != "bzip2" || isBzip2(begin)) {
				return c.name, c.open
			}
		}
	}
	return "", nil
}

func isBzip2(begin []byte) bool {
	if len(begin) < 10 || begin[3] < '1' || begin[3] > '9' {
		return false
	}
	return string(begin[4:10]) == bzip2Blocks[0] || string(begin[4:10]) == bzip2Blocks[1]
}

func openGzip(r io.Reader) (io.Reader, func(), error) {
	g, err := gzip.NewReader(r)
	return g, func() {}, early(err)
}

func openZstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// windowError is what a window over maxWindow is; nil: err is something else.
func windowError(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return &LimitError{"its zstd data want a window of more than 256 MiB: compress it with the usual window", FixedLimit}
	}
	return nil
}

func openBzip2(r io.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), func() {}, nil }

func openXZ(r io.Reader) (io.Reader, func(), error) {
	x, err := xz.NewReader(r)
	return x, func() {}, early(err)
}

func openLZ4(r io.Reader) (io.Reader, func(), error) { return lz4.NewReader(r), func() {}, nil }

// early is an end within the header, which some readers give as io.EOF.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Endings are how the names of compressed files that are read end.
func Endings() []string { return []string{".gz", ".zst", ".bz2", ".xz", ".lz4"} }
