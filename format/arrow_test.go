package format

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/test/peak"
)

// librarySchema is the schema of an Arrow segment as Arrow's own library has it, and columns that a later version might add.
func librarySchema(more ...arrow.Field) *arrow.Schema {
	header := arrow.StructOf(arrow.Field{Name: "key", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true})
	return arrow.NewSchema(append([]arrow.Field{
		{Name: "offset", Type: arrow.PrimitiveTypes.Int64},
		{Name: "timestamp", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
		{Name: "timestamp_type", Type: arrow.PrimitiveTypes.Int8},
		{Name: "leader_epoch", Type: arrow.PrimitiveTypes.Int32},
		{Name: "key", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "headers", Type: arrow.ListOfField(arrow.Field{Name: "element", Type: header})},
	}, more...), nil)
}

// libraryBatch is records as a record batch of Arrow's own library. Further columns are filled with their row's number as text.
func libraryBatch(schema *arrow.Schema, records []Record, metadata arrow.Metadata) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	headers := b.Field(6).(*array.ListBuilder)
	header := headers.ValueBuilder().(*array.StructBuilder)
	for i := range records {
		r := &records[i]
		b.Field(0).(*array.Int64Builder).Append(r.Offset)
		b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(r.TimestampMs))
		b.Field(2).(*array.Int8Builder).Append(int8(r.TimestampType))
		b.Field(3).(*array.Int32Builder).Append(r.LeaderEpoch)
		appendBinary(b.Field(4), r.Key)
		appendBinary(b.Field(5), r.Value)
		headers.Append(true)
		for _, h := range r.Headers {
			header.Append(true)
			header.FieldBuilder(0).(*array.StringBuilder).Append(strings.ToValidUTF8(h.Key, "\uFFFD"))
			appendBinary(header.FieldBuilder(1), h.Value)
		}
		for more := 7; more < len(schema.Fields()); more++ {
			b.Field(more).(*array.StringBuilder).Append(fmt.Sprint(i))
		}
	}
	batch := b.NewRecordBatch()
	return array.NewRecordBatchWithMetadata(schema, batch.Columns(), batch.NumRows(), metadata)
}

func appendBinary(b array.Builder, v []byte) {
	if v == nil {
		b.AppendNull()
		return
	}
	b.(*array.BinaryBuilder).Append(v)
}

