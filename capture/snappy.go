package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/twmb/franz-go/pkg/kgo"
)

// xerial begins the snappy of Java's producers: two versions of four bytes follow, and then blocks, each with its length in four bytes.
var xerial = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

// snappyRatio is more than snappy can make of a byte: three bytes copy at most 64.
const snappyRatio = 22

var errSnappy = errors.New("snappy: corrupt")

// snappyBlocks are the blocks of a batch, with what they hold by their own word, which is checked to be possible.
type snappyBlocks struct {
	blocks         [][]byte
	total, largest int64
}

func cutSnappy(b []byte) (s snappyBlocks, err error) {
	const head = 16
	if !bytes.HasPrefix(b, xerial) || len(b) < head {
		return s, s.add(b)
	}
	for b = b[head:]; len(b) > 0; {
		if len(b) < 4 || int64(binary.BigEndian.Uint32(b)) > int64(len(b)-4) {
			return s, errSnappy
		}
		end := 4 + int(binary.BigEndian.Uint32(b))
		if err := s.add(b[4:end]); err != nil {
			return s, err
		}
		b = b[end:]
	}
	return s, nil
}

func (s *snappyBlocks) add(block []byte) error {
	n, err := snappy.DecodedLen(block)
	if err != nil || int64(n) > snappyRatio*int64(len(block)) {
		return errSnappy
	}
	s.blocks, s.total, s.largest = append(s.blocks, block), s.total+int64(n), max(s.largest, int64(n))
	return nil
}

// openSnappy is open for snappy. Java's small blocks are decompressed one by one; other producers make one of a whole batch, which has to be in
// memory whole.
func (d *decompressor) openSnappy(b []byte) (*payload, error) {
	s, err := cutSnappy(b)
	switch {
	case err != nil:
		return nil, err
	case s.total <= wholeBatch:
		whole, err := kgo.DefaultDecompressor(&d.buffers).Decompress(b, kgo.CodecSnappy)
		return &payload{reader: reader{rest: whole}, release: func() { d.buffers.put(whole) }}, err
	case s.largest <= wholeBatch:
		p := d.streamed(&snappyStream{blocks: s.blocks})
		p.release = p.rest.close
		return p, nil
	case s.total > d.memory:
		return nil, fmt.Errorf("%w: it holds %d bytes of snappy in a piece", ErrBatchTooLarge, s.total)
	}
	return d.openPieces(&s)
}

// openPieces decompresses all blocks at once, in memory that is taken for them.
func (d *decompressor) openPieces(s *snappyBlocks) (*payload, error) {
	if err := d.large.Acquire(context.Background(), s.total); err != nil {
		return nil, err
	}
	whole := make([]byte, 0, s.total)
	for _, block := range s.blocks {
		piece, err := snappy.Decode(whole[len(whole):cap(whole)], block)
		if err != nil {
			d.large.Release(s.total)
			return nil, errSnappy
		}
		whole = whole[:len(whole)+len(piece)]
	}
	return &payload{reader: reader{rest: whole}, release: func() { d.large.Release(s.total) }}, nil
}

// snappyStream decompresses block by block.
type snappyStream struct {
	blocks [][]byte // that are left
	buf    []byte   // of the block that is read
	rest   []byte   // of it, not read yet
}

// Read implements io.Reader.
func (s *snappyStream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if len(s.blocks) == 0 {
			return 0, io.EOF
		}
		whole, err := snappy.Decode(s.buf[:cap(s.buf)], s.blocks[0])
		if err != nil {
			return 0, errSnappy
		}
		s.buf, s.rest, s.blocks = whole, whole, s.blocks[1:]
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
