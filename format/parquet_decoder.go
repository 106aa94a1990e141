package format

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// parquetDecoder reads the row groups of a Parquet segment: those that parquetEncoder wrote with an ownReader, others with the column
// readers of the Parquet library, on the caller's goroutine, so that a panic on hostile bytes ends there, as an error.
type parquetDecoder struct {
	source io.ReaderAt
	size   int64
	footer []byte // raw and walked; dropped once file is there

	file    *file.Reader
	columns [columnCount]int // place of each of our columns in the file
	empty   [columnCount]int // pages without a value, of the row group that is being read
	foreign *foreignScratch  // nil: no foreign row group was read
	own     ownScratch
}

// Our columns, in the order in which they are read.
const (
	readOffset = iota
	readTimestamp
	readTimestampType
	readLeaderEpoch
	readKey
	readValue
	readHeaderKey
	readHeaderValue
	columnCount
)

var columnPaths = [columnCount]string{ondisk.ColumnOffset, ondisk.ColumnTimestamp, ondisk.ColumnTimestampType, ondisk.ColumnLeaderEpoch, ondisk.ColumnKey, ondisk.ColumnValue,
	ondisk.ColumnHeaderKey, ondisk.ColumnHeaderValue}

func (d *parquetDecoder) read(i int, doc *Document, memory *Buffer) ([]Record, error) {
	group, err := d.group(i, doc)
	if err != nil {
		return nil, err
	}
	info := &doc.Groups[i]
	rows := int(info.Records)
	records, err := assemble(d.newOwnReader(group.MetaData(), info, memory), rows, memory)
	if !errors.Is(err, parquetbytes.ErrForeign) {
		return records, err
	}
	if err := d.newOwnReader(group.MetaData(), info, memory).checkForeign(); err != nil {
		return nil, err
	}
	if d.foreign == nil {
		d.foreign = new(foreignScratch)
	}
	return assemble(&foreignReader{group: group, columns: &d.columns, empty: &d.empty, scratch: d.foreign}, rows, memory)
}

// group is a row group whose numbers are possible.
func (d *parquetDecoder) group(i int, doc *Document) (*file.RowGroupReader, error) {
	if d.file == nil {
		if err := d.open(len(doc.Groups)); err != nil {
			return nil, err
		}
	}
	group := d.file.RowGroup(i)
	if n := doc.Groups[i].Records; group.NumRows() != n {
		return nil, corruptf("%d rows, the document says %d", group.NumRows(), n)
	}
	return group, d.checkBounds(group.MetaData())
}

// keys is part of keyDecoder.
func (d *parquetDecoder) keys(i int, doc *Document, use func(key []byte)) (rows int64, err error) {
	group, err := d.group(i, doc)
	if err != nil {
		return 0, err
	}
	own, shape := d.newOwnReader(group.MetaData(), &doc.Groups[i], nil), payloadShapeOf(readKey)
	own.unzstd = parquetbytes.DecodeZstd // keys alone have no digest
	err = own.eachPage(readKey, parquet.Encodings.DeltaLengthByteArray, false, func(p page) error {
		v, err := own.split(p, shape)
		for err == nil && len(v.lengths) > 0 {
			use(v.next())
		}
		rows += int64(p.n)
		return err
	})
	return rows, err
}

// open gives the footer to the Parquet library and finds our columns.
func (d *parquetDecoder) open(groups int) error {
	meta, err := metadata.NewFileMetaData(d.footer, nil)
	if err != nil {
		return corruptf("Parquet footer: %v", err)
	}
	if len(meta.RowGroups) != groups {
		return corruptf("%d row groups, the document says %d", len(meta.RowGroups), groups)
	}
	meta.SetSourceFileSize(d.size)
	properties := parquet.NewReaderProperties(nil)
	// The library's own limits are below the largest record. What pages may hold is checked before it sees them.
	properties.MaxCompressedPageSize, properties.MaxUncompressedPageSize = maxPageBytes, maxPageBytes
	source := io.NewSectionReader(d.source, 0, d.size)
	f, err := file.NewParquetReader(source, file.WithMetadata(meta), file.WithReadProps(properties))
	if err != nil {
		return corruptf("Parquet file: %v", err)
	}
	for i, path := range columnPaths {
		if d.columns[i], err = findColumn(meta, path); err != nil {
			return err
		}
	}
	d.file, d.footer = f, nil
	return nil
}

// findColumn finds a leaf by its path and refuses one of another shape.
func findColumn(meta *metadata.FileMetaData, path string) (int, error) {
	i := meta.Schema.ColumnIndexByName(path)
	if i < 0 {
		return 0, corruptf("no column %s", path)
	}
	got, want := meta.Schema.Column(i), parquetColumns.Column(parquetColumns.ColumnIndexByName(path))
	if got.PhysicalType() != want.PhysicalType() || got.MaxDefinitionLevel() != want.MaxDefinitionLevel() ||
		got.MaxRepetitionLevel() != want.MaxRepetitionLevel() {
		return 0, corruptf("column %s is %v at levels %d and %d", path, got.PhysicalType(), got.MaxDefinitionLevel(), got.MaxRepetitionLevel())
	}
	return i, nil
}

// checkBounds keeps the Parquet library from reading, and first allocating, what the file does not hold.
func (d *parquetDecoder) checkBounds(group *metadata.RowGroupMetaData) error {
	for i, column := range d.columns {
		c, err := group.ColumnChunk(column)
		if err != nil {
			return corruptf("column %s: %v", columnPaths[i], err)
		}
		start := firstPage(c)
		if n := c.TotalCompressedSize(); start < int64(len(parquetbytes.Magic)) || n < 0 || start > d.size || n > d.size-start {
			return corruptf("column %s is said to be %d bytes at %d of %d", columnPaths[i], n, start, d.size)
		}
	}
	return nil
}

// firstPage is where the pages of a column begin.
func firstPage(c *metadata.ColumnChunkMetaData) int64 {
	if c.HasDictionaryPage() && c.DictionaryPageOffset() > 0 {
		return min(c.DataPageOffset(), c.DictionaryPageOffset())
	}
	return c.DataPageOffset()
}

// openParquet reads the footer of a Parquet file.
func openParquet(r io.ReaderAt, size int64) (map[string][]byte, decoder, error) {
	footer, err := parquetbytes.ReadFooter(r, size)
	if err != nil {
		return nil, nil, err
	}
	kv, err := parquetbytes.Metadata(footer)
	if err != nil {
		return nil, nil, err
	}
	return kv, &parquetDecoder{source: r, size: size, footer: footer}, nil
}
