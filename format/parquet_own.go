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
	rows    int
	left    int64 // bytes that pages may still claim to hold
	values  int64 // that a page may claim to hold: a level for each row, or for each header
	records []Record
	headers []Header
	counts  []int32
	keys    keyCache
	memory  *Buffer
	*ownScratch
}

// ownScratch is memory that one row group leaves for the next.
type ownScratch struct {
	chunk, body              []byte
	definitions, repetitions []byte
	numbers                  []int64
}

func (d *parquetDecoder) newOwnReader(group *metadata.RowGroupMetaData, info *RowGroup, memory *Buffer) *ownReader {
	return &ownReader{
		decoder: d, group: group, memory: memory, rows: int(info.Records), ownScratch: &d.own,
		left:   2*info.Bytes + 1<<20, // encodings are smaller than canonical bytes, but for their headers
		values: info.Records + info.Bytes/canonicalHeader,
	}
}

func (o *ownReader) read() ([]Record, error) {
	o.records, o.counts, o.headers = o.memory.rows(o.rows), o.memory.zeros(o.rows), o.memory.headers[:0]
	for _, step := range []func() error{o.readNumbers, o.readPayloads, o.readHeaders} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	o.memory.headers = o.headers
	rest := o.headers
	for i := range o.records {
		if n := o.counts[i]; n > 0 {
			o.records[i].Headers, rest = rest[:n:n], rest[n:]
		}
	}
	return o.records, nil
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

func (o *ownReader) readNumbers() error {
	for _, step := range []struct {
		column int
		narrow bool
		set    func(*Record, int64)
	}{
		{readOffset, false, func(r *Record, v int64) { r.Offset = v }},
		{readTimestamp, false, func(r *Record, v int64) { r.TimestampMs = v }},
		{readTimestampType, true, func(r *Record, v int64) { r.TimestampType = TimestampType(v) }},
		{readLeaderEpoch, true, func(r *Record, v int64) { r.LeaderEpoch = int32(v) }},
	} {
		rows := o.records
		err := o.eachPage(step.column, parquet.Encodings.DeltaBinaryPacked, false, func(p page) error {
			values, rest, err := o.delta(p.body, p.n, step.narrow)
			if err != nil {
				return err
			}
			if len(rest) > 0 || len(values) > len(rows) {
				return corruptf("%d values for %d rows", len(values), len(rows))
			}
			for i, v := range values {
				step.set(&rows[i], v)
			}
			rows = rows[len(values):]
			return nil
		})
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return corruptf("column %s: ends early", columnPaths[step.column])
		}
	}
	return nil
}

func (o *ownReader) readPayloads() error {
	if err := o.readPayload(readKey, func(r *Record, v []byte) { r.Key = v }); err != nil {
		return err
	}
	return o.readPayload(readValue, func(r *Record, v []byte) { r.Value = v })
}

func (o *ownReader) readPayload(column int, set func(*Record, []byte)) error {
	rows := o.records
	err := o.eachPage(column, parquet.Encodings.DeltaLengthByteArray, true, func(p page) error {
		if p.n > len(rows) {
			return corruptf("more values than rows")
		}
		v, err := o.payloads(p, 0, 1, definedPayload)
		if err != nil {
			return err
		}
		for i, level := range o.definitions {
			if level == definedPayload {
				set(&rows[i], v.next())
			}
		}
		rows = rows[p.n:]
		return nil
	})
	if err == nil && len(rows) > 0 {
		return corruptf("column %s: ends early", columnPaths[column])
	}
	return err
}

func (o *ownReader) readHeaders() error {
	row := -1
	err := o.eachPage(readHeaderKey, parquet.Encodings.DeltaLengthByteArray, false, func(p page) error {
		v, err := o.payloads(p, 1, 1, definedHeader)
		if err != nil {
			return err
		}
		for i, level := range o.definitions {
			if o.repetitions[i] == 0 {
				row++
			}
			if row < 0 || row >= len(o.records) {
				return corruptf("more rows than %d", len(o.records))
			}
			if level == definedHeader {
				o.headers = append(o.headers, Header{Key: o.keys.intern(int(o.counts[row]), v.next())})
				o.counts[row]++
			}
		}
		return nil
	})
	if err == nil && row+1 != len(o.records) {
		err = corruptf("headers of %d rows for %d", row+1, len(o.records))
	}
	if err != nil {
		return err
	}
	return o.readHeaderValues()
}

func (o *ownReader) readHeaderValues() error {
	next := 0
	err := o.eachPage(readHeaderValue, parquet.Encodings.DeltaLengthByteArray, true, func(p page) error {
		v, err := o.payloads(p, 1, 2, definedHeaderValue)
		if err != nil {
			return err
		}
		for _, level := range o.definitions {
			if level < definedHeader {
				continue
			}
			if next == len(o.headers) {
				return corruptf("more header values than keys")
			}
			if level == definedHeaderValue {
				o.headers[next].Value = v.next()
			}
			next++
		}
		return nil
	})
	if err == nil && next != len(o.headers) {
		err = corruptf("%d header values for %d keys", next, len(o.headers))
	}
	return err
}

// payloadValues are the byte arrays of a page. They are as many as the page has levels for them, and as long as it has bytes.
type payloadValues struct {
	lengths []int64
	bytes   []byte
}

// next returns the next value, which is never nil.
func (v *payloadValues) next() []byte {
	n := v.lengths[0]
	b := v.bytes[:n:n]
	v.lengths, v.bytes = v.lengths[1:], v.bytes[n:]
	return b
}

// payloads takes a page apart. It leaves the levels in o.definitions and, when the column has them, o.repetitions.
func (o *ownReader) payloads(p page, repetitionBits, definitionBits int, defined byte) (v payloadValues, err error) {
	rest := p.body
	if repetitionBits > 0 {
		if o.repetitions, rest, err = decodeLevels(o.repetitions, rest, p.n, repetitionBits); err != nil {
			return v, err
		}
	}
	if o.definitions, rest, err = decodeLevels(o.definitions, rest, p.n, definitionBits); err != nil {
		return v, err
	}
	count := 0
	for _, level := range o.definitions {
		if level == defined {
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
	o.numbers, rest, err = decodeDelta(o.numbers, b, n, narrow)
	return o.numbers, rest, err
}

// keyCache makes one string of equal header keys: most records have the keys of the one before, in the same order.
type keyCache struct {
	last  []string
	known map[string]string
}

func (k *keyCache) intern(place int, b []byte) string {
	if place < len(k.last) && k.last[place] == string(b) {
		return k.last[place]
	}
	if k.known == nil {
		k.known = map[string]string{}
	}
	s := intern(k.known, b)
	if place < len(k.last) {
		k.last[place] = s
	} else if place < maxInterned {
		k.last = append(k.last, s)
	}
	return s
}

// pageKindData is a data page of version 1.
const pageKindData = 0

// pageHeader is what a PageHeader says that we need; numbers as they stand there. Levels is for data pages of version 1.
type pageHeader struct {
	kind, uncompressed, compressed, values, encoding, levels int64
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
