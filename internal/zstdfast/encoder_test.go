package zstdfast_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/karchive/karchive/internal/zstdfast"
)

func newDecoder(t testing.TB) *zstd.Decoder {
	t.Helper()
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// check compresses with an encoder that was used before and with a new one: the frames must be the same, and hold src.
func check(t testing.TB, used *zstdfast.Encoder, d *zstd.Decoder, src []byte) (frame []byte) {
	t.Helper()
	frame = used.Append([]byte("x"), src)[1:]
	if !bytes.Equal(frame, new(zstdfast.Encoder).Append(nil, src)) {
		t.Fatalf("%d bytes: the frame depends on what was compressed before", len(src))
	}
	got, err := d.DecodeAll(frame, nil)
	if err != nil || !bytes.Equal(got, src) {
		t.Fatalf("%d bytes became a frame of %d: got %d bytes back, %v", len(src), len(frame), len(got), err)
	}
	var h zstd.Header
	if err := h.Decode(frame); err != nil || !h.HasCheckSum || h.FrameContentSize != uint64(len(src)) || h.SingleSegment != (len(src) <= 4<<20) {
		t.Fatalf("%d bytes: header %+v, %v; want a checksum, the size, and one segment up to the window", len(src), h, err)
	}
	return frame
}

func randomBytes(random *rand.Rand, n int) []byte {
	b := make([]byte, n+7)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], random.Uint64())
	}
	return b[:n:n]
}

// documents are n bytes of JSON.
func documents(random *rand.Rand, n int) []byte {
	var b []byte
	for i := 0; len(b) < n; i++ {
		line, _ := json.Marshal(map[string]any{"order": i, "id": random.Uint64(), "city": []string{"Oslo", "Lisbon", "Rome"}[random.IntN(3)], "price": random.Float32()})
		b = append(b, line...)
	}
	return b[:n]
}

// samples are bytes of many kinds, n of each or about as many.
var samples = map[string]func(random *rand.Rand, n int) []byte{
	"zeros":     func(_ *rand.Rand, n int) []byte { return make([]byte, n) },
	"random":    randomBytes,
	"documents": documents,
	"base64":    func(r *rand.Rand, n int) []byte { return base64.StdEncoding.AppendEncode(nil, randomBytes(r, n))[:n] },
	"two bytes": func(r *rand.Rand, n int) []byte {
		b := randomBytes(r, n)
		for i := range b {
			b[i] &= 1
		}
		return b
	},
	"numbers": func(r *rand.Rand, n int) []byte {
		b := make([]byte, 0, n+8)
		for i := 0; len(b) < n; i++ {
			b = fmt.Appendf(b, "%08d", i*7)
		}
		return b[:n]
	},
	"random, again and again": func(r *rand.Rand, n int) []byte {
		return bytes.Repeat(randomBytes(r, n/3+1), 3)[:n]
	},
	"runs of all lengths": func(r *rand.Rand, n int) []byte {
		var b []byte
		for k := 1; len(b) < n; k += k/3 + 1 {
			b = append(append(b, bytes.Repeat([]byte{byte(k)}, k)...), randomBytes(r, k)...)
		}
		return b[:n]
	},
	"far apart": func(r *rand.Rand, n int) []byte {
		piece := randomBytes(r, 40)
		b := randomBytes(r, n)
		for at := 0; at+40 <= n; at += 100 + at/2 {
			copy(b[at:], piece)
		}
		return b
	},
}

func TestFramesHoldWhatWasCompressed(t *testing.T) {
	d, used := newDecoder(t), new(zstdfast.Encoder)
	sizes := []int{0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 255, 256, 1023, 1024, 4096, 65_791, 65_792, 128 << 10, 128<<10 + 1, 128<<10 + 40_000}
	for name, make := range samples {
		random := rand.New(rand.NewPCG(1, 2))
		for _, n := range sizes {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) { check(t, used, d, make(random, n)) })
		}
	}
}

func TestAFrameLargerThanTheWindowReachesBackNoFurther(t *testing.T) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(4<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	random := rand.New(rand.NewPCG(1, 2))
	piece := randomBytes(random, 4<<20+1000) // so that what is repeated is just too far away
	src := append(append(piece, piece[:1<<20]...), documents(random, 200_000)...)
	used := new(zstdfast.Encoder)
	frame := check(t, used, newDecoder(t), src)
	if err := d.Reset(bytes.NewReader(frame)); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := d.WriteTo(&got); err != nil || !bytes.Equal(got.Bytes(), src) {
		t.Errorf("got %d bytes of %d, %v", got.Len(), len(src), err)
	}
	if len(frame) < len(piece)+1<<20 {
		t.Errorf("%d bytes became %d, less than what cannot be found again", len(src), len(frame))
	}
}

