package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
	"github.com/karchive/karchive/test/peak"
)

// What reading a file takes at most, however small it is: a few times what its document says of its largest row group, which here
// is next to nothing.
const hostileMemory = 4 << 20

// forgedVarints are numbers in Thrift's compact protocol: the largest of 32 and of 64 bits, signed and not, and some that are only large.
var forgedVarints = [][]byte{
	binary.AppendVarint(nil, math.MaxInt32), binary.AppendVarint(nil, math.MinInt32), binary.AppendVarint(nil, math.MaxInt64),
	binary.AppendVarint(nil, math.MinInt64), binary.AppendVarint(nil, 1<<30), binary.AppendVarint(nil, 100<<20), {0xff, 0xff, 0xff, 0xff, 0x0f},
}

// forgedStep is the distance of the bytes that are forged: with -short, which the race detector runs with, few are.
func forgedStep() int {
	if testing.Short() {
		return 16
	}
	return 1
}

// A hostile number in place of any byte of a Parquet file, whose length stays or grows: the page headers and the footer hold them in as many
// bytes as they need.
func TestForgedNumbersInParquetAskForNoMemory(t *testing.T) {
	step := forgedStep()
	for _, codec := range []Compression{"zstd", NoCompression} {
		o := optionsIn(Parquet)
		o.Compression = codec
		good := writeSegment(t, o, oddRecords()[:7])
		document := bytes.Index(good, []byte(`{"version"`)) // protected by its digest
		for _, forged := range forgedVarints {
			for at := 0; at < document; at += step {
				readHostile(t, replaced(good, at, forged))
			}
			for at := document + 1000; at < len(good); at += step {
				readHostile(t, replaced(good, at, forged))
			}
		}
	}
}

// replaced overwrites a byte with a number. The number of bytes that the footer has is set right.
func replaced(good []byte, at int, number []byte) []byte {
	bad := append(append(bytes.Clone(good[:at]), number...), good[min(at+1, len(good)):]...)
	n := binary.LittleEndian.Uint32(good[len(good)-parquetbytes.Tail:])
	if footer := len(good) - parquetbytes.Tail - int(n); at >= footer && at < len(good)-parquetbytes.Tail {
		binary.LittleEndian.PutUint32(bad[len(bad)-parquetbytes.Tail:], n+uint32(len(number)-1))
	}
	return bad
}

// readHostile returns the first error of reading a file, all row groups of which are tried.
func readHostile(t *testing.T, file []byte) (err error) {
	t.Helper()
	n := peak.Allocated(func() {
		var r *reader
		if r, err = newReader(bytes.NewReader(file), int64(len(file))); err != nil {
			return
		}
		for i := range r.Document().Groups {
			if _, e := r.ReadGroup(i); err == nil {
				err = e
			}
		}
	})
	if n > hostileMemory {
		t.Fatalf("got %d bytes allocated to read %d, want at most %d", n, len(file), hostileMemory)
	}
	return err
}

