package format

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/internal/ondisk"
)

// arrowDecoder reads the row groups of an Arrow segment, on the caller's goroutine, with nothing between it and the bytes but the
// flatbuffers of the messages and zstd. Before it allocates it checks what a buffer says of its size: against the document, which has a
// digest, and against what so many compressed bytes can hold.
type arrowDecoder struct {
	source io.ReaderAt
	blocks []arrowbytes.Block // of the row groups
}

func (d *arrowDecoder) read(i int, doc *Document, memory *Buffer) ([]Record, error) {
	if len(d.blocks) != len(doc.Groups) {
		return nil, corruptf("%d record batches with rows, the document says %d", len(d.blocks), len(doc.Groups))
	}
	block := d.blocks[i]
	if block.Message > maxBatchMessage {
		return nil, corruptf("message of %d bytes", block.Message)
	}
	batch, err := arrowbytes.ReadBatch(d.source, block)
	if err != nil {
		return nil, err
	}
	info := &doc.Groups[i]
	if batch.Rows != info.Records {
		return nil, corruptf("%d rows, the document says %d", batch.Rows, info.Records)
	}
	r := arrowReader{source: d.source, at: block.Offset + int64(block.Message), batch: batch, payload: info.Bytes, memory: memory}
	return r.records()
}

// maxBatchMessage bounds the message of a row group, and with it further columns.
const maxBatchMessage = 1 << 20

// arrowReader reads the columns of a record batch in the order of the schema. After an error everything it returns is empty.
type arrowReader struct {
	source  io.ReaderAt
	at      int64 // of the body in the file
	batch   *arrowbytes.Batch
	payload int64 // canonical bytes of the row group: no column holds more values or bytes
	memory  *Buffer
	column  string
	scratch []byte
	err     error
}

func (r *arrowReader) records() ([]Record, error) {
	rows := int(r.batch.Rows)
	offsets, timestamps := r.numbers(ondisk.ColumnOffset, rows, 8), r.numbers(ondisk.ColumnTimestamp, rows, 8)
	kinds, epochs := r.numbers(ondisk.ColumnTimestampType, rows, 1), r.numbers(ondisk.ColumnLeaderEpoch, rows, 4)
	keys, values := r.strings(ondisk.ColumnKey, rows, r.payload), r.strings(ondisk.ColumnValue, rows, r.payload)
	headers := r.headers(rows)
	if r.err != nil {
		return nil, r.err
	}
	records := r.memory.rows(rows)
	for i := range records {
		records[i] = Record{
			Offset: int64(u64At(offsets, i)), TimestampMs: int64(u64At(timestamps, i)), TimestampType: TimestampType(kinds[i]),
			LeaderEpoch: int32(u32At(epochs, i)), Key: keys.at(i), Value: values.at(i), Headers: headers.at(i),
		}
	}
	return records, nil
}

