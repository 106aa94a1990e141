package format

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/karchive/karchive/internal/parquetbytes"
)

func randomBytes(random *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// gzipOf is a small value as a producer that compresses by itself makes it.
func gzipOf(random *rand.Rand, i int) []byte {
	var b bytes.Buffer
	gzipWriter.Reset(&b)
	fmt.Fprintf(gzipWriter, `{"order":%d,"id":"%016x","token":"%x","lines":[`, i, random.Uint64(), randomBytes(random, 32))
	for range 24 {
		fmt.Fprintf(gzipWriter, `{"sku":"SKU-%06d","name":"Article number %d","price":%d.%02d},`, random.IntN(100_000), random.IntN(5000), random.IntN(500), random.IntN(100))
	}
	gzipWriter.Close()
	return b.Bytes()
}

var gzipWriter = gzip.NewWriter(nil)

// storedPages writes values of which make gives the next, and says how many pages of them are raw, of how many. The segment is read again.
func storedPages(t *testing.T, compression Compression, records int, value func(random *rand.Rand, i int) []byte) (stored, all int, size int) {
	t.Helper()
	c, random := columnSets.Get().(*columns), rand.New(rand.NewPCG(1, 2))
	defer columnSets.Put(c)
	level, err := compression.level()
	if err != nil {
		t.Fatal(err)
	}
	c.reset(level)
	defer c.reset(level)
	var arena, values []byte
	for i := range records {
		v := value(random, i)
		values = append(values, v...)
		arena = AppendCanonical(arena, &Record{Offset: int64(i), Value: v})
	}
	c.take(arena)
	var got []byte
	for rest := c.value.pages.out; len(rest) > 0; all++ {
		h, frame, behind, ok := parquetbytes.NextPage(rest)
		if !ok {
			t.Fatal("no page")
		}
		rest = behind
		page, err := zstdDecoderOf(t).DecodeAll(frame, nil)
		if err != nil || int64(len(page)) != h.Uncompressed {
			t.Fatalf("a page of %d bytes: got %d, %v", h.Uncompressed, len(page), err)
		}
		got = append(got, page...)
		if isStored(frame) {
			stored++
		}
		size += len(frame)
	}
	if len(got) < len(values) {
		t.Errorf("pages hold %d bytes, want the %d of values and more", len(got), len(values))
	}
	return stored, all, size
}

func zstdDecoderOf(t *testing.T) *zstd.Decoder {
	t.Helper()
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// isStored says whether a frame begins with a raw block.
func isStored(frame []byte) bool {
	var h zstd.Header
	return h.Decode(frame) == nil && h.FirstBlock.OK && !h.FirstBlock.Compressed
}

func TestPagesOfCompressedValuesAreStoredButForSome(t *testing.T) {
	for name, value := range map[string]func(*rand.Rand, int) []byte{
		"gzip":      gzipOf,
		"encrypted": func(random *rand.Rand, _ int) []byte { return randomBytes(random, 300) },
	} {
		stored, all, size := storedPages(t, "", 5000, value)
		if stored < all*2/3 || stored == all && name == "gzip" {
			t.Errorf("%s: %d of %d pages are stored, want most and not all", name, stored, all)
		}
		if _, _, least := storedPages(t, "zstd:2", 5000, value); size > least*107/100 {
			t.Errorf("%s: %d bytes, want at most 7 %% more than the %d of the same codec that skips none", name, size, least)
		}
	}
}

func TestPagesThatCompressAreCompressedWhateverCameBefore(t *testing.T) {
	document := func(random *rand.Rand, i int) []byte {
		b, _ := json.Marshal(map[string]any{"order": i, "id": random.Uint64(), "city": "Lisbon"})
		return b
	}
	repeated := randomBytes(rand.New(rand.NewPCG(3, 4)), 4000)
	for name, value := range map[string]func(*rand.Rand, int) []byte{
		"text":                   document,
		"hex":                    func(random *rand.Rand, _ int) []byte { return fmt.Appendf(nil, "%x", randomBytes(random, 100)) },
		"one random value again": func(*rand.Rand, int) []byte { return repeated },
		"text behind random": func(random *rand.Rand, i int) []byte {
			if i < 2000 {
				return randomBytes(random, 300)
			}
			return document(random, i)
		},
	} {
		stored, all, size := storedPages(t, "", 3000, value)
		if want := 8; stored > want {
			t.Errorf("%s: %d of %d pages are stored, want at most %d", name, stored, all, want)
		}
		if _, _, least := storedPages(t, "zstd:2", 3000, value); size > least*101/100 {
			t.Errorf("%s: %d bytes, want at most 1 %% more than the %d of the same codec that skips none", name, size, least)
		}
	}
}

func TestAHigherLevelCompressesEveryPage(t *testing.T) {
	if stored, all, _ := storedPages(t, "zstd:2", 3000, gzipOf); stored > all/4 {
		t.Errorf("%d of %d pages are stored, want none but what the codec finds", stored, all)
	}
}

func TestAPageIsOneBlock(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	page := make([]byte, 127<<10)
	for i := range page {
		page[i] = "karchive"[random.IntN(8)]
	}
	for level := 1; level <= 3; level++ {
		var h zstd.Header
		frame := appendZstd(nil, page, level)
		if err := h.Decode(frame); err != nil || !h.FirstBlock.Last {
			t.Errorf("level %d: the first block of a page is not its last one: %v", level, err)
		}
	}
}