// A small segment whose document is right, and in which one number that no digest protects asks for gigabytes. Each lie meets its own guard.
func TestASmallParquetFileThatAsksForGigabytesGetsNothing(t *testing.T) {
	o := optionsIn(Parquet)
	o.Compression = NoCompression
	good := writeSegment(t, o, oddRecords()[:2])
	if err := readHostile(t, good); err != nil {
		t.Fatalf("the segment that is right: %v", err)
	}
	huge := binary.AppendVarint(nil, math.MaxInt32)
	many := binary.AppendUvarint(nil, math.MaxInt32)
	for _, lie := range []struct {
		what      string
		old       string // stands before the number
		number    []byte
		complaint string
	}{
		{"row groups", "\x16\x04\x19", append([]byte{0xfc}, many...), "footer is not well-formed"},
		{"elements of the schema", "\x15\x04\x19", append([]byte{0xfc}, many...), "footer is not well-formed"},
		{"children of the root", "\x06schema\x15", huge, "footer is not well-formed"},
		{"bytes of the footer's text", "\x08karchive\x18", many, "footer is not well-formed"},
	} {
		at := bytes.Index(good, []byte(lie.old))
		if at < 0 {
			t.Fatalf("%s: the place of the lie is not there: %q", lie.what, lie.old)
		}
		checkLie(t, lie.what, replaced(good, at+len(lie.old), lie.number), lie.complaint)
	}
	for _, number := range [][]byte{huge, binary.AppendVarint(nil, math.MinInt32)} {
		checkLie(t, "values of a page", inPage(t, good, "\x1c\x15\x04\x15\x0c", 2, number), "column key: page header")
		checkLie(t, "bytes of a page", inPage(t, good, "PAR1\x15\x00\x15", 7, number), "column offset: page header")
		checkLie(t, "compressed bytes of a page", inPage(t, good, "PAR1\x15\x00\x15", 9, number), "column offset: page header")
	}
	checkLie(t, "bytes of a column", withFooter(t, good, func(m *metadata.FileMetaData) {
		m.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = math.MaxInt32
	}), "column offset is said to be 2147483647 bytes")
	checkLie(t, "place of a column", withFooter(t, good, func(m *metadata.FileMetaData) {
		m.RowGroups[0].Columns[0].MetaData.DataPageOffset = math.MaxInt64
	}), "column offset is said to be")
}

// What the pages of a row group may hold together has a bound: none of these is too large alone.
func TestThePagesOfARowGroupShareOneBound(t *testing.T) {
	large, small := make([]Record, 8), make([]Record, 8)
	for i := range large {
		large[i] = Record{Offset: 1200 + int64(i), Value: make([]byte, 1000<<10)}
		small[i] = Record{Offset: 1200 + int64(i)}
	}
	of := writeSegment(t, optionsIn(Parquet), small)
	document, _, err := openParquet(bytes.NewReader(of), int64(len(of)))
	if err != nil {
		t.Fatal(err)
	}
	checkLie(t, "pages together", withFooter(t, writeSegment(t, optionsIn(Parquet), large), func(m *metadata.FileMetaData) {
		kv := metadata.NewKeyValueMetadata()
		for key, value := range document {
			if err := kv.Append(key, string(value)); err != nil {
				t.Fatal(err)
			}
		}
		m.FileMetaData.KeyValueMetadata = kv
	}), "column value: page header")
}

func checkLie(t *testing.T, what string, file []byte, complaint string) {
	t.Helper()
	err := readHostile(t, file)
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), complaint) {
		t.Errorf("gigabytes as %s: got %v, want ErrCorrupt with %q", what, err, complaint)
	}
}

// inPage puts a number in place of the byte that stands so far behind the beginning of a text, and sets right what the footer says of
// places and sizes.
func inPage(t *testing.T, good []byte, text string, behind int, number []byte) []byte {
	t.Helper()
	at := bytes.Index(good, []byte(text)) + behind
	if at < behind {
		t.Fatalf("the place of the lie is not there: %q", text)
	}
	return withFooter(t, replaced(good, at, number), func(m *metadata.FileMetaData) {
		for _, c := range m.RowGroups[0].Columns {
			more := int64(len(number) - 1)
			switch begin := c.MetaData.DataPageOffset; {
			case begin > int64(at):
				c.MetaData.DataPageOffset += more
			case begin+c.MetaData.TotalCompressedSize > int64(at):
				c.MetaData.TotalCompressedSize += more
			}
		}
	})
}

