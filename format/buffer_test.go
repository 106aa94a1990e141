package format

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/test/peak"
)

func TestRowGroupsInTheSameMemoryAreReadAsInNewMemory(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		// Groups of very different sizes and shapes, in any order, so that each finds what another left.
		files := [][]byte{
			writeSegment(t, optionsIn(e), oddRecords()),
			writeSegment(t, optionsIn(e), manyRecords(30_000, 5)),
			writeSegment(t, optionsIn(e), []Record{{Offset: 1200, Value: bytes.Repeat([]byte("large "), 5<<20)}}),
			writeSegment(t, optionsIn(e), manyRecords(10, 6)),
		}
		var memory Buffer
		random := rand.New(rand.NewPCG(3, 4))
		for range 20 {
			b := files[random.IntN(len(files))]
			r, err := newReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			i := random.IntN(len(r.Document().Groups))
			want, err := r.ReadGroup(i)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.ReadGroupInto(i, &memory)
			if err != nil {
				t.Fatal(err)
			}
			checkEqual(t, got, want)
		}
		if memory.kept > mostKept {
			t.Errorf("keeps %d bytes, at most %d are allowed", memory.kept, mostKept)
		}
	})
}

func TestASecondRowGroupOfOneShapeAllocatesNoPages(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		b := writeSegment(t, optionsIn(e), manyRecords(5_000, 7))
		r, err := newReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var memory Buffer
		read := func() {
			if _, err := r.ReadGroupInto(0, &memory); err != nil {
				t.Fatal(err)
			}
		}
		read()
		if n := peak.Allocated(read); n > 1<<20 {
			t.Errorf("%d bytes of memory for %d of records", n, r.Document().Groups[0].Bytes)
		}
	})
}

// Pages differ a little in size from row group to row group. One that finds no room as large as it needs must not keep what it found.
func TestMemoryOfRowGroupsIsThatOfTheLargest(t *testing.T) {
	for name, most := range map[string]int{"pages of 100 kB": 100 << 10, "pages of a kilobyte": 1 << 10} {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			var memory Buffer
			for range 200 {
				memory.reset()
				for bytes := 0; bytes < ondisk.RowGroupBytes; {
					p := memory.page(most/2 + random.IntN(most))
					bytes += len(p)
				}
			}
			if memory.kept > ondisk.RowGroupBytes*5/4 {
				t.Errorf("keeps %d bytes for pages of %d", memory.kept, ondisk.RowGroupBytes)
			}
		})
	}
}

func TestPagesOfARowGroupDoNotOverlap(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var memory Buffer
	for range 20 {
		memory.reset()
		var pages [][]byte
		for i := range 50 {
			p := memory.page(random.IntN(300 << 10))
			for j := range p {
				p[j] = byte(i)
			}
			pages = append(pages, p)
		}
		for i, p := range pages {
			if at := bytes.IndexFunc(p, func(r rune) bool { return r != rune(i) }); at >= 0 || cap(p) != len(p) {
				t.Fatalf("page %d of %d bytes has another's from %d on, and room for %d", i, len(p), at, cap(p))
			}
		}
	}
}

func TestAnEmptyPageMayComeFirst(t *testing.T) {
	var memory Buffer
	if p := memory.page(0); len(p) != 0 || memory.kept != 0 {
		t.Errorf("got %d bytes, %d are kept, want none", len(p), memory.kept)
	}
}

func TestASmallRowGroupTakesLittleMemory(t *testing.T) {
	var memory Buffer
	for range 4 {
		memory.page(100)
	}
	if memory.kept > 1000 {
		t.Errorf("%d bytes for 4 pages of 100", memory.kept)
	}
}

// Of a thousand partitions a thousand segments are opened, most of them for their documents alone.
func TestOpeningASegmentTakesNoMemoryForItsRecords(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		b := writeSegment(t, optionsIn(e), manyRecords(10, 6))
		open := func() {
			if _, err := newReader(bytes.NewReader(b), int64(len(b))); err != nil {
				t.Fatal(err)
			}
		}
		open()
		const times = 100
		got := peak.Allocated(func() {
			for range times {
				open()
			}
		}) / times
		if got > 64<<10 {
			t.Errorf("%d bytes, want at most 64 KiB for a file of %d", got, len(b))
		}
	})
}
