package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// errForeignPages says that a row group has pages that parquetEncoder does not write. The Parquet library reads those.
var errForeignPages = errors.New("pages of another writer")

// ownReader reads the row groups that parquetEncoder writes: twice as fast as the library, because payloads stay where they were
// decompressed, and on this goroutine alone.
type ownReader struct {
	decoder *parquetDecoder
	group   *metadata.RowGroupMetaData
	left    int64 // bytes that pages may still claim to hold
	values  int64 // that a page may claim to hold: a level for each row, or for each header
	memory  *Buffer
	*ownScratch
}

// ownScratch is memory that one row group leaves for the next.
type ownScratch struct {
	chunk, body              []byte
	definitions, repetitions []byte
	ints                     []int64
}

func (d *parquetDecoder) newOwnReader(group *metadata.RowGroupMetaData, info *RowGroup, memory *Buffer) *ownReader {
	return &ownReader{
		decoder: d, group: group, memory: memory, ownScratch: &d.own,
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
	if err == nil || errors.Is(err, errForeignPages) {
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
	if c.HasDictionaryPage() || c.Compression() != compress.Codecs.Zstd && c.Compression() != compress.Codecs.Uncompressed {
		return errForeignPages
	}
	for w := (thriftWalker{rest: o.chunk}); len(w.rest) > 0; {
		h := w.pageHeader()
		data := w.bytes(uint64(max(h.compressed, 0)))
		if w.bad || !h.fits(o) {
			return corruptf("page header")
		}
		if h.kind != pageKindData || parquet.Encoding(h.encoding) != encoding || parquet.Encoding(h.levels) != parquet.Encodings.RLE {
			return errForeignPages
		}
		if h.values == 0 {
			continue
		}
		o.left -= h.uncompressed
		body, err := o.decompress(data, int(h.uncompressed), c.Compression(), keep)
		if err != nil {
			return corruptf("page: %v", err)
		}
		if err := use(page{body, int(h.values)}); err != nil {
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
	return c, readFull(o.decoder.source, o.chunk, start)
}

// fits says whether the numbers of a page are in proportion to its row group.
func (h *pageHeader) fits(o *ownReader) bool {
	return h.compressed >= 0 && h.uncompressed >= 0 && h.uncompressed <= o.left && h.values >= 0 && h.values <= o.values
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
		body, err = zstdDecoder.DecodeAll(data, body[:0:size+zstdSlack])
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
		if o.repetitions, rest, err = decodeLevels(o.repetitions, rest, p.n, shape.repetitionBits); err != nil {
			return v, err
		}
	}
	if o.definitions, rest, err = decodeLevels(o.definitions, rest, p.n, shape.definitionBits); err != nil {
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
	o.ints, rest, err = decodeDelta(o.ints, b, n, narrow)
	return o.ints, rest, err
}

// pageKindData is a data page of version 1.
const pageKindData = 0

// pageHeader is what a PageHeader says that we need; numbers as they stand there. Levels is for data pages of version 1, the last two are for
// those of version 2.
type pageHeader struct {
	kind, uncompressed, compressed, values, encoding, levels int64

	levelBytes int64 // stand before the values and are never compressed
	plain      bool  // the values are not compressed either
}

// pageHeader reads a PageHeader.
func (w *thriftWalker) pageHeader() (h pageHeader) {
	h.kind = -1
	w.eachField(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id == 1:
			h.kind = w.zigzag()
		case kind == thriftI32 && id == 2:
			h.uncompressed = w.zigzag()
		case kind == thriftI32 && id == 3:
			h.compressed = w.zigzag()
		case kind == thriftStruct && (id == 5 || id == 7): // of data pages, and of dictionaries: they begin alike
			w.dataPageHeader(&h)
		case kind == thriftStruct && id == 8:
			w.dataPageHeaderV2(&h)
		default:
			w.skip(kind, 0)
		}
	})
	return h
}

func (w *thriftWalker) dataPageHeader(h *pageHeader) {
	w.eachField(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id == 1:
			h.values = w.zigzag()
		case kind == thriftI32 && id == 2:
			h.encoding = w.zigzag()
		case kind == thriftI32 && id == 3:
			h.levels = w.zigzag()
		default:
			w.skip(kind, 1)
		}
	})
}

func (w *thriftWalker) dataPageHeaderV2(h *pageHeader) {
	w.eachField(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id == 1:
			h.values = w.zigzag()
		case kind == thriftI32 && id == 4:
			h.encoding = w.zigzag()
		case kind == thriftI32 && (id == 5 || id == 6):
			h.levelBytes += w.zigzag()
		case kind == thriftFalse && id == 7:
			h.plain = true
		default:
			w.skip(kind, 1)
		}
	})
}

func (w *thriftWalker) zigzag() int64 {
	v, n := binary.Varint(w.rest)
	if n <= 0 {
		w.fail()
		return 0
	}
	w.rest = w.rest[n:]
	return v
}
