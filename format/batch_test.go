package format_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
)

// fillRowGroup writes almost a row group of records of a kilobyte, with nothing left in pools.
func fillRowGroup(t testing.TB) {
	w, err := format.NewWriter(io.Discard, full(orders0, 0, 1).options())
	if err != nil {
		t.Fatal(err)
	}
	r := format.Record{Value: make([]byte, 1000)}
	for w.Bytes() < ondisk.RowGroupBytes-2000 {
		if err := w.Write(&r); err != nil {
			t.Fatal(err)
		}
		r.Offset++
	}
	w.Abort()
}

func TestARowGroupIsCollectedWithoutManyCopies(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs with -short, allocates too")
	}
	runtime.GC()
	runtime.GC() // empties pools
	const most = 3 * ondisk.RowGroupBytes
	if got := allocatedBytes(func() { fillRowGroup(t) }); got > most {
		t.Errorf("collecting a row group of %d bytes allocated %d, want at most %d", ondisk.RowGroupBytes, got, most)
	}
}

// BenchmarkCollectRowGroup is what records cost before anything is encoded, into memory that is new.
func BenchmarkCollectRowGroup(b *testing.B) {
	b.SetBytes(ondisk.RowGroupBytes)
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.GC()
		b.StartTimer()
		fillRowGroup(b)
	}
}
