package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// foreignSegment is a Parquet segment that Arrow's own library writes, with the document of one that we write.
func foreignSegment(t *testing.T, records []Record, options ...parquet.WriterProperty) []byte {
	t.Helper()
	own := writeSegment(t, optionsIn(Parquet), records)
	metadata, _, err := openParquet(bytes.NewReader(own), int64(len(own)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	table := array.NewTableFromRecords(librarySchema(), []arrow.RecordBatch{libraryBatch(librarySchema(), records, arrow.Metadata{})})
	w, err := pqarrow.NewFileWriter(librarySchema(), &out, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range metadata {
		if err := w.AppendKeyValueMetadata(key, string(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.WriteTable(table, int64(len(records))), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAParquetSegmentOfAnotherWriterIsRead(t *testing.T) {
	records := oddRecords()[:7]
	zstd := parquet.WithCompression(compress.Codecs.Zstd)
	for name, options := range map[string][]parquet.WriterProperty{
		"with dictionaries":             {zstd},
		"plain":                         {zstd, parquet.WithDictionaryDefault(false)},
		"not compressed":                {parquet.WithDictionaryDefault(false)},
		"with pages of version 2":       {zstd, parquet.WithDataPageVersion(parquet.DataPageV2)},
		"with offsets as they are here": {zstd, parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("offset", parquet.Encodings.DeltaBinaryPacked)},
		"with lengths as they are here": {zstd, parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("value", parquet.Encodings.DeltaLengthByteArray)},
	} {
		got, _ := readSegment(t, foreignSegment(t, records, options...))
		if got, want := digestOf(got), digestOf(records); got != want {
			t.Errorf("%s: got records of digest %s, want %s", name, got, want)
		}
	}
}

// The library's own limit of a page is 64 MiB, and below that of a record.
func TestAPageOfAnotherWriterHoldsAnyRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds with the race detector: a page of 64 MiB")
	}
	records := []Record{{Offset: 1200, Value: make([]byte, parquet.DefaultMaxCompressedPageSize+1)}}
	got, _ := readSegment(t, foreignSegment(t, records, parquet.WithDictionaryDefault(false), parquet.WithStats(false)))
	if len(got) != 1 || len(got[0].Value) != len(records[0].Value) {
		t.Errorf("got %d records, want one with a value of %d bytes", len(got), len(records[0].Value))
	}
}

func TestAPageOfAnotherWriterWithFewerValuesThanLevelsIsRefused(t *testing.T) {
	records := []Record{{Offset: 1200, Value: []byte("a")}, {Offset: 1201, Value: []byte("b")}, {Offset: 1202, Value: []byte("c")}}
	file := foreignSegment(t, records, parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("value", parquet.Encodings.DeltaLengthByteArray))
	page := withoutLevels(valuesPage(t, file), columnLevels[readValue])
	count := bytes.Index(page, []byte{128, 1, 4, 3}) + 3 // blocks of 128 in 4 parts, of 3 values
	if count != 3 {
		t.Fatalf("got a page of values % x, want one that begins with the shape of its blocks", page)
	}
	page[count] = 2
	if err := readHostile(t, file); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "column value: 2 values, its levels say 3") {
		t.Errorf("got %v, want ErrCorrupt of the values", err)
	}
}

// The numbers that the library believes are everywhere in a segment of another writer, too.
func TestForgedNumbersOfAnotherWriterAskForNoMemory(t *testing.T) {
	for _, options := range [][]parquet.WriterProperty{
		{parquet.WithCompression(compress.Codecs.Zstd)},
		{parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("offset", parquet.Encodings.DeltaBinaryPacked)},
	} {
		good := foreignSegment(t, oddRecords()[:7], options...)
		for _, forged := range forgedVarints {
			for at := 4; at < len(good)-parquetbytes.Tail; at += 4 * forgedStep() {
				readHostile(t, replaced(good, at, forged))
			}
		}
	}
}

func digestOf(records []Record) string {
	digest, _ := recordsDigest(records)
	return digest
}

// A data page without values is legal Parquet, wherever it stands in a column.
func TestPagesWithoutValuesAreRead(t *testing.T) {
	fsys, err := storage.DirFS("testdata/empty-pages")
	if err != nil {
		t.Fatal(err)
	}
	records := int64(0)
	err = Verify(fsys, VerifyOptions{Deep: true}, func(c FileCheck) error {
		if c.Document != nil {
			records += c.Document.Records
		}
		return c.Err()
	})
	if err != nil || records != 566 {
		t.Errorf("got %d records, %v, want 566", records, err)
	}
}

// The codec that the library decompresses with writes past the size that a page says.
func TestABombOfAnotherWriterIsNotDecompressed(t *testing.T) {
	noise := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{}).Read(noise)
	records := []Record{{Offset: 1200, Value: noise}}
	for name, version := range map[string]parquet.DataPageVersion{"version 1": parquet.DataPageV1, "version 2": parquet.DataPageV2} {
		file := foreignSegment(t, records, parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDictionaryDefault(false),
			parquet.WithDataPageVersion(version))
		page := valuesPage(t, file)
		if version == parquet.DataPageV2 {
			page = page[bytes.Index(page, zstdMagic):]
		}
		bomb := appendZstd(nil, make([]byte, 256<<20), 1)
		bomb = append(bomb, 0x50, 0x2a, 0x4d, 0x18) // a frame to skip, up to the end of the page
		bomb = binary.LittleEndian.AppendUint32(bomb, uint32(len(page)-len(bomb)-4))
		copy(page, bomb)
		if err := readHostile(t, file); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "column value: page of encoding") {
			t.Errorf("pages of %s: got %v, want ErrCorrupt", name, err)
		}
	}
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// valuesPage is the data of the first page of the values in a segment, in place.
func valuesPage(t *testing.T, file []byte) []byte {
	t.Helper()
	o := ownPages(t, file)
	c, err := o.group.ColumnChunk(o.decoder.columns[readValue])
	if err != nil {
		t.Fatal(err)
	}
	_, data, _, _ := parquetbytes.NextPage(file[firstPage(c):])
	return data
}

// Who uses this package may use the library for other files, and gets the library as it is.
func TestTheParquetLibraryKeepsItsCodecs(t *testing.T) {
	for _, c := range []compress.Compression{compress.Codecs.Zstd, compress.Codecs.Uncompressed} {
		codec, err := compress.GetCodec(c)
		if err != nil {
			t.Fatal(err)
		}
		const want = "github.com/apache/arrow-go/v18/parquet/compress"
		if got := reflect.TypeOf(codec).PkgPath(); got != want {
			t.Errorf("%s: got a codec of %s, want one of %s", c, got, want)
		}
	}
}
