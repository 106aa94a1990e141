package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/karchive/karchive/internal/parquetbytes"
)

// listedColumns gives columns as they stand here. Two records have the keys a, and none, and the headers h, and none.
type listedColumns struct {
	ints  map[int][]int64
	bytes map[int]listedPayloads
}

type listedPayloads struct {
	definitions, repetitions []byte
	values                   []string
}

func (l *listedColumns) numbers(column int, use func([]int64) error) error {
	return use(l.ints[column])
}

func (l *listedColumns) payloads(column int, use func(levels, payloadValues) error) error {
	p := l.bytes[column]
	var v payloadValues
	for _, s := range p.values {
		v.lengths, v.bytes = append(v.lengths, int64(len(s))), append(v.bytes, s...)
	}
	return use(levels{p.definitions, p.repetitions}, v)
}

func TestColumnsThatDoNotFitEachOtherAreRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(l *listedColumns)
		want   string
	}{
		{"nothing", func(*listedColumns) {}, ""},
		{"a number less", func(l *listedColumns) { l.ints[readLeaderEpoch] = []int64{1} }, "column leader_epoch: ends early"},
		{"a number more", func(l *listedColumns) { l.ints[readOffset] = []int64{1, 2, 3} }, "3 values for 2 rows"},
		{"a payload less", func(l *listedColumns) { l.bytes[readValue] = listedPayloads{definitions: []byte{0}} }, "column value: ends early"},
		{"a payload more", func(l *listedColumns) { l.bytes[readKey] = listedPayloads{definitions: []byte{0, 0, 0}} }, "more values than rows"},
		{"headers of a row less", func(l *listedColumns) {
			l.bytes[readHeaderKey] = listedPayloads{[]byte{1}, []byte{0}, []string{"h"}}
		}, "headers of 1 rows for 2"},
		{"headers of a row more", func(l *listedColumns) {
			l.bytes[readHeaderKey] = listedPayloads{[]byte{1, 0, 0}, []byte{0, 0, 0}, []string{"h"}}
		}, "more rows than 2"},
		{"headers before a row", func(l *listedColumns) {
			l.bytes[readHeaderKey] = listedPayloads{[]byte{1, 0, 0}, []byte{1, 0, 0}, []string{"h"}}
		}, "more rows than 2"},
		{"a header value less", func(l *listedColumns) {
			l.bytes[readHeaderValue] = listedPayloads{[]byte{0, 0}, []byte{0, 0}, nil}
		}, "0 header values for 1 keys"},
		{"a header value more", func(l *listedColumns) {
			l.bytes[readHeaderValue] = listedPayloads{[]byte{2, 1}, []byte{0, 1}, []string{"v"}}
		}, "more header values than keys"},
	} {
		l := &listedColumns{
			map[int][]int64{readOffset: {1, 2}, readTimestamp: {3, 4}, readTimestampType: {0, 0}, readLeaderEpoch: {5, 5}},
			map[int]listedPayloads{
				readKey: {definitions: []byte{1, 0}, values: []string{"a"}}, readValue: {definitions: []byte{0, 0}},
				readHeaderKey: {[]byte{1, 0}, []byte{0, 0}, []string{"h"}}, readHeaderValue: {[]byte{2, 0}, []byte{0, 0}, []string{"v"}},
			},
		}
		c.change(l)
		records, err := assemble(l, 2, new(Buffer))
		if c.want == "" && (err != nil || string(records[0].Key) != "a" || string(records[0].Headers[0].Value) != "v" || records[1].Headers != nil) {
			t.Errorf("%s: got %+v, %v", c.what, records, err)
		}
		if c.want != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", c.what, err, c.want)
		}
	}
}

func TestAColumnOfAnotherShapeIsRefused(t *testing.T) {
	required, optional, repeated := parquet.Repetitions.Required, parquet.Repetitions.Optional, parquet.Repetitions.Repeated
	for _, c := range []struct {
		path string
		leaf schema.Node
		want string // empty: it is right
	}{
		{"offset", schema.NewInt64Node("offset", required, -1), ""},
		{"offset", schema.NewInt64Node("other", required, -1), "no column offset"},
		{"offset", schema.NewInt32Node("offset", required, -1), "column offset is INT32"},
		{"offset", schema.NewInt64Node("offset", optional, -1), "column offset is INT64 at levels 1 and 0"},
		{"key", schema.NewByteArrayNode("key", optional, -1), ""},
		{"key", schema.NewByteArrayNode("key", required, -1), "column key is BYTE_ARRAY at levels 0 and 0"},
		{"key", schema.NewByteArrayNode("key", repeated, -1), "column key is BYTE_ARRAY at levels 1 and 1"},
	} {
		root := schema.MustGroup(schema.NewGroupNode("schema", required, schema.FieldList{c.leaf}, -1))
		_, err := findColumn(&metadata.FileMetaData{Schema: schema.NewSchema(root)}, c.path)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", c.leaf.Name(), err, c.want)
		}
	}
}

