package main

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
)

// The archive's catalog would vouch for a segment of the size that it had.
func TestWhatIsPackedIsCompleteByItsSegments(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	const many = 70 // have a catalog
	for i := range int64(many) {
		p, err := a.NewSegment(format.WriterOptions{Topic: "orders", Base: i})
		if err == nil {
			err = p.Write(&format.Record{Offset: i, LeaderEpoch: format.NoLeaderEpoch})
		}
		if err == nil {
			_, _, err = p.Seal(i + 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	files := fsys.Files()
	content := files[a.Segments(format.TopicPartition{Topic: "orders"})[many-1].Path]
	clear(content[len(content)-16:])
	e := &env{stderr: io.Discard, now: time.Now}
	if _, _, err := (&packOptions{}).check(e, memfs.FromFiles(memfs.Options{}, files)); !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("got %v, want that the segment is damaged", err)
	}
}
