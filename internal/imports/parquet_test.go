package imports

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/test/peak"
)

// parquetFile is a file with a column of every type, two row groups of n rows each. Of each three rows the second is null where it can be.
func parquetFile(t testing.TB, n int) []byte {
	t.Helper()
	fields := []arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "small", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
		{Name: "unsigned", Type: arrow.PrimitiveTypes.Uint64, Nullable: true},
		{Name: "ok", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "ratio", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "short", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
		{Name: "price", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}, Nullable: true},
		{Name: "day", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "raw", Type: arrow.BinaryTypes.Binary, Nullable: true},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}), Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true},
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range 2 * n {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		for f := 1; f < len(fields); f++ {
			if i%3 == 1 {
				b.Field(f).AppendNull()
			} else {
				appendValue(b.Field(f), i)
			}
		}
	}
	var out bytes.Buffer
	table := array.NewTableFromRecords(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	if err := pqarrow.WriteTable(table, &out, int64(n), parquet.NewWriterProperties(), pqarrow.DefaultWriterProps()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func appendValue(b array.Builder, i int) {
	at := time.Date(2026, 3, 1, 12, 0, i, 123456000, time.UTC)
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(-i))
	case *array.Uint64Builder:
		b.Append(1<<64 - 1 - uint64(i))
	case *array.BooleanBuilder:
		b.Append(i%2 == 0)
	case *array.Float64Builder:
		b.Append(float64(i) + 0.25)
	case *array.Float32Builder:
		b.Append(float32(i) / 10)
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(int64(i*100 - 5)))
	case *array.Date32Builder:
		b.Append(arrow.Date32FromTime(at))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(at.UnixMicro()))
	case *array.StringBuilder:
		b.Append(strings.Repeat("é", i%3))
	case *array.BinaryBuilder:
		b.Append([]byte{0xff, byte(i)})
	case *array.StructBuilder:
		b.Append(true)
		b.FieldBuilder(0).(*array.Int32Builder).Append(int32(i))
	case *array.ListBuilder:
		b.Append(true)
		b.ValueBuilder().(*array.Int32Builder).Append(int32(i))
	}
}

func TestParquetOfAnyShape(t *testing.T) {
	data := string(parquetFile(t, 2000))
	got := mustImport(t, Options{Topic: "t"}, textFile(Parquet, "f", data, OpenOptions{Mapping: mapping(t, "key=id", "timestamp=at", "header=raw=raw", "object=*")}))
	if got.Records != 4000 {
		t.Fatalf("got %+v", got.Report)
	}
	lines := strings.SplitAfter(got.lines(t), "\n")
	want := `{"topic":"t","partition":0,"offset":3,"timestamp_ms":1772366403123,"timestamp_type":"create","leader_epoch":-1,"key":"3","value":"{\"small\":-3,\"unsigned\":18446744073709551612,\"ok\":false,\"ratio\":3.25,\"short\":0.3,\"price\":2.95,\"day\":\"2026-03-01\",\"name\":\"\",\"s\":{\"x\":3},\"list\":[3]}","headers":[{"key":"raw","value":{"base64":"/wM="}}]}
{"topic":"t","partition":0,"offset":4,"timestamp_ms":-1,"timestamp_type":"none","leader_epoch":-1,"key":"4","value":"{\"small\":null,\"unsigned\":null,\"ok\":null,\"ratio\":null,\"short\":null,\"price\":null,\"day\":null,\"name\":null,\"s\":null,\"list\":null}","headers":[{"key":"raw","value":null}]}
`
	if s := lines[3] + lines[4]; s != want {
		t.Errorf("got\n%swant\n%s", s, want)
	}
	first := `"value":"{\"small\":0,\"unsigned\":18446744073709551615,\"ok\":true,\"ratio\":0.25,\"short\":0,\"price\":-0.05,`
	if !strings.Contains(lines[0], first) {
		t.Errorf("got %s", lines[0])
	}
	last := mustImport(t, Options{Topic: "t"}, textFile(Parquet, "f", data, OpenOptions{Mapping: mapping(t, "value=raw", "offset=id")}))
	if s := last.short(t); !strings.HasSuffix(s, `{"topic":"t","partition":0,"offset":3999,"key":null,"value":{"base64":"/58="}}`+"\n") {
		t.Errorf("got %s", s[len(s)-200:])
	}
}

