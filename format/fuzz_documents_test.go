package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
	"github.com/karchive/karchive/test/peak"
	"github.com/karchive/karchive/test/seeds"
)

// The most bytes of memory that are allocated for each byte of what describes an archive, all in all, and what any reading takes besides.
// What is read of row groups is bounded by what the document says of their size: see maxGroupBytes.
const (
	jsonMemory   = 64  // documents and karchive.json: an object of a few bytes becomes a struct of a hundred
	sumsMemory   = 64  // SHA256SUMS: a line that is wrong becomes a message
	thriftMemory = 256 // a Parquet footer, as the Parquet library reads it: an empty struct becomes one of a hundred bytes, with a pointer to it
	anyMemory    = 1 << 20
)

func checkMemory(t *testing.T, got uint64, input, multiple int) {
	t.Helper()
	if most := uint64(multiple*input + anyMemory); got > most {
		t.Errorf("allocated %d bytes for %d, the most are %d", got, input, most)
	}
}

// FuzzDocument reads text as the document of a segment, whose digest anyone can make.
func FuzzDocument(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var d *Document
		var err error
		checkMemory(t, peak.Allocated(func() { d, err = parseDocument(text) }), len(text), jsonMemory)
		if err != nil {
			checkRefused(t, err)
			return
		}
		written, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseDocument(written); err != nil || !reflect.DeepEqual(again, withoutEmpty(d)) {
			t.Errorf("read again: %+v, %v, want %+v", again, err, d)
		}
		c := coverageOf(d)
		for _, n := range []int64{c.Records, c.Bytes / canonicalFixed, c.Ledger.Control, c.Ledger.Filtered, c.Ledger.Absent, c.Ledger.Lost()} {
			if n < 0 || n > c.Next-c.From && n != c.Bytes/canonicalFixed {
				t.Errorf("it covers %+v", c)
			}
		}
		for _, g := range d.Groups {
			if g.Records > g.Bytes/canonicalFixed || g.Control > d.Control || g.Filtered > d.Filtered {
				t.Errorf("row group %+v", g)
			}
		}
	})
}

// withoutEmpty leaves out lists that are there and empty, which are not written.
func withoutEmpty(d *Document) *Document {
	if len(d.Gaps) == 0 {
		d.Gaps = nil
	}
	for i := range d.Groups {
		if len(d.Groups[i].HeaderKeys) == 0 {
			d.Groups[i].HeaderKeys = nil
		}
	}
	return d
}

func coverageOf(d *Document) Coverage {
	c := Coverage{From: d.BaseOffset}
	c.add(Segment{}, d)
	return c
}

// checkRefused wants an error that says what is wrong with the bytes.
func checkRefused(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
		t.Errorf("got %v, want ErrCorrupt or a version", err)
	}
}

// FuzzIdentity reads a file as karchive.json, and value as what one with the right checksum holds.
func FuzzIdentity(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, value []byte) {
		readAnyIdentity(t, value)
		compact := new(bytes.Buffer)
		if json.Compact(compact, value) == nil {
			readAnyIdentity(t, []byte(`{"checksum":"`+ondisk.Digest(compact.Bytes())+`","archive":`+compact.String()+`}`))
		}
	})
}

func readAnyIdentity(t *testing.T, file []byte) {
	t.Helper()
	var id Identity
	var err error
	checkMemory(t, peak.Allocated(func() { id, err = decodeIdentity(file) }), len(file), jsonMemory)
	if err != nil {
		checkRefused(t, err)
		return
	}
	for _, topic := range id.Topics {
		if err := ondisk.CheckTopic(topic.Name); err != nil {
			t.Error(err)
		}
	}
	written, err := encodeIdentity(id)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := decodeIdentity(written); err != nil || !reflect.DeepEqual(again, id) {
		t.Errorf("read again: %+v, %v, want %+v", again, err, id)
	}
}

// FuzzSums reads a file as SHA256SUMS. What it lists are paths of segments, which lead nowhere else.
func FuzzSums(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		var s *sumsFile
		var err error
		checkMemory(t, peak.Allocated(func() { s, err = parseSums(bytes.NewReader(file)) }), len(file), sumsMemory)
		if err != nil {
			t.Fatal(err)
		}
		if s.size != int64(len(file)) || s.whole > s.size {
			t.Errorf("%d bytes are %d, of which %d are whole lines", len(file), s.size, s.whole)
		}
		for path := range s.digests {
			seg, ok := segmentAt(path)
			if !ok || ondisk.SegmentPath(seg.Topic, seg.Partition, seg.Base, string(seg.encoding())) != path {
				t.Errorf("%q is listed", path)
			}
		}
	})
}

// FuzzParquetFooter reads a Parquet footer as openParquet does, and gives the library what passes.
func FuzzParquetFooter(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, footer []byte) {
		var err error
		checkMemory(t, peak.Allocated(func() { _, err = parquetbytes.Metadata(footer) }), len(footer), 1)
		if err != nil {
			checkRefused(t, err)
			return
		}
		checkMemory(t, peak.Allocated(func() {
			defer func() { recover() }() // as Reader does
			metadata.NewFileMetaData(footer, nil)
		}), len(footer), thriftMemory)
	})
}

// The worst inputs that are known, far larger than seeds: what they take grows with them and no faster.
func TestMemoryGrowsNoFasterThanWhatIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		text     string // repeated
		multiple int
		read     func(text []byte) error
	}{
		"empty row groups": {"{},", jsonMemory, func(b []byte) error {
			_, err := parseDocument([]byte(`{"version":"1.0","row_groups":[` + string(b) + `{}]}`))
			return err
		}},
		"empty topics": {"{},", jsonMemory, func(b []byte) error {
			value := `{"version":"1.0","encoding":"parquet","topics":[` + string(b) + `{}]}`
			_, err := decodeIdentity([]byte(`{"checksum":"` + ondisk.Digest([]byte(value)) + `","archive":` + value + `}`))
			return err
		}},
		"empty lines": {"\n", sumsMemory, func(b []byte) error {
			s, err := parseSums(bytes.NewReader(b))
			if err == nil && len(s.problems) == 0 {
				t.Error("empty lines are no problem")
			}
			return err
		}},
		"empty key-values": {"\x18\x00\x00", thriftMemory, func(b []byte) error {
			n := len(b) / 3
			_, err := parquetbytes.Metadata(append(append([]byte{0x59, 0xfc, byte(n) | 0x80, byte(n>>7) | 0x80, byte(n >> 14)}, b...), 0))
			return err
		}},
	} {
		text := []byte(strings.Repeat(c.text, 500_000))
		n := peak.Allocated(func() { c.read(text) })
		t.Logf("%s: %d bytes for each", name, n/uint64(len(text)))
		checkMemory(t, n, len(text), c.multiple)
	}
}
