package format

import (
	"bytes"
	"errors"
	"testing"

	"github.com/karchive/karchive/test/peak"
	"github.com/karchive/karchive/test/seeds"
)

// FuzzReadSegment reads a file as a segment, of whatever encoding. What is released has the digest that the document says.
func FuzzReadSegment(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := newReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		for i, g := range r.Document().Groups {
			records, err := r.ReadGroup(i)
			if digest, _ := recordsDigest(records); err == nil && digest != g.Digest {
				t.Errorf("row group %d was released with another digest", i)
			}
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
		}
	})
}

// FuzzArrowRowGroup reads the record batches of an Arrow file behind the digests, which keep other inputs from getting that far: a document
// of rows records and payload bytes is believed.
func FuzzArrowRowGroup(f *testing.F) {
	const maxPayload = 64 << 10
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, file []byte, rows, payload uint16) {
		source := bytes.NewReader(file)
		n := peak.Allocated(func() {
			defer func() { recover() }() // as Reader does
			readAnyGroups(t, source, int64(rows), int64(payload))
		})
		if most := uint64(64*len(file) + 64*maxPayload); n > most {
			t.Errorf("allocated %d bytes for a file of %d bytes and a row group of %d", n, len(file), payload)
		}
	})
}

func readAnyGroups(t *testing.T, source *bytes.Reader, rows, payload int64) {
	_, d, err := openArrow(source, source.Size())
	if err != nil || d == nil {
		return
	}
	groups := len(d.(*arrowDecoder).blocks)
	doc := &Document{Groups: make([]RowGroup, groups)}
	for i := range min(groups, 4) {
		doc.Groups[i] = RowGroup{Records: rows, Bytes: max(payload, rows*canonicalFixed)}
		records, err := d.read(i, doc, new(Buffer))
		if err == nil && int64(len(records)) != rows {
			t.Errorf("got %d records, want %d", len(records), rows)
		}
	}
}