func u32At(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
func u64At(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }

// arrowHeaders are the headers of a row group.
type arrowHeaders struct {
	starts arrowStarts
	all    []Header
}

// at are the headers of record i.
func (h *arrowHeaders) at(i int) []Header {
	from, until := h.starts.at(i), h.starts.at(i+1)
	if from == until {
		return nil
	}
	return h.all[from:until:until]
}

// maxKeyGrowth is how much longer a header key may be in the column: a bad byte becomes the three of U+FFFD.
const maxKeyGrowth = 3

func (r *arrowReader) headers(rows int) *arrowHeaders {
	r.node("headers", rows)
	r.skip() // validity
	h := &arrowHeaders{starts: r.starts(rows, r.payload/canonicalHeader)}
	count := 0
	if r.err == nil {
		count = h.starts.at(rows)
	}
	r.node("headers.element", count)
	r.skip() // validity
	keys, values := r.strings(ondisk.ColumnHeaderKey, count, r.payload*maxKeyGrowth), r.strings(ondisk.ColumnHeaderValue, count, r.payload)
	if r.err != nil {
		return h
	}
	var known keyCache
	h.all = make([]Header, count)
	for i := range h.all {
		h.all[i] = Header{Key: known.find(keys.at(i)), Value: values.at(i)}
	}
	return h
}

func (r *arrowReader) corruptf(format string, args ...any) error {
	return corruptf("column %s: %s", r.column, fmt.Sprintf(format, args...))
}

// node goes on to the next column, which must have length values, and returns how many of them are null.
func (r *arrowReader) node(column string, length int) (nulls int64) {
	if r.err != nil {
		return 0
	}
	n := r.batch.Nodes[0]
	r.column, r.batch.Nodes = column, r.batch.Nodes[1:]
	if n[0] != int64(length) {
		r.err = r.corruptf("%d values, want %d", n[0], length)
	}
	return n[1]
}

// numbers reads a column of numbers of width bytes.
func (r *arrowReader) numbers(column string, length, width int) []byte {
	r.node(column, length)
	r.skip() // validity
	return r.buffer(length * width)
}

// arrowValues are the values of a column of strings.
type arrowValues struct {
	validity []byte // nil: none is null
	starts   arrowStarts
	data     []byte
}

// at is value i; nil is null.
func (v *arrowValues) at(i int) []byte {
	if v.validity != nil && v.validity[i/8]&(1<<(i%8)) == 0 {
		return nil
	}
	from, until := v.starts.at(i), v.starts.at(i+1)
	if from == until {
		return []byte{} // not nil, also where there are no bytes at all
	}
	return v.data[from:until:until]
}

// strings reads a column of strings, of at most limit bytes in all.
func (r *arrowReader) strings(column string, length int, limit int64) *arrowValues {
	var v arrowValues
	if r.node(column, length) != 0 {
		v.validity = r.buffer((length + 7) / 8)
	} else {
		r.skip()
	}
	v.starts = r.starts(length, limit)
	if r.err == nil {
		v.data = r.buffer(v.starts.at(length))
	}
	return &v
}

// arrowStarts are the 32-bit offsets of a column: where its values begin, and at last where they end. They never fall.
type arrowStarts []byte

func (s arrowStarts) at(i int) int { return int(u32At(s, i)) }

// starts reads the offsets of length values, none of them over limit.
func (r *arrowReader) starts(length int, limit int64) arrowStarts {
	if length == 0 && r.err == nil && r.batch.Buffers[0][1] == 0 {
		r.skip() // some writers put nothing there
		return make(arrowStarts, 4)
	}
	s := arrowStarts(r.buffer(4 * (length + 1)))
	if r.err != nil {
		return s
	}
	last := uint32(0)
	for i := range length + 1 {
		next := u32At(s, i)
		if next < last {
			r.err = r.corruptf("value %d ends before it begins", i-1)
			return s
		}
		last = next
	}
	if int64(last) > min(limit, math.MaxInt32) {
		r.err = r.corruptf("%d values or bytes in a row group of %d bytes", last, r.payload)
	}
	return s
}

// skip leaves out the next buffer.
func (r *arrowReader) skip() {
	if r.err == nil {
		r.batch.Buffers = r.batch.Buffers[1:]
	}
}

// buffer reads want bytes from the next buffer, which must hold them.
func (r *arrowReader) buffer(want int) []byte {
	if r.err != nil {
		return nil
	}
	at := r.batch.Buffers[0]
	r.skip()
	if at[0] < 0 || at[1] < 0 || at[0] > r.batch.Body || at[1] > r.batch.Body-at[0] {
		r.err = r.corruptf("buffer of %d bytes at %d in a body of %d", at[1], at[0], r.batch.Body)
		return nil
	}
	var data []byte
	if data, r.err = r.decode(r.at+at[0], at[1], int64(want)); r.err != nil {
		return nil
	}
	return data[:want]
}

// arrowFill is how many bytes a writer may add to a buffer to fill it up.
const arrowFill = 64

// decode reads size bytes of the file, a buffer that holds want bytes.
func (r *arrowReader) decode(at, size, want int64) ([]byte, error) {
	if size == 0 && want == 0 {
		return nil, nil
	}
	if !r.batch.Compressed {
		return r.plain(at, size, want)
	}
	if size < 8 {
		return nil, r.corruptf("compressed buffer of %d bytes", size)
	}
	var head [8]byte
	if err := ondisk.ReadFull(r.source, head[:], at); err != nil {
		return nil, err
	}
	at, size = at+8, size-8
	length := int64(binary.LittleEndian.Uint64(head[:]))
	if length == -1 { // left as it is
		return r.plain(at, size, want)
	}
	if length < want || length > want+arrowFill || length > mostInZstd(size) {
		return nil, r.corruptf("buffer of %d bytes that is said to decompress to %d, want %d", size, length, want)
	}
	if int64(cap(r.scratch)) < size {
		r.scratch = make([]byte, size)
	}
	frame := r.scratch[:size]
	if err := ondisk.ReadFull(r.source, frame, at); err != nil {
		return nil, err
	}
	data, err := decodeZstd(r.memory.page(int(length)), frame)
	if err != nil {
		return nil, r.corruptf("zstd: %v", err)
	}
	if int64(len(data)) != length {
		return nil, r.corruptf("%d bytes decompressed, want %d", len(data), length)
	}
	return data, nil
}

func (r *arrowReader) plain(at, size, want int64) ([]byte, error) {
	if size < want || size > want+arrowFill {
		return nil, r.corruptf("buffer of %d bytes, want %d", size, want)
	}
	data := r.memory.page(int(size))
	return data, ondisk.ReadFull(r.source, data, at)
}

// mostInZstd is the most that size bytes of zstd can decompress to: a block takes at least 4 bytes and gives at most 128 KiB (RFC 8878).
func mostInZstd(size int64) int64 { return (size/4 + 1) * (128 << 10) }

// openArrow reads the footer of an Arrow file and the custom metadata of its last record batch.
func openArrow(r io.ReaderAt, size int64) (map[string][]byte, decoder, error) {
	blocks, err := arrowbytes.ReadFooter(r, size)
	if err != nil {
		return nil, nil, err
	}
	if len(blocks) == 0 {
		return nil, nil, nil
	}
	groups, last := blocks[:len(blocks)-1], blocks[len(blocks)-1]
	kv, err := arrowbytes.Metadata(r, last)
	return kv, &arrowDecoder{source: r, blocks: groups}, err
}
