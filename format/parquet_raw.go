package format

import (
	"io"

	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/parquetbytes"
)

// raw is that of a row group whose column chunks stand one behind the other, in our order.
func (d *parquetDecoder) raw(i int, doc *Document) (rawGroup, error) {
	if d.file == nil {
		if err := d.open(len(doc.Groups)); err != nil {
			return rawGroup{}, err
		}
	}
	meta := d.file.MetaData()
	if !meta.Schema.Equals(parquetColumns) {
		return rawGroup{}, parquetbytes.ErrForeign
	}
	if err := d.checkBounds(d.file.RowGroup(i).MetaData()); err != nil {
		return rawGroup{}, err
	}
	one, err := meta.Subset([]int{i})
	if err != nil {
		return rawGroup{}, corruptf("Parquet footer: %v", err)
	}
	start, end, ok := moveToStart(one)
	if !ok || one.RowGroups[0].NumRows != doc.Groups[i].Records {
		return rawGroup{}, parquetbytes.ErrForeign
	}
	return rawGroup{*io.NewSectionReader(d.source, start, end-start), one}, nil
}

// moveToStart makes the only row group of meta one that stands at the start of a file, as the encoder makes them, and returns where it stood.
func moveToStart(meta *metadata.FileMetaData) (start, end int64, ok bool) {
	group := *meta.RowGroups[0] // the file goes on with its own
	group.Columns = append(group.Columns[:0:0], group.Columns...)
	start = group.Columns[0].MetaData.DataPageOffset
	end = start
	for i, c := range group.Columns {
		column := *c
		chunk := *c.MetaData
		if chunk.DictionaryPageOffset != nil || chunk.IndexPageOffset != nil || chunk.DataPageOffset != end {
			return 0, 0, false
		}
		end += chunk.TotalCompressedSize
		chunk.DataPageOffset -= start
		column.FileOffset -= start
		column.MetaData, group.Columns[i] = &chunk, &column
	}
	if group.FileOffset != nil {
		at := *group.FileOffset - start
		group.FileOffset = &at
	}
	meta.RowGroups = append(meta.RowGroups[:0:0], &group)
	return start, end, true
}
