package parquetbytes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/ondisk"
)

func wantCorrupt(t *testing.T, what string, err error, complaint string) {
	t.Helper()
	if complaint == "" && err != nil || complaint != "" && (!errors.Is(err, ondisk.ErrCorrupt) || !strings.Contains(err.Error(), complaint)) {
		t.Errorf("%s: got %v, want ErrCorrupt with %q", what, err, complaint)
	}
}

func TestNumbersThatAreNotWhatTheirHeadSaysAreRefused(t *testing.T) {
	good := AppendDelta(nil, []int64{5, 7, 7, 1 << 40}, false)
	varints := func(all ...uint64) (b []byte) {
		for _, v := range all {
			b = binary.AppendUvarint(b, v)
		}
		return b
	}
	wide := slices.Clone(good)
	head := len(varints(deltaBlock, deltaMiniCount, 4)) + 1 + 1 // the first value, the least difference
	wide[head] = 65
	for _, c := range []struct {
		what string
		b    []byte
		n    int
		want string
	}{
		{"right", good, 4, ""},
		{"none", AppendDelta(nil, nil, false), 0, ""},
		{"another number of them", good, 5, "4 numbers, expected 5"},
		{"no end of the head", []byte{0x80, 1, 4}, 4, "numbers, expected 4"},
		{"no block", varints(deltaBlock, deltaMiniCount, 4, 0), 4, "numbers end early"},
		{"no widths", good[:head+2], 4, "numbers end early"},
		{"a width over 64 bits", append(wide, make([]byte, 300)...), 4, "numbers end early"},
		{"a miniblock that ends early", good[:len(good)-1], 4, "numbers end early"},
	} {
		values, rest, err := DecodeDelta(nil, c.b, c.n, false)
		wantCorrupt(t, c.what, err, c.want)
		if c.want == "" && (len(values) != c.n || len(rest) > 0) {
			t.Errorf("%s: got %v and %d bytes behind", c.what, values, len(rest))
		}
	}
	for _, shape := range [][]byte{varints(256, deltaMiniCount, 4, 0), varints(deltaBlock, 8, 4, 0)} {
		if _, _, err := DecodeDelta(nil, shape, 4, false); !errors.Is(err, ErrForeign) {
			t.Errorf("blocks of another shape: got %v, want ErrForeign", err)
		}
	}
}

func TestLevelsThatAreNotWhatTheirHeadSaysAreRefused(t *testing.T) {
	levels := func(b ...byte) []byte { return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...) }
	for _, c := range []struct {
		what string
		b    []byte
		want string
	}{
		{"a run", levels(8<<1, 1), ""},
		{"packed", levels(1<<1|1, 0xff), ""},
		{"no length", []byte{1, 0, 0}, "longer than their page"},
		{"a length over the page", append([]byte{3, 0, 0, 0}, 8<<1, 1), "longer than their page"},
		{"no head", levels(), "run of levels"},
		{"a run of nothing", levels(0, 1, 8<<1, 1), "run of levels"},
		{"a run without its level", levels(8 << 1), "run of levels"},
		{"a run that is too long", levels(9<<1, 1), "run of levels"},
		{"a level of too many bits", levels(8<<1, 2), "run of levels"},
		{"packed ones of nothing", levels(1, 8<<1, 1), "packed levels"},
		{"packed ones that end early", levels(2<<1|1, 0xff), "packed levels"},
	} {
		got, rest, err := DecodeLevels(nil, c.b, 8, 1)
		wantCorrupt(t, c.what, err, c.want)
		if c.want == "" && (!bytes.Equal(got, bytes.Repeat([]byte{1}, 8)) || len(rest) > 0) {
			t.Errorf("%s: got %v and %d bytes behind", c.what, got, len(rest))
		}
	}
}

func TestAPageThatIsNotWholeIsNone(t *testing.T) {
	data := []byte("page")
	good := append(AppendPageHeader(nil, 9, data, 3, 5), data...)
	h, got, rest, ok := NextPage(append(slices.Clone(good), 7))
	if want := (PageHeader{Kind: KindData, Uncompressed: 9, Compressed: 4, Values: 3, Encoding: 5, Levels: 3}); !ok || h != want || string(got) != "page" || len(rest) != 1 {
		t.Errorf("got %+v, %q, %d bytes behind, %v, want %+v", h, got, len(rest), ok, want)
	}
	for n := range good {
		if _, _, _, ok := NextPage(good[:n]); ok {
			t.Errorf("%d of %d bytes: got a page", n, len(good))
		}
	}
}

// A footer says what the bytes behind each count can hold, and no more.
func TestAFooterThatIsNotWellFormedIsRefused(t *testing.T) {
	for what, footer := range map[string]string{
		"bytes behind it":                     "\x00\x00",
		"no end":                              "\x15\x02",
		"a text that is too long":             "\x18\x05abcd\x00",
		"a list that is too long":             "\x19\x7500\x00",
		"a schema that is too long":           "\x29\x7c\x00\x00",
		"a schema of numbers":                 "\x29\x15\x02\x00",
		"a child too many":                    "\x29\x1c\x55\x04\x00\x00",
		"a child below none":                  "\x29\x1c\x55\x01\x00\x00",
		"key-values of numbers":               "\x59\x15\x02\x00",
		"a map that is too long":              "\x1b\x7f\x55\x02\x00",
		"a kind that is none":                 "\x1e\x00",
		"a binary of eight bytes that is not": "\x17abc",
	} {
		_, err := Metadata([]byte(footer))
		wantCorrupt(t, what, err, "not well-formed")
	}
	twice := "\x59\x2c" + strings.Repeat("\x18\x08karchive\x18\x011\x00", 2) + "\x00"
	_, err := Metadata([]byte(twice))
	wantCorrupt(t, "a key twice", err, "metadata key karchive is there twice")
	kv, err := Metadata([]byte("\x59\x1c\x18\x08karchive\x18\x011\x00\x00"))
	if err != nil || string(kv[ondisk.DocumentKey]) != "1" {
		t.Errorf("what is right: got %q, %v", kv, err)
	}
}

func TestWhatIsNoParquetFileIsRefused(t *testing.T) {
	for file, want := range map[string]string{
		"": "too few", "PAR1": "too few", "\x00\x00\x00\x00PAR1": "too few", "PAR1\x00\x00\x00\x00PARQ": "no Parquet magic",
		"PAR1\x01\x00\x00\x00PAR1": "footer of 1 bytes in a file of 12",
	} {
		wantCorrupt(t, file, CheckFooter(strings.NewReader(file), int64(len(file))), want)
	}
}
