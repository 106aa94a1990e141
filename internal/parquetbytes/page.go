package parquetbytes

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/apache/arrow-go/v18/parquet"
)

// Kinds of pages (parquet.thrift, PageType).
const (
	KindData       = 0 // of version 1
	KindDictionary = 2
	KindDataV2     = 3
)

// PageHeader is what the header of a page says that we need; numbers as they stand there. Levels is for data pages of version 1, the last two are for
// those of version 2.
type PageHeader struct {
	Kind, Uncompressed, Compressed, Values, Encoding, Levels int64

	LevelBytes int64 // stand before the values and are never compressed
	Plain      bool  // the values are not compressed either
}

// NextPage takes the first page off the pages of a column. ok is false for what is not one, or not whole.
func NextPage(pages []byte) (h PageHeader, data, rest []byte, ok bool) {
	w := thriftWalker{rest: pages}
	h = w.pageHeader()
	data = w.bytes(uint64(max(h.Compressed, 0)))
	return h, data, w.rest, !w.bad
}

// pageHeader reads a PageHeader.
func (w *thriftWalker) pageHeader() (h PageHeader) {
	h.Kind = -1
	w.eachField(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id == 1:
			h.Kind = w.zigzag()
		case kind == thriftI32 && id == 2:
			h.Uncompressed = w.zigzag()
		case kind == thriftI32 && id == 3:
			h.Compressed = w.zigzag()
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

func (w *thriftWalker) dataPageHeader(h *PageHeader) {
	w.eachField(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id == 1:
			h.Values = w.zigzag()
		case kind == thriftI32 && id == 2:
			h.Encoding = w.zigzag()
		case kind == thriftI32 && id == 3:
			h.Levels = w.zigzag()
		default:
			w.skip(kind, 1)
		}
	})
}

func (w *thriftWalker) dataPageHeaderV2(h *PageHeader) {
	w.eachField(func(id int16, kind byte) {
		switch {
		case kind == thriftI32 && id == 1:
			h.Values = w.zigzag()
		case kind == thriftI32 && id == 4:
			h.Encoding = w.zigzag()
		case kind == thriftI32 && (id == 5 || id == 6):
			h.LevelBytes += w.zigzag()
		case kind == thriftFalse && id == 7:
			h.Plain = true
		default:
			w.skip(kind, 1)
		}
	})
}

// AppendPageHeader appends a PageHeader (parquet.thrift) in Thrift's compact protocol: type, sizes, CRC-32 of the page as it is stored,
// and the header of a data page of version 1.
func AppendPageHeader(dst []byte, uncompressed int, data []byte, n int, e parquet.Encoding) []byte {
	const (
		nextI32    = 1<<4 | thriftI32 // the field after the one before, a 32-bit number
		nextStruct = 1<<4 | thriftStruct
		dataPage   = 0
	)
	number := func(v int64) { dst = binary.AppendVarint(append(dst, nextI32), v) }
	number(dataPage)
	number(int64(uncompressed))
	number(int64(len(data)))
	number(int64(int32(crc32.ChecksumIEEE(data))))
	dst = append(dst, nextStruct)
	number(int64(n))
	number(int64(e))
	number(int64(parquet.Encodings.RLE)) // of definition levels
	number(int64(parquet.Encodings.RLE)) // of repetition levels
	return append(dst, 0, 0)             // ends both structs
}
