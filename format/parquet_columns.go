package format

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/parquetbytes"
)

// A page ends at the first of these steps after which it holds pageBytes. A step ends by rules on records alone, so that page borders,
// and with them the file's bytes, depend on nothing else. Pages are just small enough to be one zstd block, which costs the compressor
// a copy less.
const (
	stepRows  = 1024
	stepBytes = 24 << 10 // canonical bytes
	pageBytes = 96 << 10 // of values, before they are encoded
)

// columns cuts the records of a row group into columns and those into pages. It is used again for other row groups.
type columns struct {
	offset, timestamp, timestampType, leaderEpoch numberColumn
	key, value, headerKey, headerValue            payloadColumn
	body                                          []byte // scratch: a page before it is compressed
}

var columnSets = sync.Pool{New: func() any { return newColumns() }}

func newColumns() *columns {
	c := &columns{}
	c.timestampType.narrow, c.leaderEpoch.narrow = true, true
	c.key.definitionBits, c.value.definitionBits = 1, 1
	c.headerKey.definitionBits, c.headerKey.repetitionBits = 1, 1
	c.headerValue.definitionBits, c.headerValue.repetitionBits = 2, 1
	return c
}

// all lists the columns in file order.
func (c *columns) all() []column {
	return []column{&c.offset, &c.timestamp, &c.timestampType, &c.leaderEpoch, &c.key, &c.value, &c.headerKey, &c.headerValue}
}

// column is what number and payload columns have in common.
type column interface {
	reset(level int)
	// flush ends the page, if it holds at least so many bytes, and returns the scratch memory.
	flush(least int, body []byte) []byte
	// statistics are those of the chunk, or none.
	statistics() (metadata.EncodedStatistics, bool)
	chunk() *pages
}

func (c *columns) reset(level int) {
	for _, column := range c.all() {
		column.reset(level)
	}
}

// take adds the records of canonical bytes.
func (c *columns) take(arena []byte) {
	all := c.all()
	for r := (canonicalReader{arena}); len(r.rest) > 0; {
		c.takeStep(&r)
		for _, column := range all {
			c.body = column.flush(pageBytes, c.body)
		}
	}
	for _, column := range all {
		c.body = column.flush(1, c.body)
	}
}

func (c *columns) takeStep(r *canonicalReader) {
	start := len(r.rest)
	for rows := 0; rows < stepRows && len(r.rest) > 0 && start-len(r.rest) < stepBytes; rows++ {
		c.offset.add(int64(r.u64()))
		c.timestamp.add(int64(r.u64()))
		c.timestampType.add(int64(int8(r.u8())))
		c.leaderEpoch.add(int64(int32(r.u32())))
		c.key.add(r.payload(), 0, 0)
		c.value.add(r.payload(), 0, 0)
		c.takeHeaders(r, int(r.u32()))
	}
}

func (c *columns) takeHeaders(r *canonicalReader, n int) {
	if n == 0 {
		c.headerKey.addNone()
		c.headerValue.addNone()
		return
	}
	repeat := byte(0) // a new row
	for range n {
		c.headerKey.add(utf8Key(r.payload()), 0, repeat)
		c.headerValue.add(r.payload(), definedHeader, repeat)
		repeat = 1
	}
}

// utf8Key is what the key column holds: U+FFFD for each run of bytes that are not UTF-8, whose exact form is in the document.
func utf8Key(k []byte) []byte {
	if utf8.Valid(k) {
		return k
	}
	return []byte(strings.ToValidUTF8(unsafe.String(unsafe.SliceData(k), len(k)), "\uFFFD"))
}

// numberColumn is a required column of integers, in DELTA_BINARY_PACKED.
type numberColumn struct {
	pages     pages
	narrow    bool // 32 bits
	values    []int64
	low, high int64
}

func (c *numberColumn) add(v int64) { c.values = append(c.values, v) }

func (c *numberColumn) reset(level int) {
	c.pages.reset(level, parquet.Encodings.DeltaBinaryPacked)
	c.values, c.low, c.high = c.values[:0], math.MaxInt64, math.MinInt64
}

func (c *numberColumn) flush(least int, body []byte) []byte {
	if len(c.values)*8 < least {
		return body
	}
	for _, v := range c.values {
		c.low, c.high = min(c.low, v), max(c.high, v)
	}
	body = parquetbytes.AppendDelta(body[:0], c.values, c.narrow)
	c.pages.add(body, len(c.values))
	c.values = c.values[:0]
	return body
}

func (c *numberColumn) statistics() (metadata.EncodedStatistics, bool) {
	return metadata.EncodedStatistics{
		HasMin: true, Min: binary.LittleEndian.AppendUint64(nil, uint64(c.low)),
		HasMax: true, Max: binary.LittleEndian.AppendUint64(nil, uint64(c.high)),
		HasNullCount: true, Signed: true,
	}, !c.narrow
}

func (c *numberColumn) chunk() *pages { return &c.pages }

// payloadColumn is a column of byte arrays with their levels, in DELTA_LENGTH_BYTE_ARRAY. Values point into the arena of the row group.
type payloadColumn struct {
	pages                          pages
	definitionBits, repetitionBits int // 0: the column has no such levels
	definitions, repetitions       []byte
	values                         [][]byte // not null
	lengths                        []int64
	size                           int
}

// add adds a value, null when v is nil, whose parent is defined at level parent.
func (c *payloadColumn) add(v []byte, parent, repeat byte) {
	if c.repetitionBits > 0 {
		c.repetitions = append(c.repetitions, repeat)
	}
	if v == nil {
		c.definitions = append(c.definitions, parent)
		return
	}
	c.definitions = append(c.definitions, parent+1)
	c.values = append(c.values, v)
	c.lengths = append(c.lengths, int64(len(v)))
	c.size += len(v) + 4
}

// addNone adds a row whose list is empty.
func (c *payloadColumn) addNone() {
	c.definitions = append(c.definitions, 0)
	c.repetitions = append(c.repetitions, 0)
}

func (c *payloadColumn) reset(level int) {
	c.pages.reset(level, parquet.Encodings.DeltaLengthByteArray)
	clear(c.values[:cap(c.values)]) // or they would keep the arena alive
	c.clear()
}

func (c *payloadColumn) clear() {
	c.definitions, c.repetitions = c.definitions[:0], c.repetitions[:0]
	c.values, c.lengths, c.size = c.values[:0], c.lengths[:0], 0
}

func (c *payloadColumn) flush(least int, body []byte) []byte {
	if c.size+len(c.definitions) < least {
		return body
	}
	body = slices.Grow(body[:0], c.size)
	if c.repetitionBits > 0 {
		body = parquetbytes.AppendLevels(body, c.repetitions, c.repetitionBits)
	}
	body = parquetbytes.AppendLevels(body, c.definitions, c.definitionBits)
	body = parquetbytes.AppendDelta(body, c.lengths, true)
	for _, v := range c.values {
		body = append(body, v...)
	}
	c.pages.add(body, len(c.definitions))
	c.clear()
	return body
}

func (c *payloadColumn) statistics() (metadata.EncodedStatistics, bool) {
	return metadata.EncodedStatistics{}, false // minima and maxima of payloads in a footer leak them
}

func (c *payloadColumn) chunk() *pages { return &c.pages }
