package format_test

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/memfs"
)

// allocatedBytes is what f allocates, give or take some kilobytes.
func allocatedBytes(f func()) int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	f()
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64() - before)
}

// What each segment costs must not grow with the archive: with the square of their number, a hundred thousand of them take minutes.
func TestASegmentCostsNoMoreInALargeArchive(t *testing.T) {
	beginning := func(a *format.Archive, s seg) int64 {
		begin := func() { must(t, pendingOf(t, a, s).Discard()) }
		begin() // what is made only once
		return allocatedBytes(begin)
	}
	const bound = 64 << 10
	small, err := format.Create(memfs.New(memfs.Options{}), identity)
	must(t, err)
	usual := beginning(small, full(orders0, 0, 1))

	many := memArchiveWriter(t, 2000)
	if got := beginning(many, full(orders0, 2000, 2001)); got > usual+bound {
		t.Errorf("a segment behind 2,000 others allocates %d bytes, the first one %d", got, usual)
	}
	planned := identity
	planned.Capture = &origin.Plan{Mode: origin.ModeSnapshot}
	for p := range int32(20_000) {
		planned.Capture.Partitions = append(planned.Capture.Partitions, origin.PlanRange{Topic: "orders", Partition: p, End: 1})
	}
	wide, err := format.Create(memfs.New(memfs.Options{}), planned)
	must(t, err)
	if got := beginning(wide, full(orders0, 0, 1)); got > usual+bound {
		t.Errorf("a segment of one of 20,000 partitions allocates %d bytes, one of a single partition %d", got, usual)
	}
}

// An archive keeps documents of the segments that were sealed last. What wrote them is ten times as large.
func TestASealedSegmentLeavesNothingOfItsWriterInMemory(t *testing.T) {
	for _, e := range format.Encodings() {
		id := identity
		id.Encoding = e
		a, err := format.Create(memfs.New(memfs.Options{}), id)
		must(t, err)
		p := pendingOf(t, a, full(orders0, 0, 1))
		writer := p.Writer()
		_, doc, err := p.Seal(1)
		must(t, err)
		p = nil
		if runtime.GC(); writer.Value() != nil {
			t.Errorf("%s: the writer is still reachable", e)
		}
		runtime.KeepAlive(a)
		runtime.KeepAlive(doc)
	}
}

// memArchiveWriter has so many segments of a record each, and is open for writing.
func memArchiveWriter(t *testing.T, segments int64) *format.Archive {
	t.Helper()
	a, err := format.Create(memfs.New(memfs.Options{}), identity)
	must(t, err)
	for i := range segments {
		p := pendingOf(t, a, full(orders0, i, i+1))
		if _, _, err := p.Seal(i + 1); err != nil {
			t.Fatal(fmt.Errorf("segment %d: %w", i, err))
		}
	}
	return a
}
