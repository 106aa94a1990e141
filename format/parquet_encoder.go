package format

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// parquetEncoder makes Parquet files out of row groups that are encoded apart from each other, so that several can be encoded at once.
// Metadata is the Parquet library's, pages are ours.
type parquetEncoder struct {
	level      int // of zstd; 0: not compressed
	properties *parquet.WriterProperties
	file       *metadata.FileMetaData // of the segment, as far as it is written
}

func newParquetEncoder(level int) (encoder, error) {
	e := &parquetEncoder{level: level, properties: writerProperties(level)}
	w, err := file.NewParquetWriterWithError(&bytes.Buffer{}, parquetSchema, file.WithWriterProps(e.properties))
	if err != nil {
		return nil, err
	}
	if e.file, err = w.FileMetadata(); err != nil {
		return nil, err
	}
	return e, nil
}

// begin returns the bytes that a segment starts with.
func (e *parquetEncoder) begin() []byte { return []byte(parquetbytes.Magic) }

// encode returns as place the metadata of a file that has only this row group, at its start.
func (e *parquetEncoder) encode(records []byte, info *RowGroup) ([]byte, any, error) {
	c := columnSets.Get().(*columns)
	defer columnSets.Put(c)
	c.reset(e.level)
	defer c.reset(e.level)
	c.take(records)
	file := metadata.NewFileMetadataBuilder(parquetColumns, e.properties, nil)
	group := file.AppendRowGroup()
	all, size := c.all(), 0
	for _, column := range all {
		size += len(column.chunk().out)
	}
	data := make([]byte, 0, size)
	for _, column := range all {
		chunk := group.NextColumnChunk()
		if s, ok := column.statistics(); ok {
			chunk.SetStats(s)
		}
		if err := column.chunk().finish(chunk, int64(len(data))); err != nil {
			return nil, nil, err
		}
		data = append(data, column.chunk().out...)
	}
	group.SetNumRows(int(info.Records))
	if err := group.Finish(0, 0); err != nil {
		return nil, nil, err
	}
	meta, err := file.Snapshot()
	return data, meta, err
}

// place adds the metadata of a row group to the segment's.
func (e *parquetEncoder) place(place any, at int64) error {
	meta := place.(*metadata.FileMetaData)
	group := meta.RowGroups[0]
	ordinal := int16(len(e.file.RowGroups))
	group.Ordinal = &ordinal
	if group.FileOffset != nil {
		*group.FileOffset += at
	}
	for _, c := range group.Columns {
		c.FileOffset += at
		c.MetaData.DataPageOffset += at
	}
	return e.file.AppendRowGroups(meta)
}

// end returns the footer: the Parquet metadata with the document and its digest in it.
func (e *parquetEncoder) end(_ int64, document []byte) ([]byte, error) {
	kv := metadata.NewKeyValueMetadata()
	if err := kv.Append(ondisk.DocumentKey, string(document)); err != nil {
		return nil, err
	}
	if err := kv.Append(ondisk.DocumentDigestKey, ondisk.Digest(document)); err != nil {
		return nil, err
	}
	e.file.FileMetaData.KeyValueMetadata = kv
	var buf bytes.Buffer
	n, err := e.file.WriteTo(&buf, nil)
	if err != nil {
		return nil, err
	}
	if n > ondisk.MaxFooterBytes {
		return nil, fmt.Errorf("footer of %d bytes: %w", n, ondisk.ErrTooLarge)
	}
	return append(binary.LittleEndian.AppendUint32(buf.Bytes(), uint32(n)), parquetbytes.Magic...), nil
}
