package format

import "io"

// raw is a record batch with its message, which say nothing of where they stand.
func (d *arrowDecoder) raw(i int, doc *Document) (rawGroup, error) {
	if len(d.blocks) != len(doc.Groups) {
		return rawGroup{}, corruptf("%d record batches, the document says %d", len(d.blocks), len(doc.Groups))
	}
	b := d.blocks[i]
	size := int64(b.message) + b.body
	if b.offset%arrowAlign != 0 || size%arrowAlign != 0 {
		return rawGroup{}, errForeignPages
	}
	return rawGroup{*io.NewSectionReader(d.source, b.offset, size), b}, nil
}
