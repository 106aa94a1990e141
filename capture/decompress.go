package capture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/semaphore"
)

const (
	// wholeBatch is the most that a batch may hold to be decompressed at once. A larger one is decoded record by record as it is
	// decompressed: a batch of a few KB may hold gigabytes.
	wholeBatch = 8 << 20
	// leastRecordMemory is the least that records of such batches may take, one at a time or several together.
	leastRecordMemory = 128 << 20
	// mostLegacyBatch is the most that a message set of magic 0 or 1 may hold, which is decompressed at once.
	mostLegacyBatch = 64 << 20
	// mostWindow is the most memory for the window of a zstd frame. Kafka's producers use 8 MiB at most.
	mostWindow = 32 << 20
)

// ErrBatchTooLarge is wrapped when a batch holds a record, or asks for a window to decompress it, that is larger than the memory there is.
var ErrBatchTooLarge = errors.New("record batch too large for the memory")

// decompressor decompresses record batches into memory that is used again. It is shared by all lanes and safe for concurrent use.
type decompressor struct {
	buffers bufferPool
	zstds   sync.Pool // *zstd.Decoder that decodes up to wholeBatch
	memory  int64
	large   *semaphore.Weighted // of memory: records of large batches
}

func newDecompressor(memoryBytes int64) *decompressor {
	d := &decompressor{memory: max(memoryBytes, leastRecordMemory)}
	d.large = semaphore.NewWeighted(d.memory)
	d.zstds.New = func() any {
		z, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(wholeBatch))
		return z
	}
	return d
}

// payload is what a batch holds, as a walk over its records.
type payload struct {
	reader                // what is there whole
	rest    *recordStream // else
	release func()
}

// next cuts off the next record. The error is of what is decompressed on the way.
func (p *payload) next() (reader, error) {
	if p.rest != nil {
		return p.rest.next()
	}
	return p.record(), nil
}

// open returns what b holds; the caller calls release when it no longer needs it.
func (d *decompressor) open(b []byte, codec uint16) (*payload, error) {
	if codec == 0 {
		return &payload{reader: reader{rest: b}, release: func() {}}, nil
	}
	if kgo.CompressionCodecType(codec) == kgo.CodecSnappy {
		return d.openSnappy(b)
	}
	whole, stream, err := d.start(b, kgo.CompressionCodecType(codec))
	if err != nil {
		return nil, err
	}
	p := &payload{reader: reader{rest: whole}}
	if stream != nil {
		p = d.streamed(io.MultiReader(bytes.NewReader(whole), stream))
	}
	p.release = func() {
		p.rest.close()
		d.buffers.put(whole)
		if stream != nil {
			stream.Close()
		}
	}
	return p, nil
}

// streamed is a payload that is decompressed as it is read.
func (d *decompressor) streamed(from io.Reader) *payload {
	return &payload{rest: &recordStream{from: bufio.NewReaderSize(from, 64<<10), memory: d}}
}

// start decompresses up to wholeBatch. When there is more, stream has what follows.
func (d *decompressor) start(b []byte, codec kgo.CompressionCodecType) (whole []byte, stream io.ReadCloser, err error) {
	switch codec {
	case kgo.CodecSnappy:
		s, err := cutSnappy(b)
		if err != nil {
			return nil, nil, err
		}
		return d.buffers.get(), io.NopCloser(&snappyStream{blocks: s.blocks}), nil
	case kgo.CodecZstd:
		z := d.zstds.Get().(*zstd.Decoder)
		defer d.zstds.Put(z)
		whole, err = z.DecodeAll(b, d.buffers.get())
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) && !errors.Is(err, zstd.ErrWindowSizeExceeded) {
			return whole, nil, err
		}
		stream, err = largeZstd(b)
		return nil, stream, err
	case kgo.CodecGzip:
		stream, err = gzip.NewReader(bytes.NewReader(b))
	case kgo.CodecLz4:
		stream = io.NopCloser(lz4.NewReader(bytes.NewReader(b)))
	default:
		return nil, nil, fmt.Errorf("unknown compression codec %d", codec)
	}
	if err != nil {
		return nil, nil, err
	}
	buf := bytes.NewBuffer(d.buffers.get())
	n, err := io.CopyN(buf, stream, wholeBatch)
	if err == io.EOF || n < wholeBatch {
		if err == io.EOF {
			err = nil
		}
		return buf.Bytes(), nil, err
	}
	return buf.Bytes(), stream, err
}

