package format

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/internal/ondisk"
)

// arrowEncoder makes Arrow IPC files. A record batch does not say where it stands, so row groups need no change when they are placed.
type arrowEncoder struct {
	level  int                // of zstd; 0: not compressed
	blocks []arrowbytes.Block // of the row groups that are placed
}

func newArrowEncoder(level int) (encoder, error) { return &arrowEncoder{level: level}, nil }

func (e *arrowEncoder) begin() []byte {
	magic := []byte(arrowbytes.Magic + "\x00\x00")
	return append(magic, arrowbytes.Frame(arrowbytes.SchemaMessage(), len(magic))...)
}

// arrowScratch is what it takes to encode a row group.
type arrowScratch struct {
	columns arrowColumns
	body    arrowBody
}

var arrowScratches = sync.Pool{New: func() any { return new(arrowScratch) }}

// encode returns as place the block of the row group at the start of a file.
func (e *arrowEncoder) encode(records []byte, _ *RowGroup) ([]byte, any, error) {
	data, block, err := e.encodeBatch(records, nil)
	return data, block, err
}

func (e *arrowEncoder) encodeBatch(records, document []byte) ([]byte, arrowbytes.Block, error) {
	s := arrowScratches.Get().(*arrowScratch)
	defer s.free()
	if err := s.columns.fill(records); err != nil {
		return nil, arrowbytes.Block{}, err
	}
	s.body.reset(e.level)
	s.columns.writeTo(&s.body)
	batch := arrowbytes.Batch{
		Rows: int64(s.columns.rows), Compressed: e.level != 0, Nodes: s.body.nodes, Buffers: s.body.pairs,
		Body: int64(len(s.body.bytes)), Document: document,
	}
	message := arrowbytes.Frame(batch.Message(), 0)
	data := make([]byte, 0, len(message)+len(s.body.bytes))
	data = append(append(data, message...), s.body.bytes...)
	return data, arrowbytes.Block{Message: int32(len(message)), Body: batch.Body}, nil
}

// free gives the memory back for other row groups, but not that of an odd huge record.
func (s *arrowScratch) free() {
	if s.columns.size()+cap(s.body.bytes) <= 2*maxSpareArena {
		arrowScratches.Put(s)
	}
}

func (e *arrowEncoder) place(place any, at int64) error {
	block := place.(arrowbytes.Block)
	block.Offset = at
	e.blocks = append(e.blocks, block)
	return nil
}

// end returns a record batch without rows that carries the document, and the footer.
func (e *arrowEncoder) end(at int64, document []byte) ([]byte, error) {
	data, block, err := e.encodeBatch(nil, document)
	if err != nil {
		return nil, err
	}
	block.Offset = at
	footer := arrowbytes.Footer(append(e.blocks, block))
	if len(data) > ondisk.MaxFooterBytes || len(footer) > ondisk.MaxFooterBytes {
		return nil, fmt.Errorf("footer of %d bytes: %w", len(data)+len(footer), ondisk.ErrTooLarge)
	}
	data = binary.LittleEndian.AppendUint64(data, arrowbytes.Continuation) // a message of no bytes ends the stream
	data = append(data, footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
	return append(data, arrowbytes.Magic...), nil
}

// arrowBody is the body of a record batch under way: its buffers one after the other, each aligned, and what the message says of them.
type arrowBody struct {
	level int // of zstd; 0: not compressed
	bytes []byte
	nodes []arrowbytes.Pair
	pairs []arrowbytes.Pair // of the buffers
}

func (b *arrowBody) reset(level int) {
	*b = arrowBody{level: level, bytes: b.bytes[:0], nodes: b.nodes[:0], pairs: b.pairs[:0]}
}

func (b *arrowBody) node(length, nulls int) {
	b.nodes = append(b.nodes, arrowbytes.Pair{int64(length), int64(nulls)})
}

func (b *arrowBody) buffers(all ...[]byte) {
	for _, data := range all {
		b.buffer(data)
	}
}

// buffer adds a buffer. A compressed one is its length and a zstd frame; one without bytes stays so.
func (b *arrowBody) buffer(data []byte) {
	at := len(b.bytes)
	switch {
	case len(data) == 0:
	case b.level == 0:
		b.bytes = append(b.bytes, data...)
	default:
		b.bytes = binary.LittleEndian.AppendUint64(b.bytes, uint64(len(data)))
		b.bytes = appendZstd(b.bytes, data, b.level)
	}
	b.pairs = append(b.pairs, arrowbytes.Pair{int64(at), int64(len(b.bytes) - at)})
	b.bytes = append(b.bytes, make([]byte, arrowbytes.Padded(len(b.bytes))-len(b.bytes))...)
}
