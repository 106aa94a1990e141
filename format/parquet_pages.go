package format

import (
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/parquetbytes"
	"github.com/karchive/karchive/internal/zstdfast"
)

// pages is a column chunk on its way into a file: data pages of version 1, one after the other. They are written here and not by the
// Parquet library, because every payload passes: the library copies it four times on its way to the compressor, this once.
type pages struct {
	level        int // of zstd; 0: not compressed
	dull         dullness
	encoding     parquet.Encoding
	out          []byte
	values       int64 // nulls counted
	count        int32
	uncompressed int64
}

// add appends a page of n values, nulls counted, whose uncompressed bytes are body.
func (p *pages) add(body []byte, n int) {
	data := body
	if p.level != 0 {
		pageBuffer := zstdBuffers.Get().(*[]byte)
		defer zstdBuffers.Put(pageBuffer)
		*pageBuffer = p.compress((*pageBuffer)[:0], body)
		data = *pageBuffer
	}
	begin := len(p.out)
	p.out = parquetbytes.AppendPageHeader(p.out, len(body), data, n, p.encoding)
	p.uncompressed += int64(len(p.out)-begin) + int64(len(body))
	p.out = append(p.out, data...)
	p.values += int64(n)
	p.count++
}

// compress appends a page as one frame.
func (p *pages) compress(dst, body []byte) []byte {
	if p.level > 1 {
		return appendZstd(dst, body, p.level)
	}
	if p.dull.skips(body) {
		return zstdfast.AppendStored(dst, body)
	}
	dst = appendZstd(dst, body, p.level)
	p.dull.compressed(len(body), len(dst))
	return dst
}

// finish describes the chunk, whose first byte stands at offset at.
func (p *pages) finish(m *metadata.ColumnChunkMetaDataBuilder, at int64) error {
	return m.Finish(metadata.ChunkMetaInfo{
		NumValues: p.values, IndexPageOffset: -1, DataPageOffset: at,
		CompressedSize: int64(len(p.out)), UncompressedSize: p.uncompressed,
	}, false, false, metadata.EncodingStats{DataEncodingStats: map[parquet.Encoding]int32{p.encoding: p.count}})
}

func (p *pages) reset(level int, e parquet.Encoding) {
	*p = pages{level: level, encoding: e, out: p.out[:0]}
}
