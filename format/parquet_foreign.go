package format

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// Kinds of pages (parquet.thrift, PageType) that parquetEncoder does not write.
const (
	pageKindDictionary = 2
	pageKindDataV2     = 3
)

// maxDeltaBlock is the most values of a block of a delta encoding. Writers make 128 to 4,096; the Parquet library takes memory for as many as
// a page says.
const maxDeltaBlock = 1 << 16

// checkForeign refuses pages that would make the Parquet library take memory out of all proportion: it believes what they say of values,
// entries of a dictionary, and the shape of delta-encoded blocks.
func (o *ownReader) checkForeign() error {
	o.decoder.empty = [columnCount]int{}
	for column := range columnCount {
		if err := o.checkForeignColumn(column); err != nil {
			return err
		}
	}
	return nil
}

func (o *ownReader) checkForeignColumn(column int) error {
	c, err := o.readChunk(column)
	if err != nil {
		return err
	}
	codec := c.Compression()
	if codec != compress.Codecs.Zstd && codec != compress.Codecs.Uncompressed {
		return corruptf("column %s: compression %s is not of a segment", columnPaths[column], codec)
	}
	for w := (thriftWalker{rest: o.chunk}); len(w.rest) > 0; {
		h := w.pageHeader()
		data := w.bytes(uint64(max(h.compressed, 0)))
		if w.bad || !h.fits(o) || h.kind == pageKindDictionary && h.values > h.uncompressed {
			return corruptf("column %s: page header", columnPaths[column])
		}
		o.left -= h.uncompressed
		if h.values == 0 && h.kind != pageKindDictionary {
			o.decoder.empty[column]++
		}
		switch e := parquet.Encoding(h.encoding); {
		case h.kind == pageKindDictionary || !isDelta(e):
		case h.kind == pageKindDataV2:
			return corruptf("column %s: pages of version 2 with encoding %s are not read", columnPaths[column], e)
		default:
			body, err := o.decompress(data, int(h.uncompressed), codec, false)
			if err != nil || !deltaShape(withoutLevels(body, columnLevels[column])) {
				return corruptf("column %s: page of encoding %s: %v", columnPaths[column], e, err)
			}
		}
	}
	return nil
}

func isDelta(e parquet.Encoding) bool {
	return e == parquet.Encodings.DeltaBinaryPacked || e == parquet.Encodings.DeltaLengthByteArray || e == parquet.Encodings.DeltaByteArray
}

// columnLevels is how many runs of levels stand before the values of a page.
var columnLevels = [columnCount]int{readKey: 1, readValue: 1, readHeaderKey: 2, readHeaderValue: 2}

// withoutLevels is what follows n runs of levels, each with its length in front; nil when they are longer than the page.
func withoutLevels(body []byte, n int) []byte {
	for range n {
		if len(body) < 4 {
			return nil
		}
		size := uint64(binary.LittleEndian.Uint32(body))
		if body = body[4:]; size > uint64(len(body)) {
			return nil
		}
		body = body[size:]
	}
	return body
}

// deltaShape says whether the shape of the delta-encoded values in b is one that writers make.
func deltaShape(b []byte) bool {
	block, n := binary.Uvarint(b)
	if n <= 0 || block == 0 || block > maxDeltaBlock {
		return false
	}
	minis, n := binary.Uvarint(b[n:])
	return n > 0 && minis > 0 && minis <= block
}
