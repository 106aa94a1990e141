package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// parquetDecoder reads the row groups of a Parquet segment. It uses the column readers of the Parquet library on the caller's
// goroutine, so that a panic on hostile bytes ends here, as an error.
type parquetDecoder struct {
	source io.ReaderAt
	size   int64
	footer []byte // raw and walked; dropped once file is there

	file    *file.Reader
	columns [columnCount]int // place of each of our columns in the file
	empty   [columnCount]int // pages without a value, of the row group that is being read
	scratch columnScratch
	own     ownScratch
}

// Our columns, in the order in which they are read.
const (
	readOffset = iota
	readTimestamp
	readTimestampType
	readLeaderEpoch
	readKey
	readValue
	readHeaderKey
	readHeaderValue
	columnCount
)

var columnPaths = [columnCount]string{columnOffset, columnTimestamp, columnTimestampType, columnLeaderEpoch, columnKey, columnValue,
	columnHeaderKey, columnHeaderValue}

func (d *parquetDecoder) read(i int, doc *Document, memory *Buffer) ([]Record, error) {
	if d.file == nil {
		if err := d.open(len(doc.Groups)); err != nil {
			return nil, err
		}
	}
	info := &doc.Groups[i]
	group := d.file.RowGroup(i)
	if group.NumRows() != info.Records {
		return nil, corruptf("%d rows, the document says %d", group.NumRows(), info.Records)
	}
	if err := d.checkBounds(group.MetaData()); err != nil {
		return nil, err
	}
	records, err := d.newOwnReader(group.MetaData(), info, memory).read()
	if !errors.Is(err, errForeignPages) {
		return records, err
	}
	if err := d.newOwnReader(group.MetaData(), info, memory).checkForeign(); err != nil {
		return nil, err
	}
	g := groupReader{group: group, columns: &d.columns, scratch: &d.scratch, records: memory.rows(int(info.Records)), empty: &d.empty}
	return g.read()
}

// open gives the footer to the Parquet library and finds our columns.
func (d *parquetDecoder) open(groups int) error {
	meta, err := metadata.NewFileMetaData(d.footer, nil)
	if err != nil {
		return corruptf("Parquet footer: %v", err)
	}
	if len(meta.RowGroups) != groups {
		return corruptf("%d row groups, the document says %d", len(meta.RowGroups), groups)
	}
	meta.SetSourceFileSize(d.size)
	properties := parquet.NewReaderProperties(nil)
	properties.MaxCompressedPageSize, properties.MaxUncompressedPageSize = maxPageBytes, maxPageBytes
	source := io.NewSectionReader(d.source, 0, d.size)
	f, err := file.NewParquetReader(source, file.WithMetadata(meta), file.WithReadProps(properties))
	if err != nil {
		return corruptf("Parquet file: %v", err)
	}
	for i, path := range columnPaths {
		if d.columns[i], err = findColumn(meta, path); err != nil {
			return err
		}
	}
	d.file, d.footer = f, nil
	return nil
}

// findColumn finds a leaf by its path and refuses one of another shape.
func findColumn(meta *metadata.FileMetaData, path string) (int, error) {
	i := meta.Schema.ColumnIndexByName(path)
	if i < 0 {
		return 0, corruptf("no column %s", path)
	}
	got, want := meta.Schema.Column(i), parquetColumns.Column(parquetColumns.ColumnIndexByName(path))
	if got.PhysicalType() != want.PhysicalType() || got.MaxDefinitionLevel() != want.MaxDefinitionLevel() ||
		got.MaxRepetitionLevel() != want.MaxRepetitionLevel() {
		return 0, corruptf("column %s is %v at levels %d and %d", path, got.PhysicalType(), got.MaxDefinitionLevel(), got.MaxRepetitionLevel())
	}
	return i, nil
}

// checkBounds keeps the Parquet library from reading, and first allocating, what the file does not hold.
func (d *parquetDecoder) checkBounds(group *metadata.RowGroupMetaData) error {
	for i, column := range d.columns {
		c, err := group.ColumnChunk(column)
		if err != nil {
			return corruptf("column %s: %v", columnPaths[i], err)
		}
		start := firstPage(c)
		if n := c.TotalCompressedSize(); start < int64(len(parquetMagic)) || n < 0 || start > d.size || n > d.size-start {
			return corruptf("column %s is said to be %d bytes at %d of %d", columnPaths[i], n, start, d.size)
		}
	}
	return nil
}

