package pack

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestAnInterruptedUnpackGoesOn(t *testing.T) {
	dir, tmp := newArchive(t, 1, 4), t.TempDir()
	files := packInto(t, dir, filepath.Join(tmp, "run.karchive"), Options{})
	p, err := Open(files, OpenOptions{})
	must(t, err)
	defer p.Close()
	to := filepath.Join(tmp, "out")
	ctx, stop := context.WithCancel(context.Background())
	err = p.Unpack(ctx, to, UnpackOptions{OnProgress: func(int64, int64) { stop() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it appeared: %v", err)
	}
	first := p.Manifest.Parts[0].Files[0].Path
	flipBit(t, filepath.Join(tmp, ".out"+stagingSuffix, filepath.FromSlash(first)), 9) // it is not believed
	must(t, p.Unpack(context.Background(), to, UnpackOptions{}))
	if got, want := contents(t, to), contents(t, dir); !maps.Equal(got, want) {
		t.Errorf("it has %d files, want %d, or others", len(got), len(want))
	}
	if _, err := os.Stat(filepath.Join(tmp, ".out"+stagingSuffix)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the staging directory is still there: %v", err)
	}
}

func TestUnpackWritesIntoNothingElse(t *testing.T) {
	tmp := t.TempDir()
	files := packInto(t, newArchive(t, 1, 1), filepath.Join(tmp, "run.karchive"), Options{})
	to := filepath.Join(tmp, "out")
	must(t, os.Mkdir(to, 0o700))
	must(t, os.WriteFile(filepath.Join(to, "mine"), []byte("mine"), 0o600))
	if err := unpackAll(t, to, OpenOptions{}, files[0]); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want %v", err, fs.ErrExist)
	}
	if err := unpackAll(t, newArchive(t, 1, 1), OpenOptions{}, files[0]); !errors.Is(err, ErrWrongTarget) {
		t.Errorf("into another archive: got %v, want %v", err, ErrWrongTarget)
	}
}

// sparse is a zip whose files are zeros, and only its end is there.
type sparse struct {
	end   []byte
	start int64
}

func (s sparse) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	if at+int64(len(b)) > s.start {
		from := max(at, s.start)
		copy(b[from-at:], s.end[from-s.start:])
	}
	return len(b), nil
}

func TestFilesPast4GiBHaveTheirPlaces(t *testing.T) {
	want := []entry{{name: "a", size: 1}, {name: "b", size: 5 << 30, crc: 7}, {name: "c", size: 2}, {name: "d", size: max32}, {name: "e"}}
	start := layout(want)
	end := directory(want, start)
	got, err := readDirectory(sparse{end, start}, start+int64(len(end)))
	must(t, err)
	layout(got)
	for i, e := range got {
		if e != want[i] || !bytes.Equal(e.local(), want[i].local()) {
			t.Errorf("entry %d: got %+v, want %+v", i, e, want[i])
		}
	}
}