func largeZstd(b []byte) (io.ReadCloser, error) {
	var h zstd.Header
	if err := h.Decode(b); err == nil && h.WindowSize > mostWindow {
		return nil, fmt.Errorf("%w: it claims a window of %d bytes", ErrBatchTooLarge, h.WindowSize)
	}
	z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(mostWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// recordStream cuts records off what is decompressed, with one of them in memory.
type recordStream struct {
	from   *bufio.Reader
	memory *decompressor
	buf    []byte
	held   int64 // of the memory
}

func (s *recordStream) next() (reader, error) {
	size, err := binary.ReadVarint(s.from)
	if err != nil || size < 1 {
		return reader{bad: true}, unexpected(err)
	}
	if size > s.memory.memory {
		return reader{}, fmt.Errorf("%w: one of its records claims %d bytes", ErrBatchTooLarge, size)
	}
	if err := s.hold(size); err != nil {
		return reader{}, err
	}
	// The claim is not believed before the bytes are there.
	buf := bytes.NewBuffer(s.buf[:0])
	if n, err := io.CopyN(buf, s.from, size); n < size {
		return reader{bad: true}, unexpected(err)
	}
	s.buf = buf.Bytes()
	return reader{rest: s.buf[1:]}, nil
}

// hold takes memory for a record that is larger than those before.
func (s *recordStream) hold(size int64) error {
	if size <= wholeBatch || size <= s.held {
		return nil
	}
	s.close()
	s.buf, s.held = nil, size
	return s.memory.large.Acquire(context.Background(), size)
}

// close gives the memory back. The receiver may be nil.
func (s *recordStream) close() {
	if s != nil && s.held > 0 {
		s.memory.large.Release(s.held)
		s.held = 0
	}
}

// unexpected leaves the end of the stream to the caller, who knows where it should be.
func unexpected(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// maxPooledBuffer keeps the memory of an odd huge batch from staying in the pool.
const maxPooledBuffer = 4 << 20

// bufferPool is a kgo.PoolDecompressBytes.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

func (p *bufferPool) put(b []byte) {
	if cap(b) > 0 && cap(b) <= maxPooledBuffer {
		p.pool.Put(&b)
	}
}

// GetDecompressBytes is part of kgo.PoolDecompressBytes.
func (p *bufferPool) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte { return p.get() }

// PutDecompressBytes is part of kgo.PoolDecompressBytes.
func (p *bufferPool) PutDecompressBytes(b []byte) { p.put(b) }

// legacyDecompressor decompresses message sets for the client's own decoder. It is a kgo.Decompressor.
type legacyDecompressor struct{ *decompressor }

// Decompress decompresses src.
func (d legacyDecompressor) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if codec == kgo.CodecNone {
		return src, nil
	}
	if codec == kgo.CodecLz4 {
		src = repairLz4(src)
	}
	whole, stream, err := d.start(src, codec)
	if err != nil || stream == nil {
		return whole, err
	}
	defer stream.Close()
	buf := bytes.NewBuffer(whole)
	n, err := io.Copy(buf, io.LimitReader(stream, mostLegacyBatch+1))
	if n > mostLegacyBatch {
		return nil, fmt.Errorf("%w: it holds more than %d bytes", ErrBatchTooLarge, mostLegacyBatch)
	}
	return buf.Bytes(), err
}

// lz4Magic begins an lz4 frame.
const lz4Magic = 0x184d2204

// repairLz4 gives a frame of message format 0 the header checksum of the lz4 specification. Kafka's clients of that time computed it over the
// magic as well (KAFKA-3160), and only Kafka reads that.
func repairLz4(src []byte) []byte {
	if len(src) < 7 || binary.LittleEndian.Uint32(src) != lz4Magic {
		return src
	}
	end := 6 // after the magic and two bytes of flags
	if src[4]&(1<<3) != 0 {
		end += 8 // the content's size
	}
	if len(src) <= end || src[end] != byte(xxh32(src[:end])>>8) {
		return src
	}
	fixed := bytes.Clone(src)
	fixed[end] = byte(xxh32(src[4:end]) >> 8)
	return fixed
}

// xxh32 is XXH32 with seed 0, for frame headers of less than 16 bytes, which is why the part for longer input is not here.
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	h := uint32(p5) + uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h += binary.LittleEndian.Uint32(b) * p3
		h = (h<<17 | h>>15) * p4
	}
	for _, c := range b {
		h += uint32(c) * p5
		h = (h<<11 | h>>21) * p1
	}
	h = (h ^ h>>15) * p2
	h = (h ^ h>>13) * p3
	return h ^ h>>16
}
