package format

import (
	"bytes"
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
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
		if len(got) != len(records) || digestOf(got) != digestOf(records) {
			t.Errorf("%s: got %d records that differ", name, len(got))
		}
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
			for at := 4; at < len(good)-parquetTail; at += 4 * forgedStep() {
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
	fsys, err := DirFS("testdata/empty-pages")
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
