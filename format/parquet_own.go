package format

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// ownReader reads the row groups that parquetEncoder writes: twice as fast as the library, because payloads stay where they were
// decompressed, and on this goroutine alone.
type ownReader struct {
	decoder *parquetDecoder
	group   *metadata.RowGroupMetaData
	left    int64 // bytes that pages may still claim to hold
	values  int64 // that a page may claim to hold: a level for each row, or for each header
	memory  *Buffer
	unzstd  func(dst, src []byte) ([]byte, error)
	*ownScratch
}

// ownScratch is memory that one row group leaves for the next.
type ownScratch struct {
	chunk, body              []byte
	definitions, repetitions []byte
	ints                     []int64
}

// newOwnReader is for records, whose digest is checked.
func (d *parquetDecoder) newOwnReader(group *metadata.RowGroupMetaData, info *RowGroup, memory *Buffer) *ownReader {
	return &ownReader{
		decoder: d, group: group, memory: memory, ownScratch: &d.own, unzstd: parquetbytes.DecodeTrustedZstd,
		left:   2*info.Bytes + 1<<20, // encodings are smaller than canonical bytes, but for their headers
		values: info.Records + info.Bytes/canonicalHeader,
	}
}

// page is a data page of version 1.
type page struct {
	body []byte // decompressed
	n    int    // values, nulls counted
}

// eachPage calls use for the pages of a column, which must have the encoding. The body of a kept page stays when use returns.
func (o *ownReader) eachPage(column int, encoding parquet.Encoding, keep bool, use func(page) error) error {
	err := o.pages(column, encoding, keep, use)
	if err == nil || errors.Is(err, parquetbytes.ErrForeign) {
		return err
	}
	if !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("column %s: %w", columnPaths[column], err)
	}
	return corruptf("column %s: %s", columnPaths[column], strings.TrimPrefix(err.Error(), ErrCorrupt.Error()+": "))
}

func (o *ownReader) pages(column int, encoding parquet.Encoding, keep bool, use func(page) error) error {
	c, err := o.readChunk(column)
	if err != nil {
		return err
	}
	if c.Compression() != compress.Codecs.Zstd && c.Compression() != compress.Codecs.Uncompressed {
		return parquetbytes.ErrForeign
	}
	for rest := o.chunk; len(rest) > 0; {
		h, data, behind, ok := parquetbytes.NextPage(rest)
		rest = behind
		if !ok || !o.fits(&h) {
			return corruptf("page header")
		}
		if h.Kind != parquetbytes.KindData || parquet.Encoding(h.Encoding) != encoding || parquet.Encoding(h.Levels) != parquet.Encodings.RLE {
			return parquetbytes.ErrForeign
		}
		if h.Values == 0 {
			continue
		}
		o.left -= h.Uncompressed
		body, err := o.decompress(data, int(h.Uncompressed), c.Compression(), keep)
		if err != nil {
			return corruptf("page: %v", err)
		}
		if err := use(page{body, int(h.Values)}); err != nil {
			return err
		}
	}
	return nil
}

// readChunk reads all pages of a column into o.chunk.
func (o *ownReader) readChunk(column int) (*metadata.ColumnChunkMetaData, error) {
	c, err := o.group.ColumnChunk(o.decoder.columns[column])
	if err != nil {
		return nil, err
	}
	start := firstPage(c)
	o.chunk = slices.Grow(o.chunk[:0], int(c.TotalCompressedSize()))[:c.TotalCompressedSize()]
	return c, ondisk.ReadFull(o.decoder.source, o.chunk, start)
}

// fits says whether the numbers of a page are in proportion to its row group.
func (o *ownReader) fits(h *parquetbytes.PageHeader) bool {
	return h.Compressed >= 0 && h.Uncompressed >= 0 && h.Uncompressed <= o.left && h.Values >= 0 && h.Values <= o.values
}

// zstdSlack is room behind what is decompressed, with which the decoder takes its fast path. A frame that fills it is longer than its page
// says, and refused.
const zstdSlack = 32

func (o *ownReader) decompress(data []byte, size int, codec compress.Compression, keep bool) ([]byte, error) {
	body := o.body
	switch {
	case keep:
		body = o.memory.page(size + zstdSlack)
	case cap(body) < size+zstdSlack:
		body = make([]byte, 0, size+zstdSlack)
		o.body = body
	}
	var err error
	if codec == compress.Codecs.Uncompressed {
		body = append(body[:0], data...)
	} else {
		body, err = o.unzstd(body[:0:size+zstdSlack], data)
	}
	if err == nil && len(body) != size {
		err = fmt.Errorf("%d bytes, its header says %d", len(body), size)
	}
	return body, err
}

// numbers is part of columnSource.
func (o *ownReader) numbers(column int, use func([]int64) error) error {
	narrow := column == readTimestampType || column == readLeaderEpoch
	return o.eachPage(column, parquet.Encodings.DeltaBinaryPacked, false, func(p page) error {
		values, rest, err := o.delta(p.body, p.n, narrow)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return corruptf("%d bytes behind the values", len(rest))
		}
		return use(values)
	})
}

// payloads is part of columnSource.
func (o *ownReader) payloads(column int, use func(levels, payloadValues) error) error {
	shape := payloadShapeOf(column)
	return o.eachPage(column, parquet.Encodings.DeltaLengthByteArray, shape.kept, func(p page) error {
		v, err := o.split(p, shape)
		if err != nil {
			return err
		}
		return use(levels{o.definitions, o.repetitions}, v)
	})
}

// split takes a page apart. It leaves the levels in o.definitions and, when the column has them, o.repetitions.
func (o *ownReader) split(p page, shape payloadShape) (v payloadValues, err error) {
	rest := p.body
	if shape.repetitionBits > 0 {
		if o.repetitions, rest, err = parquetbytes.DecodeLevels(o.repetitions, rest, p.n, shape.repetitionBits); err != nil {
			return v, err
		}
	}
	if o.definitions, rest, err = parquetbytes.DecodeLevels(o.definitions, rest, p.n, shape.definitionBits); err != nil {
		return v, err
	}
	count := 0
	for _, level := range o.definitions {
		if level == shape.defined {
			count++
		}
	}
	if v.lengths, v.bytes, err = o.delta(rest, count, true); err != nil {
		return v, err
	}
	total := int64(0)
	for _, n := range v.lengths {
		if n < 0 || n > int64(len(v.bytes)) {
			return v, corruptf("length %d in a page of %d bytes", n, len(v.bytes))
		}
		total += n
	}
	if total != int64(len(v.bytes)) {
		return v, corruptf("lengths add up to %d of %d bytes", total, len(v.bytes))
	}
	return v, nil
}

func (o *ownReader) delta(b []byte, n int, narrow bool) (values []int64, rest []byte, err error) {
	o.ints, rest, err = parquetbytes.DecodeDelta(o.ints, b, n, narrow)
	return o.ints, rest, err
}
