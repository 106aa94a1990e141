package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

const parquetMagic = "PAR1"

// parquetEncoder makes Parquet files out of row groups that were encoded apart from each other, so that several can be encoded at
// once: each is written as a file of its own in memory, and its bytes and metadata are moved to their place in the segment.
type parquetEncoder struct {
	properties *parquet.WriterProperties
	file       *metadata.FileMetaData // of the segment, as far as it is written
}

func newParquetEncoder(c Compression) (encoder, error) {
	e := &parquetEncoder{properties: writerProperties(c)}
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
func (e *parquetEncoder) begin() []byte { return []byte(parquetMagic) }

var columnSteps = sync.Pool{New: func() any { return new(columns) }}

// encode returns as place the metadata of a file that has only this row group, at its start.
func (e *parquetEncoder) encode(records []byte, _ *RowGroup) ([]byte, any, error) {
	var buf bytes.Buffer
	w, err := file.NewParquetWriterWithError(&buf, parquetSchema, file.WithWriterProps(e.properties))
	if err != nil {
		return nil, nil, err
	}
	group, err := w.AppendBufferedRowGroupChecked()
	if err != nil {
		return nil, nil, err
	}
	step := columnSteps.Get().(*columns)
	defer columnSteps.Put(step)
	for r := (canonicalReader{records}); len(r.rest) > 0; {
		step.fill(&r)
		if err := step.writeTo(group); err != nil {
			return nil, nil, err
		}
	}
	clear(step.values[:cap(step.values)]) // or the pool would keep the arena alive
	clear(step.keys[:cap(step.keys)])
	if err := group.Close(); err != nil {
		return nil, nil, err
	}
	meta, err := w.FileMetadata()
	return buf.Bytes()[len(parquetMagic):], meta, err
}

// place adds the metadata of a row group to the segment's.
func (e *parquetEncoder) place(place any, at int64) error {
	meta := place.(*metadata.FileMetaData)
	shift := at - int64(len(parquetMagic))
	group := meta.RowGroups[0]
	ordinal := int16(len(e.file.RowGroups))
	group.Ordinal = &ordinal
	if group.FileOffset != nil {
		*group.FileOffset += shift
	}
	for _, c := range group.Columns {
		c.FileOffset += shift
		c.MetaData.DataPageOffset += shift
		if c.MetaData.DictionaryPageOffset != nil {
			*c.MetaData.DictionaryPageOffset += shift
		}
	}
	return e.file.AppendRowGroups(meta)
}

// end returns the footer: the Parquet metadata with the document and its digest in it.
func (e *parquetEncoder) end(_ int64, document []byte) ([]byte, error) {
	kv := metadata.NewKeyValueMetadata()
	if err := kv.Append(documentKey, string(document)); err != nil {
		return nil, err
	}
	if err := kv.Append(documentDigestKey, Digest(document)); err != nil {
		return nil, err
	}
	e.file.FileMetaData.KeyValueMetadata = kv
	var buf bytes.Buffer
	n, err := e.file.WriteTo(&buf, nil)
	if err != nil {
		return nil, err
	}
	if n > maxFooterBytes {
		return nil, fmt.Errorf("footer of %d bytes: %w", n, ErrTooLarge)
	}
	return append(binary.LittleEndian.AppendUint32(buf.Bytes(), uint32(n)), parquetMagic...), nil
}