// firstColumn moves the column of offsets.
func firstColumn(at, size int64) func(m *metadata.FileMetaData) {
	return func(m *metadata.FileMetaData) {
		c := m.RowGroups[0].Columns[0].MetaData
		c.DataPageOffset, c.TotalCompressedSize = at, size
	}
}

// What a footer says of a row group must be what the document says, and in the file.
func TestAFooterThatContradictsTheDocumentIsRefused(t *testing.T) {
	good := writeSegment(t, testOptions(), oddRecords()[:2])
	for _, c := range []struct {
		what   string
		change func(m *metadata.FileMetaData)
		want   string
	}{
		{"rows", func(m *metadata.FileMetaData) { m.RowGroups[0].NumRows = 3 }, "3 rows, the document says 2"},
		{"row groups", func(m *metadata.FileMetaData) { m.RowGroups = append(m.RowGroups, m.RowGroups[0]) }, "2 row groups, the document says 1"},
		{"a column in the magic", firstColumn(3, 1), "column offset is said to be"},
		{"a column below nothing", firstColumn(4, -1), "column offset is said to be -1 bytes"},
		{"a column behind the file", firstColumn(1<<20, 1), "column offset is said to be"},
		{"a column over the end", firstColumn(4, 2*int64(len(good))), "column offset is said to be"},
	} {
		if err := readHostile(t, withFooter(t, good, c.change)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", c.what, err, c.want)
		}
	}
}

// ownPages is a reader of the row group of a segment, and its file, which can be changed under it.
func ownPages(t *testing.T, file []byte) *ownReader {
	t.Helper()
	r, err := newReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	d := r.groups.(*parquetDecoder)
	if err := d.open(1); err != nil {
		t.Fatal(err)
	}
	return d.newOwnReader(d.file.RowGroup(0).MetaData(), &r.doc.Groups[0], new(Buffer))
}

// Pages that are laid out otherwise are not ours to read.
func TestPagesOfAnotherLayoutAreLeftToTheLibrary(t *testing.T) {
	o := testOptions()
	o.Compression = NoCompression
	good := writeSegment(t, o, oddRecords()[:2])
	ends := "\x15\x06\x15\x06\x00\x00" // the encodings of levels, and the end of a page header
	for _, c := range []struct {
		what   string
		behind int
		number byte
	}{
		{"levels", 1, 8}, // BIT_PACKED
		{"values", -1, 0},
	} {
		file := bytes.Clone(good)
		at := bytes.Index(file, []byte(ends))
		file[at+c.behind] = c.number
		err := ownPages(t, file).eachPage(readOffset, parquet.Encodings.DeltaBinaryPacked, false, func(page) error { return nil })
		if at < 0 || !errors.Is(err, parquetbytes.ErrForeign) {
			t.Errorf("%s: got %v, want ErrForeign", c.what, err)
		}
	}
	if err := ownPages(t, good).eachPage(readOffset, parquet.Encodings.DeltaBinaryPacked, false, func(page) error { return nil }); err != nil {
		t.Errorf("what is ours: got %v", err)
	}
}

func TestAPageIsAsLongAsItsHeaderSays(t *testing.T) {
	o := &ownReader{memory: new(Buffer), ownScratch: new(ownScratch), unzstd: parquetbytes.DecodeTrustedZstd}
	data := make([]byte, 100)
	for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Zstd} {
		stored := data
		if codec == compress.Codecs.Zstd {
			stored = appendZstd(nil, data, 1)
		}
		for size, right := range map[int]bool{99: false, 100: true, 101: false} {
			if body, err := o.decompress(stored, size, codec, false); right != (err == nil) {
				t.Errorf("%s: %d bytes for %d: got %d, %v", codec, len(data), size, len(body), err)
			}
		}
	}
}

// pageFits is an error for a page that a row group of 5 levels and 100 bytes cannot have.
func (o *ownReader) pageFits(h parquetbytes.PageHeader) error {
	o.values, o.left = 5, 100
	if !o.fits(&h) {
		return fmt.Errorf("%+v does not fit", h)
	}
	return nil
}

func TestAPageIsInProportionToItsRowGroup(t *testing.T) {
	o := &ownReader{}
	if err := o.pageFits(parquetbytes.PageHeader{Compressed: 1 << 40, Uncompressed: 100, Values: 5}); err != nil {
		t.Error(err)
	}
	for _, h := range []parquetbytes.PageHeader{{Compressed: -1}, {Uncompressed: -1}, {Uncompressed: 101}, {Values: -1}, {Values: 6}} {
		if o.pageFits(h) == nil {
			t.Errorf("%+v fits", h)
		}
	}
}

