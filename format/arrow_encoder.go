package format

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// arrowMagic ends a file, and with two zeros begins it.
const arrowMagic = "ARROW1"

// arrowEncoder makes Arrow IPC files. A record batch does not say where it stands, so row groups need no change when they are placed.
type arrowEncoder struct {
	level  int          // of zstd; 0: not compressed
	blocks []arrowBlock // of the row groups that are placed
}

func newArrowEncoder(level int) (encoder, error) { return &arrowEncoder{level: level}, nil }

func (e *arrowEncoder) begin() []byte {
	magic := []byte(arrowMagic + "\x00\x00")
	return append(magic, frameMessage(schemaMessage(), len(magic))...)
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

func (e *arrowEncoder) encodeBatch(records, document []byte) ([]byte, arrowBlock, error) {
	s := arrowScratches.Get().(*arrowScratch)
	defer s.free()
	if err := s.columns.fill(records); err != nil {
		return nil, arrowBlock{}, err
	}
	s.body.reset(e.level)
	s.columns.writeTo(&s.body)
	batch := arrowBatch{
		rows: int64(s.columns.rows), compressed: e.level != 0, nodes: s.body.nodes, buffers: s.body.pairs,
		body: int64(len(s.body.bytes)), document: document,
	}
	message := frameMessage(batch.message(), 0)
	data := make([]byte, 0, len(message)+len(s.body.bytes))
	data = append(append(data, message...), s.body.bytes...)
	return data, arrowBlock{message: int32(len(message)), body: batch.body}, nil
}

// free gives the memory back for other row groups, but not that of an odd huge record.
func (s *arrowScratch) free() {
	if s.columns.size()+cap(s.body.bytes) <= 2*maxPooledArena {
		arrowScratches.Put(s)
	}
}

func (e *arrowEncoder) place(place any, at int64) error {
	block := place.(arrowBlock)
	block.offset = at
	e.blocks = append(e.blocks, block)
	return nil
}

// end returns a record batch without rows that carries the document, and the footer.
func (e *arrowEncoder) end(at int64, document []byte) ([]byte, error) {
	data, block, err := e.encodeBatch(nil, document)
	if err != nil {
		return nil, err
	}
	block.offset = at
	footer := footerOf(append(e.blocks, block))
	if len(data) > maxFooterBytes || len(footer) > maxFooterBytes {
		return nil, fmt.Errorf("footer of %d bytes: %w", len(data)+len(footer), errTooLarge)
	}
	data = binary.LittleEndian.AppendUint64(data, arrowContinuation) // a message of no bytes ends the stream
	data = append(data, footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
	return append(data, arrowMagic...), nil
}

// arrowBody is the body of a record batch under way: its buffers one after the other, each aligned, and what the message says of them.
type arrowBody struct {
	level int // of zstd; 0: not compressed
	bytes []byte
	nodes []pair
	pairs []pair // of the buffers
}

func (b *arrowBody) reset(level int) {
	*b = arrowBody{level: level, bytes: b.bytes[:0], nodes: b.nodes[:0], pairs: b.pairs[:0]}
}

func (b *arrowBody) node(length, nulls int) {
	b.nodes = append(b.nodes, pair{int64(length), int64(nulls)})
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
	b.pairs = append(b.pairs, pair{int64(at), int64(len(b.bytes) - at)})
	b.bytes = append(b.bytes, make([]byte, padded(len(b.bytes))-len(b.bytes))...)
}
