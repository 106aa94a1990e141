package format

import (
	"encoding/binary"
	"errors"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"github.com/karchive/karchive/internal/parquetbytes"
)

// maxDeltaBlock is the most values of a block of a delta encoding. Writers make 128 to 4,096; the Parquet library takes memory for as many as
// a page says.
const maxDeltaBlock = 1 << 16

// checkForeign refuses pages that would make the Parquet library take memory out of all proportion: it believes what they say of values,
// entries of a dictionary, and the shape of delta-encoded blocks, and decompresses whatever there is.
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
	for rest := o.chunk; len(rest) > 0; {
		h, data, behind, ok := parquetbytes.NextPage(rest)
		rest = behind
		if !ok || !o.fits(&h) || h.Kind == parquetbytes.KindDictionary && h.Values > h.Uncompressed {
			return corruptf("column %s: page header", columnPaths[column])
		}
		o.left -= h.Uncompressed
		if h.Values == 0 && h.Kind != parquetbytes.KindDictionary {
			o.decoder.empty[column]++
		}
		if err := o.checkForeignPage(column, &h, data, codec); err != nil {
			return corruptf("column %s: page of encoding %s: %v", columnPaths[column], parquet.Encoding(h.Encoding), err)
		}
	}
	return nil
}

// checkForeignPage decompresses a page as the library will: its codec writes past the size that a page says.
func (o *ownReader) checkForeignPage(column int, h *parquetbytes.PageHeader, data []byte, codec compress.Compression) error {
	levels := 0
	if h.Kind == parquetbytes.KindDataV2 {
		if h.LevelBytes < 0 || h.LevelBytes > min(h.Compressed, h.Uncompressed) {
			return errors.New("levels are longer than their page")
		}
		if h.Plain {
			codec = compress.Codecs.Uncompressed
		}
		levels = int(h.LevelBytes)
	}
	body, err := o.decompress(data[levels:], int(h.Uncompressed)-levels, codec, false)
	switch delta := isDelta(parquet.Encoding(h.Encoding)); {
	case err != nil:
		return err
	case h.Kind == parquetbytes.KindDictionary || !delta:
		return nil
	case h.Kind == parquetbytes.KindDataV2:
		return errors.New("it is not read in pages of version 2")
	case !deltaShape(withoutLevels(body, columnLevels[column])):
		return errors.New("its blocks are of no shape that writers make")
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
