package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
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
	for _, codec := range []string{CodecZstd, CodecNone} {
		o := optionsIn(Parquet)
		o.Compression.Codec = codec
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
	n := binary.LittleEndian.Uint32(good[len(good)-parquetTail:])
	if footer := len(good) - parquetTail - int(n); at >= footer && at < len(good)-parquetTail {
		binary.LittleEndian.PutUint32(bad[len(bad)-parquetTail:], n+uint32(len(number)-1))
	}
	return bad
}

func readHostile(t *testing.T, file []byte) {
	t.Helper()
	n := allocated(func() {
		if r, err := NewReader(bytes.NewReader(file), int64(len(file))); err == nil {
			for i := range r.Document().Groups {
				r.ReadGroup(i)
			}
		}
	})
	if n > hostileMemory {
		t.Fatalf("allocated %d bytes to read %d", n, len(file))
	}
}

// A file of 433 bytes whose footer and page ask for gigabytes: one column chunk said to be 2 GiB, with a page of as much.
func TestASmallParquetFileThatAsksForGigabytesGetsNothing(t *testing.T) {
	b := []byte(parquetMagic)
	b = append(b, 0x15, 0) // a data page
	b = append(append(b, 0x15), binary.AppendVarint(nil, math.MaxInt32)...)
	b = append(append(b, 0x15), binary.AppendVarint(nil, math.MaxInt32)...)
	b = append(b, 0)
	footer := []byte{0x15, 2} // version 1, then the schema: a root and a column
	footer = append(footer, 0x19, 0x2c, 0x48, 1, 'r', 0x15, 2, 0, 0x15, 4, 0x25, 0, 0x18, 1, 'c', 0)
	footer = append(append(footer, 0x16), binary.AppendVarint(nil, math.MaxInt64)...) // rows
	footer = append(footer, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07)                 // row groups, 2 Gi of them
	b = append(b, footer...)
	b = append(b, make([]byte, 433-parquetTail-len(b))...)
	b = binary.LittleEndian.AppendUint32(b, uint32(433-parquetTail-4))
	b = append(b, parquetMagic...)
	readHostile(t, b)
}

// Whatever the pages of a row group say, they are decompressed only up to a few times the bytes that the document states.
func TestAParquetBombIsNotDecompressed(t *testing.T) {
	bomb := appendZstd(nil, make([]byte, 256<<20), 1)
	d := &parquetDecoder{}
	o := &ownReader{decoder: d, memory: new(Buffer), ownScratch: &d.own, left: 1 << 20}
	for _, size := range []int{10, 1 << 20} {
		n := allocated(func() {
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
	h := (&thriftWalker{rest: append(header, 0)}).pageHeader()
	if h.uncompressed <= o.left {
		t.Fatalf("the page header says %d bytes", h.uncompressed)
	}
}

// Structs within structs, and lists within lists, end at a depth.
func TestDeepNestingIsRefused(t *testing.T) {
	for name, footer := range map[string]string{
		"structs": strings.Repeat("\x1c", 10<<20),
		"lists":   "\x19" + strings.Repeat("\x19", 10<<20),
		"maps":    "\x1b" + strings.Repeat("\x01\xbb", 5<<20),
	} {
		n := allocated(func() {
			if _, err := footerMetadata([]byte(footer)); !errors.Is(err, ErrCorrupt) {
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
	for _, n := range []uint32{maxFooterBytes + 1, 1 << 31, math.MaxUint32} {
		for _, magic := range []string{parquetMagic, arrowMagic} {
			tail := append(binary.LittleEndian.AppendUint32(nil, n), magic...)
			if _, err := NewReader(endless{t, 1 << 40, tail}, 1<<40); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s footer of %d bytes: got %v, want ErrCorrupt", magic, n, err)
			}
		}
	}
}

var parquetZstd = Compression{}.parquet()
