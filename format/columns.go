package format

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// Values are fed to the column writers in steps, because they look at the size of a page only between steps. A step ends by rules
// on records alone, so that page borders, and with them the file's bytes, depend on nothing else.
const (
	feedRows  = 1024
	feedBytes = 256 << 10 // canonical bytes
)

// columns is one step of rows, cut out of canonical bytes. Its slices are reused from step to step; byte arrays point into the arena.
type columns struct {
	offsets, timestamps      []int64
	types, epochs            []int32
	keys, values             []parquet.ByteArray // not null
	keyLevels, valueLevels   []int16
	headerKeys, headerValues []parquet.ByteArray // values: not null
	headerKeyLevels          []int16
	headerValueLevels        []int16
	headerRepeats            []int16
}

func (c *columns) reset() {
	c.offsets, c.timestamps = c.offsets[:0], c.timestamps[:0]
	c.types, c.epochs = c.types[:0], c.epochs[:0]
	c.keys, c.values = c.keys[:0], c.values[:0]
	c.keyLevels, c.valueLevels = c.keyLevels[:0], c.valueLevels[:0]
	c.headerKeys, c.headerValues = c.headerKeys[:0], c.headerValues[:0]
	c.headerKeyLevels, c.headerValueLevels = c.headerKeyLevels[:0], c.headerValueLevels[:0]
	c.headerRepeats = c.headerRepeats[:0]
}

// fill takes the next step of rows from r.
func (c *columns) fill(r *canonicalReader) {
	c.reset()
	start := len(r.rest)
	for rows := 0; rows < feedRows && len(r.rest) > 0 && start-len(r.rest) < feedBytes; rows++ {
		c.offsets = append(c.offsets, int64(r.u64()))
		c.timestamps = append(c.timestamps, int64(r.u64()))
		c.types = append(c.types, int32(int8(r.u8())))
		c.epochs = append(c.epochs, int32(r.u32()))
		c.keys, c.keyLevels = addPayload(c.keys, c.keyLevels, r.payload(), 0)
		c.values, c.valueLevels = addPayload(c.values, c.valueLevels, r.payload(), 0)
		c.addHeaders(r, int(r.u32()))
	}
}

// addPayload adds a nullable byte array whose parent is defined at level parent.
func addPayload(values []parquet.ByteArray, levels []int16, v []byte, parent int16) ([]parquet.ByteArray, []int16) {
	if v == nil {
		return values, append(levels, parent)
	}
	return append(values, v), append(levels, parent+1)
}

func (c *columns) addHeaders(r *canonicalReader, n int) {
	if n == 0 {
		c.headerKeyLevels = append(c.headerKeyLevels, 0)
		c.headerValueLevels = append(c.headerValueLevels, 0)
		c.headerRepeats = append(c.headerRepeats, 0)
		return
	}
	repeat := int16(0) // a new row
	for range n {
		c.headerKeys = append(c.headerKeys, utf8Key(r.payload()))
		c.headerKeyLevels = append(c.headerKeyLevels, definedHeader)
		c.headerValues, c.headerValueLevels = addPayload(c.headerValues, c.headerValueLevels, r.payload(), definedHeader)
		c.headerRepeats = append(c.headerRepeats, repeat)
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

// writeTo feeds the step to the columns of a buffered row group.
func (c *columns) writeTo(g file.BufferedRowGroupWriter) error {
	w := columnFeed{group: g}
	w.int64s(c.offsets)
	w.int64s(c.timestamps)
	w.int32s(c.types)
	w.int32s(c.epochs)
	w.byteArrays(c.keys, c.keyLevels, nil)
	w.byteArrays(c.values, c.valueLevels, nil)
	w.byteArrays(c.headerKeys, c.headerKeyLevels, c.headerRepeats)
	w.byteArrays(c.headerValues, c.headerValueLevels, c.headerRepeats)
	return w.err
}

// columnFeed writes to one column after the other and keeps the first error.
type columnFeed struct {
	group file.BufferedRowGroupWriter
	next  int
	err   error
}

func (f *columnFeed) column() file.ColumnChunkWriter {
	if f.err != nil {
		return nil
	}
	var w file.ColumnChunkWriter
	w, f.err = f.group.Column(f.next)
	f.next++
	return w
}

func (f *columnFeed) int64s(v []int64) {
	if w, ok := f.column().(*file.Int64ColumnChunkWriter); ok {
		_, f.err = w.WriteBatch(v, nil, nil)
	}
}

func (f *columnFeed) int32s(v []int32) {
	if w, ok := f.column().(*file.Int32ColumnChunkWriter); ok {
		_, f.err = w.WriteBatch(v, nil, nil)
	}
}

func (f *columnFeed) byteArrays(v []parquet.ByteArray, definition, repetition []int16) {
	if w, ok := f.column().(*file.ByteArrayColumnChunkWriter); ok {
		_, f.err = w.WriteBatch(v, definition, repetition)
	}
}