// withFooter is a Parquet file whose footer says something else.
func withFooter(t *testing.T, good []byte, change func(*metadata.FileMetaData)) []byte {
	t.Helper()
	footer, err := parquetbytes.ReadFooter(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := metadata.NewFileMetaData(footer, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	out := bytes.NewBuffer(bytes.Clone(good[:len(good)-parquetbytes.Tail-len(footer)]))
	n, err := m.WriteTo(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.LittleEndian.AppendUint32(out.Bytes(), uint32(n)), parquetbytes.Magic...)
}

// Whatever the pages of a row group say, they are decompressed only up to a few times the bytes that the document states.
func TestAParquetBombIsNotDecompressed(t *testing.T) {
	bomb := appendZstd(nil, make([]byte, 256<<20), 1)
	d := &parquetDecoder{}
	o := &ownReader{decoder: d, memory: new(Buffer), ownScratch: &d.own, left: 1 << 20, unzstd: parquetbytes.DecodeTrustedZstd}
	for _, size := range []int{10, 1 << 20} {
		n := peak.Allocated(func() {
			if _, err := o.decompress(bomb, size, parquetZstd, true); err == nil {
				t.Errorf("a frame of 256 MiB passed for %d bytes", size)
			}
		})
		if n > hostileMemory {
			t.Errorf("allocated %d bytes for a page of %d", n, size)
		}
	}
	header := []byte{0x15, 0}
	header = append(append(header, 0x15), binary.AppendVarint(nil, 256<<20)...)
	header = append(append(header, 0x15), binary.AppendVarint(nil, int64(len(bomb)))...)
	h, _, _, _ := parquetbytes.NextPage(append(header, 0))
	if h.Uncompressed <= o.left {
		t.Fatalf("the page header says %d bytes", h.Uncompressed)
	}
}

// Structs within structs, and lists within lists, end at a depth.
func TestDeepNestingIsRefused(t *testing.T) {
	for name, footer := range map[string]string{
		"structs": strings.Repeat("\x1c", 10<<20),
		"lists":   "\x19" + strings.Repeat("\x19", 10<<20),
		"maps":    "\x1b" + strings.Repeat("\x01\xbb", 5<<20),
	} {
		n := peak.Allocated(func() {
			if _, err := parquetbytes.Metadata([]byte(footer)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: got %v, want ErrCorrupt", name, err)
			}
		})
		if n > uint64(len(footer))+hostileMemory {
			t.Errorf("%s: allocated %d bytes", name, n)
		}
	}
}

// endless is a file of any size of zeros that ends in tail. Reading a large part of it is the mistake.
type endless struct {
	t    *testing.T
	size int64
	tail []byte
}

func (e endless) ReadAt(b []byte, at int64) (int, error) {
	if len(b) > hostileMemory {
		e.t.Fatalf("%d bytes are read at %d", len(b), at)
	}
	clear(b)
	if from := e.size - int64(len(e.tail)); at+int64(len(b)) > from {
		copy(b[max(from-at, 0):], e.tail[max(at-from, 0):])
	}
	return len(b), nil
}

// A footer may take a fifth of a gigabyte and no more, in a file of any size.
func TestAFooterBeyondTheLimitIsNotRead(t *testing.T) {
	for _, n := range []uint32{ondisk.MaxFooterBytes + 1, 1 << 31, math.MaxUint32} {
		for _, magic := range []string{parquetbytes.Magic, arrowbytes.Magic} {
			tail := append(binary.LittleEndian.AppendUint32(nil, n), magic...)
			if _, err := newReader(endless{t, 1 << 40, tail}, 1<<40); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s footer of %d bytes: got %v, want ErrCorrupt", magic, n, err)
			}
		}
	}
}

// A footer as long as its file leaves no room for what stands before it.
func TestAFooterThatIsLongerThanItsFileIsRefused(t *testing.T) {
	const size = 1000
	for _, magic := range []string{parquetbytes.Magic, arrowbytes.Magic} {
		most := uint32(size - 4 - 2*len(magic))
		for _, n := range []uint32{most + 1, size, size + 1, 1 << 20} {
			tail := append(binary.LittleEndian.AppendUint32(nil, n), magic...)
			if _, err := newReader(endless{t, size, tail}, size); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "footer of") {
				t.Errorf("%s footer of %d bytes in a file of %d: got %v, want ErrCorrupt", magic, n, size, err)
			}
		}
	}
}

var parquetZstd = parquetCodec(1)