// librarySegment is a segment that Arrow's own library writes, with the document of one that we write.
func librarySegment(t *testing.T, schema *arrow.Schema, records []Record, options ...ipc.Option) []byte {
	t.Helper()
	_, doc := readSegment(t, writeSegment(t, optionsIn(Arrow), records))
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, append(options, ipc.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	metadata := arrow.NewMetadata([]string{"other", "karchive", "karchive.xxh3"}, []string{"x", string(text), ondisk.Digest(text)})
	for _, err := range []error{
		w.Write(libraryBatch(schema, records, arrow.Metadata{})), w.Write(libraryBatch(schema, nil, metadata)), w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestASegmentThatArrowsOwnLibraryWritesIsRead(t *testing.T) {
	more := arrow.Field{Name: "more", Type: arrow.BinaryTypes.String}
	records := append(oddRecords()[:7], Record{Offset: 1 << 40, LeaderEpoch: 7, Value: bytes.Repeat([]byte("0123456789"), 1000)})
	for name, options := range map[string][]ipc.Option{
		"plain":                        nil,
		"zstd":                         {ipc.WithZstd()},
		"zstd only where it saves 20%": {ipc.WithZstd(), ipc.WithMinSpaceSavings(0.2)},
	} {
		for _, schema := range []*arrow.Schema{librarySchema(), librarySchema(more)} {
			t.Run(fmt.Sprintf("%s, %d columns", name, schema.NumFields()), func(t *testing.T) {
				got, _ := readSegment(t, librarySegment(t, schema, records, options...))
				checkEqual(t, got, records)
			})
		}
	}
}

func TestAnArrowFileOfAnotherShapeIsRefused(t *testing.T) {
	records := oddRecords()[:3]
	renamed, seconds := librarySchema().Fields(), librarySchema().Fields()
	renamed[4].Name = "clef"
	seconds[1].Type = &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
	for want, segment := range map[string][]byte{
		"compression 0 by method 0 is not zstd":                  librarySegment(t, librarySchema(), records, ipc.WithLZ4()),
		`field 4 of the Arrow schema is "clef", want key`:        librarySegment(t, arrow.NewSchema(renamed, nil), records),
		"field timestamp of the Arrow schema is of another type": librarySegment(t, arrow.NewSchema(seconds, nil), records),
	} {
		r, err := newReader(bytes.NewReader(segment), int64(len(segment)))
		if err == nil {
			_, err = r.ReadGroup(0)
		}
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrCorrupt: %s", err, want)
		}
	}
}

func TestAnotherArrowFileIsNoArchive(t *testing.T) {
	for name, batches := range map[string]int{"no batch": 0, "a batch": 1} {
		var out bytes.Buffer
		w, err := ipc.NewFileWriter(&out, ipc.WithSchema(librarySchema()))
		if err != nil {
			t.Fatal(err)
		}
		for range batches {
			if err := w.Write(libraryBatch(librarySchema(), oddRecords()[:3], arrow.Metadata{})); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := newReader(bytes.NewReader(out.Bytes()), int64(out.Len())); !errors.Is(err, ErrNotArchive) {
			t.Errorf("%s: got %v, want ErrNotArchive", name, err)
		}
	}
}

func TestArrowsOwnLibraryReadsASegment(t *testing.T) {
	records := manyRecords(15_000, 4)
	for _, codec := range []Compression{"zstd", NoCompression} {
		o := optionsIn(Arrow)
		o.Compression = codec
		segment := writeSegment(t, o, records)
		_, doc := readSegment(t, segment)
		file, err := ipc.NewFileReader(bytes.NewReader(segment))
		if err != nil {
			t.Fatal(err)
		}
		if !file.Schema().Equal(librarySchema()) {
			t.Errorf("got schema %v", file.Schema())
		}
		if got := file.NumRecords(); got != len(doc.Groups)+1 || got < 3 {
			t.Fatalf("got %d record batches, want one more than the %d row groups", got, len(doc.Groups))
		}
		rest := records
		for i := range doc.Groups {
			n := doc.Groups[i].Records
			checkBatch(t, file, i, rest[:n])
			rest = rest[n:]
		}
		checkLastBatch(t, file)
	}
}

func checkBatch(t *testing.T, file *ipc.FileReader, i int, records []Record) {
	t.Helper()
	got, err := file.RecordBatchAt(i)
	if err != nil {
		t.Fatal(err)
	}
	if want := libraryBatch(librarySchema(), records, arrow.Metadata{}); !array.RecordEqual(got, want) {
		t.Errorf("record batch %d differs from what the library makes of its records", i)
	}
}

func checkLastBatch(t *testing.T, file *ipc.FileReader) {
	t.Helper()
	last, err := file.RecordBatchAt(file.NumRecords() - 1)
	if err != nil {
		t.Fatal(err)
	}
	metadata := last.(arrow.RecordBatchWithMetadata).Metadata()
	text, ok := metadata.GetValue("karchive")
	digest, _ := metadata.GetValue("karchive.xxh3")
	if last.NumRows() != 0 || !ok || digest != ondisk.Digest([]byte(text)) {
		t.Errorf("the last record batch has %d rows and metadata %v", last.NumRows(), metadata)
	}
}

// checksumFlag is the bit of a zstd frame's descriptor, its fifth byte, that says that a checksum ends it (RFC 8878).
const checksumFlag = 0x04

// Most of what a flipped bit would make other programs read unawares, the checksum finds.
func TestBuffersOfAnArrowSegmentHaveChecksums(t *testing.T) {
	segment := writeSegment(t, optionsIn(Arrow), oddRecords()[:7])
	blocks, err := arrowbytes.ReadFooter(bytes.NewReader(segment), int64(len(segment)))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, block := range blocks {
		batch, err := arrowbytes.ReadBatch(bytes.NewReader(segment), block)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range batch.Buffers {
			frame := segment[block.Offset+int64(block.Message)+b[0]:][:b[1]]
			if len(frame) == 0 {
				continue
			}
			checked++
			if frame = frame[8:]; frame[4]&checksumFlag == 0 {
				t.Errorf("buffer %d has none", i)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d buffers were looked at", checked)
	}
}

func TestBuffersOfAnArrowSegmentAreAligned(t *testing.T) {
	o := optionsIn(Arrow)
	o.Compression = NoCompression
	segment := writeSegment(t, o, manyRecords(15_000, 5))
	blocks, err := arrowbytes.ReadFooter(bytes.NewReader(segment), int64(len(segment)))
	if err != nil || len(blocks) < 3 {
		t.Fatalf("got %d record batches, %v", len(blocks), err)
	}
	for _, block := range blocks {
		batch, err := arrowbytes.ReadBatch(bytes.NewReader(segment), block)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range batch.Buffers {
			if at := block.Offset + int64(block.Message) + b[0]; at%arrowbytes.Align != 0 {
				t.Errorf("buffer %d is at %d, not at a multiple of %d", i, at, arrowbytes.Align)
			}
		}
	}
}

// A hostile number anywhere in a file must be checked before it is believed. The file is a few kilobytes; what it takes to read it as it
// is stays far below the bound.
func TestForgedNumbersAskForNoMemory(t *testing.T) {
	const bound = 4 << 20
	good := writeSegment(t, optionsIn(Arrow), oddRecords()[:7])
	for _, forged := range []uint64{math.MaxInt64, math.MaxUint32, 1 << 40, 1 << 31, 1 << 30, 100 << 20} {
		for at := 0; at+8 <= len(good); at += 4 {
			bad := bytes.Clone(good)
			binary.LittleEndian.PutUint64(bad[at:], forged)
			n := peak.Allocated(func() {
				if r, err := newReader(bytes.NewReader(bad), int64(len(bad))); err == nil {
					r.ReadGroup(0)
				}
			})
			if n > bound {
				t.Errorf("%#x at %d: allocated %d bytes to read %d", forged, at, n, len(bad))
			}
		}
	}
}

func TestABombIsNotDecompressed(t *testing.T) {
	const rows = 10
	bomb := appendZstd(nil, make([]byte, 64<<20), 1)
	for name, length := range map[string]int64{"that tells its size": 64 << 20, "that hides its size": 8 * rows, "that tells too much": 1 << 40} {
		buffer := append(binary.LittleEndian.AppendUint64(nil, uint64(length)), bomb...)
		r := arrowReader{source: bytes.NewReader(buffer), payload: 33 * rows, memory: new(Buffer), batch: &arrowbytes.Batch{
			Rows: rows, Compressed: true, Body: int64(len(buffer)), Nodes: []arrowbytes.Pair{{rows, 0}}, Buffers: []arrowbytes.Pair{{}, {0, int64(len(buffer))}},
		}}
		n := peak.Allocated(func() { r.numbers(ondisk.ColumnOffset, rows, 8) })
		if !errors.Is(r.err, ErrCorrupt) || n > 1<<20 {
			t.Errorf("a frame of %d bytes %s: got %v after %d bytes of memory", len(bomb), name, r.err, n)
		}
	}
}

// watchedFile counts the goroutines there are while it is read.
type watchedFile struct {
	io.ReaderAt
	most int
}

func (f *watchedFile) ReadAt(b []byte, at int64) (int, error) {
	f.most = max(f.most, runtime.NumGoroutine())
	return f.ReaderAt.ReadAt(b, at)
}

// A panic of a library on another goroutine could be caught by nobody.
func TestReadingASegmentStartsNoGoroutine(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		segment := writeSegment(t, optionsIn(e), manyRecords(15_000, 6))
		before := runtime.NumGoroutine()
		f := &watchedFile{ReaderAt: bytes.NewReader(segment)}
		r, err := newReader(f, int64(len(segment)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Document().Groups {
			if _, err := r.ReadGroup(i); err != nil {
				t.Fatal(err)
			}
		}
		if f.most > before {
			t.Errorf("there were %d goroutines, and %d before", f.most, before)
		}
	})
}
