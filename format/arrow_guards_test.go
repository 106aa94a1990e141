package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/test/peak"
)

// oneBuffer reads a column whose only buffer, behind its validity, is data; want is what it has to hold.
func oneBuffer(compressed bool, data []byte, read func(r *arrowReader)) error {
	r := &arrowReader{source: bytes.NewReader(data), payload: 1 << 10, memory: new(Buffer), batch: &arrowbytes.Batch{
		Compressed: compressed, Body: int64(len(data)), Nodes: []arrowbytes.Pair{{2, 0}}, Buffers: []arrowbytes.Pair{{}, {0, int64(len(data))}},
	}}
	read(r)
	return r.err
}

// A buffer holds what its column needs, whatever it says of itself.
func TestEveryClaimOfAnArrowBufferIsHeldAgainstItsColumn(t *testing.T) {
	two := func(r *arrowReader) { r.numbers("c", 2, 8) }
	starts := func(limit int64) func(r *arrowReader) {
		return func(r *arrowReader) { r.node("c", 2); r.skip(); r.starts(2, limit) }
	}
	claim := func(length uint64, frame []byte) []byte {
		return append(binary.LittleEndian.AppendUint64(nil, length), frame...)
	}
	frame := func(n int) []byte { return appendZstd(nil, make([]byte, n), 1) }
	numbers := func(all ...uint32) (b []byte) {
		for _, n := range all {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		return b
	}
	for _, c := range []struct {
		what       string
		compressed bool
		data       []byte
		read       func(r *arrowReader)
		want       string
	}{
		{"as it should be", false, make([]byte, 16), two, ""},
		{"filled up", false, make([]byte, 16+arrowFill), two, ""},
		{"too short", false, make([]byte, 15), two, "buffer of 15 bytes, want 16"},
		{"too long", false, make([]byte, 17+arrowFill), two, "buffer of 81 bytes, want 16"},
		{"compressed", true, claim(16, frame(16)), two, ""},
		{"left as it is", true, claim(1<<64-1, make([]byte, 16)), two, ""},
		{"left as it is, too short", true, claim(1<<64-1, make([]byte, 15)), two, "buffer of 15 bytes, want 16"},
		{"no room for a length", true, make([]byte, 7), two, "compressed buffer of 7 bytes"},
		{"a length that is too short", true, claim(15, frame(15)), two, "said to decompress to 15"},
		{"a length that is too long", true, claim(17+arrowFill, frame(17+arrowFill)), two, "said to decompress to 81"},
		{"a frame that is shorter than it says", true, claim(16, frame(15)), two, "15 bytes decompressed, want 16"},
		{"a frame that is longer than it says", true, claim(16, frame(17)), two, "zstd:"},
		{"another number of values", false, make([]byte, 24), func(r *arrowReader) { r.numbers("c", 3, 8) }, "2 values, want 3"},
		{"starts", false, numbers(0, 3, 7), starts(7), ""},
		{"starts that fall", false, numbers(0, 3, 2), starts(7), "value 1 ends before it begins"},
		{"starts over the limit", false, numbers(0, 3, 8), starts(7), "8 values or bytes"},
		{"starts over 31 bits", false, numbers(0, 3, 1<<31), starts(1 << 40), "2147483648 values or bytes"},
	} {
		err := oneBuffer(c.compressed, c.data, c.read)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", c.what, err, c.want)
		}
	}
}

func TestAnArrowBufferOutsideItsBodyIsRefused(t *testing.T) {
	for _, at := range []arrowbytes.Pair{{-1, 16}, {0, -1}, {101, 0}, {90, 11}, {1 << 62, 1 << 62}} {
		r := &arrowReader{source: bytes.NewReader(make([]byte, 200)), memory: new(Buffer), batch: &arrowbytes.Batch{
			Body: 100, Nodes: []arrowbytes.Pair{{2, 0}}, Buffers: []arrowbytes.Pair{{}, at},
		}}
		if r.numbers("c", 2, 8); !errors.Is(r.err, ErrCorrupt) || !strings.Contains(r.err.Error(), "in a body of 100") {
			t.Errorf("%v: got %v, want ErrCorrupt", at, r.err)
		}
	}
}

// A zstd frame says how much it holds before it is decompressed; so many bytes cannot hold more than mostInZstd.
func TestALengthThatNoFrameCanHaveTakesNoMemory(t *testing.T) {
	r := &arrowReader{memory: new(Buffer), batch: &arrowbytes.Batch{Compressed: true}}
	const claimed = 1 << 40
	r.source = bytes.NewReader(append(binary.LittleEndian.AppendUint64(nil, claimed), make([]byte, 8)...))
	n := peak.Allocated(func() {
		if _, err := r.decode(0, 16, claimed); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "said to decompress") {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
	})
	if n > 1<<20 {
		t.Errorf("allocated %d bytes", n)
	}
}

// The document and the record batches must speak of the same row groups.
func TestRecordBatchesThatTheDocumentDoesNotKnowAreRefused(t *testing.T) {
	segment := writeSegment(t, optionsIn(Arrow), oddRecords()[:7])
	r, err := newReader(bytes.NewReader(segment), int64(len(segment)))
	if err != nil {
		t.Fatal(err)
	}
	d := r.groups.(*arrowDecoder)
	for _, c := range []struct {
		what   string
		change func(d *arrowDecoder, doc *Document)
		want   string
	}{
		{"one more", func(d *arrowDecoder, _ *Document) { d.blocks = append(d.blocks, d.blocks[0]) }, "2 record batches with rows, the document says 1"},
		{"another number of rows", func(_ *arrowDecoder, doc *Document) { doc.Groups[0].Records = 8 }, "7 rows, the document says 8"},
		{"a message over the limit", func(d *arrowDecoder, _ *Document) { d.blocks[0].Message = maxBatchMessage + 1 }, "message of 1048577 bytes"},
	} {
		changed, doc := *d, *r.doc
		changed.blocks, doc.Groups = slices.Clone(d.blocks), slices.Clone(r.doc.Groups)
		c.change(&changed, &doc)
		if _, err := changed.read(0, &doc, new(Buffer)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", c.what, err, c.want)
		}
	}
}
