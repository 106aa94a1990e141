package format

import (
	"io"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// raw is a record batch with its message, which say nothing of where they stand.
func (d *arrowDecoder) raw(i int, doc *Document) (rawGroup, error) {
	if len(d.blocks) != len(doc.Groups) {
		return rawGroup{}, corruptf("%d record batches, the document says %d", len(d.blocks), len(doc.Groups))
	}
	b := d.blocks[i]
	size := int64(b.Message) + b.Body
	if b.Offset%arrowbytes.Align != 0 || size%arrowbytes.Align != 0 {
		return rawGroup{}, parquetbytes.ErrForeign
	}
	return rawGroup{*io.NewSectionReader(d.source, b.Offset, size), b}, nil
}