// firstPage is where the pages of a column begin.
func firstPage(c *metadata.ColumnChunkMetaData) int64 {
	if c.HasDictionaryPage() && c.DictionaryPageOffset() > 0 {
		return min(c.DataPageOffset(), c.DictionaryPageOffset())
	}
	return c.DataPageOffset()
}

// readStep is how many levels are read at once.
const readStep = 4096

// columnScratch is the memory of one step.
type columnScratch struct {
	int64s                  [readStep]int64
	int32s                  [readStep]int32
	bytes                   [readStep]parquet.ByteArray
	definitions, repetition [readStep]int16
}

// groupReader puts the columns of a row group together to records. Their payloads are copied out of page buffers, which the library
// uses again, into arena.
type groupReader struct {
	group   *file.RowGroupReader
	columns *[columnCount]int
	empty   *[columnCount]int
	scratch *columnScratch
	records []Record
	headers []Header // of all records, in order
	counts  []int32  // headers of each record
	arena   arena
}

func (g *groupReader) read() ([]Record, error) {
	for _, step := range []func() error{g.readNumbers, g.readPayloads, g.readHeaders} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	rest := g.headers
	for i := range g.records {
		if n := g.counts[i]; n > 0 {
			g.records[i].Headers, rest = rest[:n:n], rest[n:]
		}
	}
	return g.records, nil
}

func (g *groupReader) readNumbers() error {
	set64 := []struct {
		column int
		set    func(r *Record, v int64)
	}{
		{readOffset, func(r *Record, v int64) { r.Offset = v }},
		{readTimestamp, func(r *Record, v int64) { r.TimestampMs = v }},
	}
	for _, c := range set64 {
		if err := g.readInt64s(c.column, c.set); err != nil {
			return err
		}
	}
	err := g.readInt32s(readTimestampType, func(r *Record, v int32) { r.TimestampType = TimestampType(v) })
	if err != nil {
		return err
	}
	return g.readInt32s(readLeaderEpoch, func(r *Record, v int32) { r.LeaderEpoch = v })
}

func (g *groupReader) readInt64s(column int, set func(*Record, int64)) error {
	return g.eachStep(column, func(c file.ColumnChunkReader, left int64) (int64, error) {
		rows := g.records[int64(len(g.records))-left:]
		_, n, err := c.(*file.Int64ColumnChunkReader).ReadBatchInPage(min(left, readStep), g.scratch.int64s[:], nil, nil)
		for i, v := range g.scratch.int64s[:n] {
			set(&rows[i], v)
		}
		return int64(n), err
	})
}

func (g *groupReader) readInt32s(column int, set func(*Record, int32)) error {
	return g.eachStep(column, func(c file.ColumnChunkReader, left int64) (int64, error) {
		rows := g.records[int64(len(g.records))-left:]
		_, n, err := c.(*file.Int32ColumnChunkReader).ReadBatchInPage(min(left, readStep), g.scratch.int32s[:], nil, nil)
		for i, v := range g.scratch.int32s[:n] {
			set(&rows[i], v)
		}
		return int64(n), err
	})
}

// eachStep opens a flat column and calls step until as many rows as there are records were read. Steps stay within a page: the
// library's reading across pages goes round for ever on some damaged pages, which give no value and no error.
func (g *groupReader) eachStep(column int, step func(c file.ColumnChunkReader, left int64) (int64, error)) error {
	return g.withColumn(column, func(c file.ColumnChunkReader) error {
		for left := int64(len(g.records)); left > 0; {
			n, err := step(c, left)
			if g.passes(column, c, n, err) {
				continue
			}
			if err != nil || n == 0 {
				return columnEnded(c, err)
			}
			left -= n
		}
		return nil
	})
}

// passes says whether a step gave nothing because its page has no value. The library takes such a page for the end of the column, and goes on
// with the next one when it is asked again.
func (g *groupReader) passes(column int, c file.ColumnChunkReader, n int64, err error) bool {
	if n > 0 || err != nil || c.Err() != nil || g.empty[column] == 0 {
		return false
	}
	g.empty[column]--
	return true
}

func (g *groupReader) withColumn(column int, read func(file.ColumnChunkReader) error) error {
	c, err := g.group.Column(g.columns[column])
	if err == nil {
		err = read(c)
		if closed := c.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return fmt.Errorf("%w: column %s: %w", ErrCorrupt, columnPaths[column], err)
	}
	return nil
}

// columnEnded says why a column gave less than it should: the library tells some errors only on a second question.
func columnEnded(c file.ColumnChunkReader, err error) error {
	if err == nil {
		err = c.Err()
	}
	if err == nil {
		err = fmt.Errorf("ends early")
	}
	return err
}