func TestParquetThatCannotBeReadIsRefused(t *testing.T) {
	whole := string(parquetFile(t, 10))
	for name, text := range map[string]string{"cut": whole[:len(whole)/2], "cut at its end": whole[:len(whole)-1], "a magic alone": "PAR1"} {
		_, err := importFiles(t, Options{Topic: "t", SkipBad: 100}, textFile(Parquet, "f", text, OpenOptions{}))
		if !isDamaged(err) || errors.Is(err, format.ErrCorrupt) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, text := range map[string]string{"not Parquet": "a,b\n1,2\n", "empty": "", "encrypted": "PARE" + whole[4:]} {
		_, err := importFiles(t, Options{Topic: "t", SkipBad: 100}, textFile(Parquet, "f", text, OpenOptions{}))
		if _, ok := errors.AsType[*foreign.UnsupportedError](err); !ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := importFiles(t, Options{Topic: "t"}, textFile(Parquet, "f", whole, OpenOptions{Mapping: mapping(t, "value=list.list.element")})); err == nil || !strings.Contains(err.Error(), "no column list.list.element") {
		t.Errorf("an element of a list: got %v", err)
	}
}

func TestASegmentIsNoTable(t *testing.T) {
	files, err := filepath.Glob("../../testdata/golden-1.0/data/*/*/*.parquet")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no segment of the golden archive, %v", err)
	}
	segment, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = importFiles(t, Options{Topic: "t"}, textFile(Parquet, "f", string(segment), OpenOptions{}))
	if err == nil || !strings.Contains(err.Error(), "it is a segment of an archive") {
		t.Errorf("got %v", err)
	}
}

// TestDamagedParquetEndsWithAnErrorOrGivesRows flips bytes: nothing may panic or go on for ever.
func TestDamagedParquetEndsWithAnErrorOrGivesRows(t *testing.T) {
	whole := parquetFile(t, 40)
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		data := bytes.Clone(whole)
		for range 1 + random.IntN(3) {
			data[random.IntN(len(data))] ^= 1 << random.IntN(8)
		}
		s, err := Open(Parquet, Input{"f", bytes.NewReader(data), int64(len(data))}, OpenOptions{Mapping: Mapping{Object: []Column{{Name: "*"}}}})
		for n := 0; err == nil; n++ {
			_, err = s.Next()
			if n > 100_000 {
				t.Fatal("it does not end")
			}
		}
		if _, unsupported := errors.AsType[*foreign.UnsupportedError](err); err != io.EOF && !unsupported && !isDamaged(err) && !strings.Contains(err.Error(), "column") {
			t.Fatalf("got %v", err)
		}
	}
}

// A number in the footer that asks for gigabytes: the file ends up refused or read, and is not answered with memory.
func TestForgedNumbersInAFooterAskForNoMemory(t *testing.T) {
	const bound = 32 << 20
	step := 3
	if testing.Short() {
		step = 50
	}
	whole := parquetFile(t, 5)
	footer := len(whole) - 8 - int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))
	for _, number := range [][]byte{binary.AppendVarint(nil, math.MaxInt32), binary.AppendVarint(nil, math.MaxInt64), binary.AppendVarint(nil, 100<<20)} {
		for at := footer; at < len(whole)-8; at += step {
			data := slices.Concat(whole[:at], number, whole[at+1:])
			binary.LittleEndian.PutUint32(data[len(data)-8:], uint32(len(data)-8-footer))
			if n := peak.Allocated(func() { readAll(data) }); n > bound {
				t.Fatalf("%x at %d: allocated %d bytes to read %d", number, at-footer, n, len(data))
			}
		}
	}
}

func readAll(data []byte) {
	s, err := Open(Parquet, Input{"f", bytes.NewReader(data), int64(len(data))}, OpenOptions{Mapping: Mapping{Object: []Column{{Name: "*"}}}})
	for n := 0; err == nil && n < 100; n++ {
		_, err = s.Next()
	}
}

// TestAPageOf70MBIsRead writes what pyarrow writes of large binaries: it looks at the size of a page only every 1,024 values.
func TestAPageOf70MBIsRead(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.Binary}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	value := bytes.Repeat([]byte("x"), 100<<10)
	for range 700 {
		b.Field(0).(*array.BinaryBuilder).Append(value)
	}
	var out bytes.Buffer
	table := array.NewTableFromRecords(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	properties := parquet.NewWriterProperties(parquet.WithDictionaryDefault(false), parquet.WithDataPageSize(1<<30))
	if err := pqarrow.WriteTable(table, &out, 700, properties, pqarrow.DefaultWriterProps()); err != nil {
		t.Fatal(err)
	}
	rows := func(max int64) (n int, err error) {
		s, err := Open(Parquet, Input{"f", bytes.NewReader(out.Bytes()), int64(out.Len())}, OpenOptions{MaxRow: max})
		for err == nil {
			if _, err = s.Next(); err == nil {
				n++
			}
		}
		return n, err
	}
	if n, err := rows(0); n != 700 || err != io.EOF {
		t.Errorf("got %d rows, %v", n, err)
	}
	_, err := rows(1 << 20)
	if limit, ok := errors.AsType[*foreign.LimitError](err); !ok || limit.Limit != foreign.RowLimit {
		t.Errorf("over the limit: got %v", err)
	}
}