// The library takes memory by what pages say; it sees only what passed here.
func TestPagesThatTheLibraryMustNotSeeAreRefused(t *testing.T) {
	delta := int64(parquet.Encodings.DeltaBinaryPacked)
	shape := func(block, minis uint64) []byte { return binary.AppendUvarint(binary.AppendUvarint(nil, block), minis) }
	for _, c := range []struct {
		what string
		h    parquetbytes.PageHeader
		body []byte
		want string
	}{
		{"right", parquetbytes.PageHeader{Encoding: delta}, shape(128, 4), ""},
		{"a delta page of version 2", parquetbytes.PageHeader{Kind: parquetbytes.KindDataV2, Encoding: delta}, shape(128, 4), "not read in pages of version 2"},
		{"no block", parquetbytes.PageHeader{Encoding: delta}, shape(0, 4), "no shape that writers make"},
		{"a block over the limit", parquetbytes.PageHeader{Encoding: delta}, shape(maxDeltaBlock+1, 4), "no shape that writers make"},
		{"no miniblock", parquetbytes.PageHeader{Encoding: delta}, shape(128, 0), "no shape that writers make"},
		{"more miniblocks than values", parquetbytes.PageHeader{Encoding: delta}, shape(128, 129), "no shape that writers make"},
		{"no shape at all", parquetbytes.PageHeader{Encoding: delta}, []byte{128}, "no shape that writers make"},
		{"levels over the page", parquetbytes.PageHeader{Kind: parquetbytes.KindDataV2, LevelBytes: 3}, shape(128, 4), "levels are longer"},
		{"levels below nothing", parquetbytes.PageHeader{Kind: parquetbytes.KindDataV2, LevelBytes: -1}, shape(128, 4), "levels are longer"},
	} {
		c.h.Compressed, c.h.Uncompressed = int64(len(c.body)), int64(len(c.body))
		if c.what == "levels over the page" {
			c.h.LevelBytes = c.h.Compressed + 1
		}
		o := &ownReader{memory: new(Buffer), ownScratch: new(ownScratch), unzstd: parquetbytes.DecodeTrustedZstd}
		err := o.checkForeignPage(readOffset, &c.h, c.body, compress.Codecs.Uncompressed)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.what, err, c.want)
		}
	}
	levels := append(binary.LittleEndian.AppendUint32(nil, 2), 1, 2, 3)
	if got := withoutLevels(levels, 1); string(got) != "\x03" {
		t.Errorf("behind the levels: got %v, want 3", got)
	}
	for _, body := range [][]byte{levels[:3], levels[:5]} {
		if got := withoutLevels(body, 1); got != nil {
			t.Errorf("levels over their page: got %v", got)
		}
	}
}

func TestACodecThatNoSegmentHasIsRefused(t *testing.T) {
	file := foreignSegment(t, oddRecords()[:7], parquet.WithCompression(compress.Codecs.Gzip))
	if err := readHostile(t, file); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "compression GZIP is not of a segment") {
		t.Errorf("got %v, want ErrCorrupt that names GZIP", err)
	}
}

// What the pages that the library reads may hold together has a bound, as of ours.
func TestThePagesOfAnotherWriterShareOneBound(t *testing.T) {
	file := foreignSegment(t, oddRecords()[:7])
	const plenty = 1 << 30
	o := ownPages(t, file)
	o.left = plenty
	if err := o.checkForeign(); err != nil || o.left >= plenty {
		t.Fatalf("got %d bytes of pages, %v", plenty-o.left, err)
	}
	short := ownPages(t, file)
	short.left = plenty - o.left - 1
	if err := short.checkForeign(); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "page header") {
		t.Errorf("a byte less than they hold: got %v, want ErrCorrupt", err)
	}
}

// Each entry of a dictionary takes a byte at least: the library makes room for as many as the header says.
func TestADictionaryHasNoMoreEntriesThanBytes(t *testing.T) {
	file := foreignSegment(t, manyRecords(100, 1)[:100])
	o := ownPages(t, file)
	c, err := o.group.ColumnChunk(o.decoder.columns[readLeaderEpoch])
	if err != nil || !c.HasDictionaryPage() {
		t.Fatalf("the column has no dictionary: %v", err)
	}
	h, _, _, _ := parquetbytes.NextPage(file[firstPage(c):])
	entries := append([]byte{0x15}, binary.AppendVarint(nil, h.Values)...)
	at := bytes.LastIndex(file[:firstPage(c)+24], entries)
	file[at+1] = byte(2 * (h.Uncompressed + 1))
	if err := ownPages(t, file).checkForeign(); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "column leader_epoch: page header") {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}