func (g *groupReader) readPayloads() error {
	err := g.readByteArrays(readKey, func(r *Record, v []byte) { r.Key = v })
	if err != nil {
		return err
	}
	return g.readByteArrays(readValue, func(r *Record, v []byte) { r.Value = v })
}

func (g *groupReader) readByteArrays(column int, set func(*Record, []byte)) error {
	s := g.scratch
	return g.eachStep(column, func(c file.ColumnChunkReader, left int64) (int64, error) {
		rows := g.records[int64(len(g.records))-left:]
		n, _, err := c.(*file.ByteArrayColumnChunkReader).ReadBatchInPage(min(left, readStep), s.bytes[:], s.definitions[:], nil)
		values := s.bytes[:]
		for i, level := range s.definitions[:n] {
			if level == definedPayload {
				set(&rows[i], g.arena.copy(values[0]))
				values = values[1:]
			}
		}
		return n, err
	})
}

func (g *groupReader) readHeaders() error {
	g.counts = make([]int32, len(g.records))
	if err := g.withColumn(readHeaderKey, g.readHeaderKeys); err != nil {
		return err
	}
	return g.withColumn(readHeaderValue, g.readHeaderValues)
}

func (g *groupReader) readHeaderKeys(c file.ColumnChunkReader) error {
	s, row, keys := g.scratch, -1, map[string]string{}
	for {
		n, _, err := c.(*file.ByteArrayColumnChunkReader).ReadBatchInPage(readStep, s.bytes[:], s.definitions[:], s.repetition[:])
		if g.passes(readHeaderKey, c, n, err) {
			continue
		}
		if err != nil || n == 0 && c.Err() != nil {
			return columnEnded(c, err)
		}
		if n == 0 {
			break
		}
		values := s.bytes[:]
		for i := range n {
			if s.repetition[i] == 0 {
				row++
			}
			if row < 0 || row >= len(g.records) {
				return fmt.Errorf("%d rows in a row group of %d", row+1, len(g.records))
			}
			if s.definitions[i] == definedHeader {
				g.counts[row]++
				g.headers = append(g.headers, Header{Key: intern(keys, values[0])})
				values = values[1:]
			}
		}
	}
	if row+1 != len(g.records) {
		return fmt.Errorf("%d rows in a row group of %d", row+1, len(g.records))
	}
	return nil
}

// readHeaderValues fills the values of the headers whose keys were read: one level each, and one for a record without headers.
func (g *groupReader) readHeaderValues(c file.ColumnChunkReader) error {
	s, next := g.scratch, 0
	for {
		n, _, err := c.(*file.ByteArrayColumnChunkReader).ReadBatchInPage(readStep, s.bytes[:], s.definitions[:], s.repetition[:])
		if g.passes(readHeaderValue, c, n, err) {
			continue
		}
		if err != nil || n == 0 && c.Err() != nil {
			return columnEnded(c, err)
		}
		if n == 0 {
			break
		}
		values := s.bytes[:]
		for _, level := range s.definitions[:n] {
			if level < definedHeader {
				continue
			}
			if next >= len(g.headers) {
				return fmt.Errorf("more values than keys")
			}
			if level == definedHeaderValue {
				g.headers[next].Value = g.arena.copy(values[0])
				values = values[1:]
			}
			next++
		}
	}
	if next != len(g.headers) {
		return fmt.Errorf("%d values for %d keys", next, len(g.headers))
	}
	return nil
}

// maxInterned bounds the map of header keys: they repeat, or are not worth a map.
const maxInterned = 1024

// intern makes a string of b, one for all that are equal.
func intern(known map[string]string, b []byte) string {
	if s, ok := known[string(b)]; ok {
		return s
	}
	s := string(bytes.Clone(b))
	if len(known) < maxInterned {
		known[s] = s
	}
	return s
}

// arena copies payloads into large blocks. What it returned never moves.
type arena struct{ free []byte }

const arenaBlock = 1 << 20

func (a *arena) copy(b []byte) []byte {
	if len(b) == 0 {
		return []byte{} // not nil, which is null
	}
	if len(b) > len(a.free) {
		if len(b) >= arenaBlock/4 {
			return bytes.Clone(b)
		}
		a.free = make([]byte, arenaBlock)
	}
	out := a.free[:len(b):len(b)]
	a.free = a.free[len(b):]
	copy(out, b)
	return out
}