func TestWhatIsAsFarAwayAsTheWindowIsLargeIsFoundAndNothingFurther(t *testing.T) {
	d, used, piece := newDecoder(t), new(zstdfast.Encoder), randomBytes(rand.New(rand.NewPCG(1, 2)), 60)
	apart := func(distance int) int {
		src := make([]byte, distance, distance+1000)
		copy(src, piece)
		return len(check(t, used, d, append(append(src, piece...), "the end of a block has no matches"...)))
	}
	if found, not := apart(4<<20), apart(4<<20+1); not < found+len(piece)/2 {
		t.Errorf("got frames of %d and %d bytes, want the second larger by the piece that is too far away", found, not)
	}
}

func TestMatchesThatAreNotWorthItAreNoneForTheNextBlock(t *testing.T) {
	for _, name := range []string{"random", "base64"} { // one is stored, of the other literals are coded
		src := samples[name](rand.New(rand.NewPCG(1, 2)), 256<<10)
		copy(src[70:], src[:40])
		copy(src[128<<10+5:], bytes.Repeat(src[128<<10-65:128<<10+5], 100))
		check(t, new(zstdfast.Encoder), newDecoder(t), src)
	}
}

func TestOnlyWhatIsRandomLooksRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := 256; n <= 100_000; n *= 2 {
		if !zstdfast.LooksRandom(randomBytes(random, n)) {
			t.Errorf("%d random bytes do not look random", n)
		}
		for _, name := range []string{"base64", "documents", "two bytes"} {
			if zstdfast.LooksRandom(samples[name](random, n)) {
				t.Errorf("%d bytes of %s look random", n, name)
			}
		}
	}
}

func TestPagesAreAsSmallAsTheFastestLevelOfTheLibraryMakesThem(t *testing.T) {
	library, err := zstd.NewWriter(nil, zstd.WithWindowSize(4<<20), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	random := rand.New(rand.NewPCG(3, 4))
	for name, make := range samples {
		src := make(random, 120_000)
		got, want := len(new(zstdfast.Encoder).Append(nil, src)), len(library.EncodeAll(src, nil))
		if got > want+want/33+16 {
			t.Errorf("%s: %d bytes, want at most 3 %% more than the library's %d", name, got, want)
		}
	}
}

func TestAStoredFrameIsReadByAnyDecoderAndHasAChecksum(t *testing.T) {
	random, d := rand.New(rand.NewPCG(5, 6)), newDecoder(t)
	for _, n := range []int{1, 255, 256, 4096, 128 << 10, 128<<10 + 1, 300_000} {
		want := randomBytes(random, n)
		frame := zstdfast.AppendStored([]byte("x"), want)[1:]
		got, err := d.DecodeAll(frame, nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
		}
		for _, at := range []int{len(frame) - 5, len(frame) - 1} {
			frame[at] ^= 1
			if _, err := d.DecodeAll(frame, nil); err == nil {
				t.Errorf("%d bytes, one changed at %d: got no error", n, at)
			}
			frame[at] ^= 1
		}
	}
}

func TestAnEncoderAllocatesNothingOnceItWasUsed(t *testing.T) {
	e, src := new(zstdfast.Encoder), documents(rand.New(rand.NewPCG(1, 2)), 100_000)
	dst := e.Append(nil, src)
	if n := testing.AllocsPerRun(10, func() { dst = e.Append(dst[:0], src) }); n > 0 {
		t.Errorf("%v allocations a frame, want none", n)
	}
}

// FuzzFrames makes sources of what it is given: pieces of it, again and again, so that matches are found in them.
func FuzzFrames(f *testing.F) {
	d, used := newDecoder(f), new(zstdfast.Encoder)
	f.Fuzz(func(t *testing.T, b []byte, times uint16, seed uint32) {
		random, src := rand.New(rand.NewPCG(uint64(seed), 1)), bytes.Clone(b)
		for range times % 64 {
			from := random.IntN(len(b) + 1)
			src = append(src, b[from:from+random.IntN(len(b)-from+1)]...)
			if len(src) > 200_000 {
				break
			}
		}
		check(t, used, d, src)
	})
}

func BenchmarkPages(b *testing.B) {
	src := documents(rand.New(rand.NewPCG(1, 2)), 120_000)
	library, err := zstd.NewWriter(nil, zstd.WithWindowSize(4<<20), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	defer library.Close()
	for name, compress := range map[string]func(dst, src []byte) []byte{
		"zstdfast": new(zstdfast.Encoder).Append,
		"library":  func(dst, src []byte) []byte { return library.EncodeAll(src, dst) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			var dst []byte
			for b.Loop() {
				dst = compress(dst[:0], src)
			}
			b.ReportMetric(float64(len(dst))/float64(len(src)), "size")
		})
	}
}

// An archive is the same wherever and whenever it is made. Where the encoder changes on purpose, so does the digest.
func TestFramesAreTheSameOnEveryMachine(t *testing.T) {
	const want uint64 = 0x32a610667cee36ee
	var e zstdfast.Encoder
	digest := xxhash.New()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		random := rand.New(rand.NewPCG(7, 8))
		for _, n := range []int{50, 500, 5_000, 150_000} {
			digest.Write(e.Append(nil, samples[name](random, n)))
		}
	}
	if got := digest.Sum64(); got != want {
		t.Errorf("frames have the digest %#x, want %#x", got, want)
	}
}
