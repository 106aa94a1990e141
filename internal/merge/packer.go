package merge

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/canonical"
	"github.com/karchive/karchive/internal/ondisk"
)

// block is a run of records in the temporary file: their canonical bytes, compressed, and behind them how the next block begins. So all that is in
// memory of a row group is its next block, however small the blocks are.
type block struct {
	size    uint32 // compressed
	records uint32
	hash    uint64 // of the compressed bytes and what is behind them
	firstMs int64  // timestamp of its first record
}

// blockSize is the size of a block's description in the file.
const blockSize = 4 + 4 + 8 + 8

func (b *block) append(to []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, b.size)
	to = binary.LittleEndian.AppendUint32(to, b.records)
	to = binary.LittleEndian.AppendUint64(to, b.hash)
	return binary.LittleEndian.AppendUint64(to, uint64(b.firstMs))
}

func readBlock(from []byte) block {
	le := binary.LittleEndian
	return block{le.Uint32(from), le.Uint32(from[4:]), le.Uint64(from[8:]), int64(le.Uint64(from[16:]))}
}

// packer puts row groups into a temporary file. It is for one goroutine.
type packer struct {
	canonical, packed []byte
	blocks            []block
}

// pack writes records as blocks, each of which costs at most the stage's slot in memory once it is loaded, or holds a single record.
func (p *packer) pack(records []format.Record, to *stage) (s *staged, err error) {
	p.packed, p.blocks = p.packed[:0], p.blocks[:0]
	for len(records) > 0 {
		n := p.gather(records, to)
		if len(p.blocks) > 0 {
			p.packed = append(p.packed, make([]byte, blockSize)...)
		}
		size := p.compress()
		p.blocks = append(p.blocks, block{size: uint32(size), records: uint32(n), firstMs: records[0].TimestampMs})
		records = records[n:]
	}
	s = &staged{block: p.link()}
	s.where, err = to.spill.put(p.packed)
	if cap(p.packed) > maxPacked {
		*p = packer{}
	}
	return s, err
}

// compress appends what was gathered to packed and returns its size there.
func (p *packer) compress() int {
	p.packed = slices.Grow(p.packed, s2.MaxEncodedLen(len(p.canonical)))
	free := p.packed[len(p.packed):]
	size := len(s2.Encode(free[:0:cap(free)], p.canonical))
	p.packed = p.packed[:len(p.packed)+size]
	return size
}

// link writes behind each block how the next one begins, from the last to the first because hashes are in it, and returns the first.
func (p *packer) link() block {
	end := len(p.packed)
	for i := len(p.blocks) - 1; ; i-- {
		b := &p.blocks[i]
		behind := 0
		if i+1 < len(p.blocks) {
			behind = blockSize
			p.blocks[i+1].append(p.packed[:end-blockSize])
		}
		begin := end - behind - int(b.size)
		b.hash = xxh3.Hash(p.packed[begin:end])
		if end = begin; i == 0 {
			return *b
		}
	}
}

// maxPacked keeps the memory of an odd huge record from staying.
const maxPacked = 2 * ondisk.RowGroupBytes

// gather fills canonical with the records of the next block and returns how many they are.
func (p *packer) gather(records []format.Record, to *stage) int {
	p.canonical = p.canonical[:0]
	for i := range records {
		cost := int64(len(p.canonical)) + format.CanonicalSize(&records[i]) + int64(i+1)*to.options.RecordCost
		if i > 0 && (cost > to.slot || i == to.options.RunRecords) {
			return i
		}
		p.canonical = format.AppendCanonical(p.canonical, &records[i])
	}
	return len(records)
}

// unpack cuts n records out of their canonical bytes, which they keep. The hash of the bytes was checked.
func unpack(b []byte, n int) (records []format.Record, err error) {
	records = make([]format.Record, n)
	for i := range records {
		if records[i], b, err = canonical.Next(b); err != nil {
			return nil, err
		}
	}
	return records, nil
}
