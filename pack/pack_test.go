package pack

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

var update = flag.Bool("update", false, "write the golden packed file anew")

const goldenPack = "../testdata/golden-pack-1.0.karchive"

func TestTheGoldenPackedFileIsMadeAgainByteForByte(t *testing.T) {
	to := filepath.Join(t.TempDir(), "run.karchive")
	got, err := os.ReadFile(packInto(t, "../testdata/golden-1.0-ledger", to, Options{})[0])
	must(t, err)
	if *update {
		must(t, os.WriteFile(goldenPack, got, 0o644))
	}
	want, err := os.ReadFile(goldenPack)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("packed anew it has %d other bytes than %s has, which are %d", len(got), goldenPack, len(want))
	}
}

func TestAPackedArchiveIsReadAsItsDirectoryIs(t *testing.T) {
	dir := "../testdata/golden-1.0"
	file := packInto(t, dir, filepath.Join(t.TempDir(), "run.karchive"), Options{})[0]
	var got, want []format.Record
	for name, to := range map[string]*[]format.Record{dir: &want, file: &got} {
		a, err := OpenArchive(name, OpenOptions{})
		must(t, err)
		for r, err := range a.Records(context.Background(), format.Selection{}) {
			must(t, err)
			*to = append(*to, r.Record)
		}
	}
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i].Value, want[i].Value) || got[i].Offset != want[i].Offset {
			t.Fatalf("record %d: got offset %d, want %d", i, got[i].Offset, want[i].Offset)
		}
	}
}

func TestUnpackMakesTheSameDirectoryAgain(t *testing.T) {
	dir := newArchive(t, 12, 2)
	tmp := t.TempDir()
	for name, split := range map[string]int64{"one": 0, "many": 26 << 10} {
		files := packInto(t, dir, filepath.Join(tmp, name+".karchive"), Options{Split: split})
		if (len(files) > 1) != (split > 0) {
			t.Fatalf("%s: %d parts", name, len(files))
		}
		to := filepath.Join(tmp, name)
		must(t, unpackAll(t, to, OpenOptions{}, files[0]))
		got, want := contents(t, to), contents(t, dir)
		// Lines of sums are in the order of partitions, whatever order they were sealed in.
		if !maps.Equal(got, want) {
			t.Errorf("%s: it has %d files, want %d, or others", name, len(got), len(want))
		}
	}
}

func TestEveryFlippedBitOfAPackedFileIsFound(t *testing.T) {
	file := packInto(t, newArchive(t, 1, 1), filepath.Join(t.TempDir(), "run.karchive"), Options{})[0]
	b, err := os.ReadFile(file)
	must(t, err)
	if err := checkBytes(b); err != nil {
		t.Fatalf("before any flip: %v", err)
	}
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if checkBytes(b) == nil {
				t.Errorf("bit %d of byte %d of %d flipped, and nothing was found", bit, i, len(b))
			}
			b[i] ^= 1 << bit
		}
	}
}

func TestEveryTruncationOfAPackedFileIsFound(t *testing.T) {
	file := packInto(t, newArchive(t, 1, 1), filepath.Join(t.TempDir(), "run.karchive"), Options{})[0]
	b, err := os.ReadFile(file)
	must(t, err)
	for n := range b {
		if checkBytes(b[:n]) == nil {
			t.Errorf("cut to %d of %d bytes, and nothing was found", n, len(b))
		}
	}
	if checkBytes(append(b, 0)) == nil {
		t.Error("a byte more, and nothing was found")
	}
}

// checkBytes opens a part in memory and checks all of it.
func checkBytes(b []byte) error { return checkEncrypted(b, nil) }

func checkEncrypted(b []byte, id age.Identity) error {
	var ids []age.Identity
	if id != nil {
		ids = append(ids, id)
	}
	p, err := openSource(bytes.NewReader(b), int64(len(b)), ids)
	if err != nil {
		return err
	}
	if _, err := p.signatures(); err != nil {
		return err
	}
	var wrong error
	err = p.check(context.Background(), func(int64) {}, func(_ string, err error) { wrong = err })
	return errors.Join(err, wrong)
}

func TestAMissingPartIsNamedWithWhatItHolds(t *testing.T) {
	tmp := t.TempDir()
	files := packInto(t, newArchive(t, 6, 3), filepath.Join(tmp, "run.karchive"), Options{Split: 18 << 10})
	if len(files) < 3 {
		t.Fatalf("%d parts", len(files))
	}
	away := files[1] + ".away"
	must(t, os.Rename(files[1], away))
	_, err := Open(files[:1], OpenOptions{})
	wrong, ok := errors.AsType[*PartError](err)
	if !ok || wrong.Part != 2 || wrong.File != files[1] || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(wrong.Holds, "orders-") {
		t.Fatalf("got %v", err)
	}

	to := filepath.Join(tmp, "out")
	must(t, unpackAll(t, to, OpenOptions{AllowMissing: true}, files[0]))
	if _, err := format.OpenPath(to); !errors.Is(err, format.ErrMissingSegment) {
		t.Errorf("opening what lacks a part: got %v, want %v", err, format.ErrMissingSegment)
	}
	must(t, os.Rename(away, files[1]))
	must(t, unpackAll(t, to, OpenOptions{}, files[1]))
	a, err := format.OpenPath(to)
	must(t, err)
	if got := len(a.Partitions()); got != 6 {
		t.Errorf("completed it has %d partitions, want 6", got)
	}
}

func TestADamagedPartIsNamed(t *testing.T) {
	tmp := t.TempDir()
	files := packInto(t, newArchive(t, 6, 3), filepath.Join(tmp, "run.karchive"), Options{Split: 18 << 10})
	info, err := os.Stat(files[1])
	must(t, err)
	flipBit(t, files[1], info.Size()-10) // in the directory: it cannot be opened
	_, err = Open(files[:1], OpenOptions{})
	if wrong, ok := errors.AsType[*PartError](err); !ok || wrong.Part != 2 || !strings.Contains(wrong.Holds, "orders-") {
		t.Errorf("got %v, want part 2 and what it holds", err)
	}
	flipBit(t, files[1], info.Size()-10)
	flipBit(t, files[1], info.Size()/2) // in a segment
	err = unpackAll(t, filepath.Join(tmp, "out"), OpenOptions{}, files[0])
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), files[1]) {
		t.Errorf("got %v, want one that names %s", err, files[1])
	}
	if _, err := os.Stat(filepath.Join(tmp, "out")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the archive appeared: %v", err)
	}
	p, err := Open(files[:1], OpenOptions{AllowMissing: true})
	must(t, err)
	defer p.Close()
	must(t, p.Unpack(t.Context(), filepath.Join(tmp, "out"), UnpackOptions{}))
	if len(p.Problems) != 1 || p.Problems[0].Part != 2 || p.Problems[0].File != files[1] || !strings.HasPrefix(p.Problems[0].Holds, "1 segment from orders-") {
		t.Errorf("got %v, want one that names part 2 and the one segment", p.Problems)
	}
	if got := len(contents(t, filepath.Join(tmp, "out"))); got != 6*3-1+2 {
		t.Errorf("got %d files, want all but one", got)
	}
	flipBit(t, files[1], info.Size()/2)
	must(t, unpackAll(t, filepath.Join(tmp, "out"), OpenOptions{}, files[0]))
}

func TestPartsOfTwoPackedArchivesAreNotMixed(t *testing.T) {
	tmp := t.TempDir()
	a := packInto(t, newArchive(t, 6, 3), filepath.Join(tmp, "a.karchive"), Options{Split: 18 << 10})
	b := packInto(t, newArchive(t, 6, 3), filepath.Join(tmp, "b.karchive"), Options{Split: 18 << 10})
	content, err := os.ReadFile(b[1])
	must(t, err)
	must(t, os.WriteFile(a[1], content, 0o600))
	_, err = Open(a[:1], OpenOptions{})
	if err == nil || !strings.Contains(err.Error(), a[1]) || !strings.Contains(err.Error(), "another packed archive") {
		t.Errorf("got %v", err)
	}
	content, err = os.ReadFile(a[2])
	must(t, err)
	must(t, os.WriteFile(a[1], content, 0o600))
	if _, err = Open(a[:1], OpenOptions{}); err == nil || !strings.Contains(err.Error(), "again") && !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v", err)
	}
}

func TestASegmentLargerThanAPartIsRefused(t *testing.T) {
	fsys, err := storage.DirFS(newArchive(t, 1, 1))
	must(t, err)
	_, err = New(context.Background(), fsys, Options{Split: 3 << 10})
	large, ok := errors.AsType[*SegmentTooLargeError](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	p, err := New(context.Background(), fsys, Options{Split: large.Size})
	must(t, err)
	if len(p.Manifest.Parts) != 1 {
		t.Errorf("%d parts of the size that it asked for, want 1", len(p.Manifest.Parts))
	}
}

func TestAChangedSegmentIsNotPacked(t *testing.T) {
	dir := newArchive(t, 1, 1)
	flipBit(t, filepath.Join(dir, "data/topic=orders/partition=0/00000000000000000000.parquet"), 100)
	fsys, err := storage.DirFS(dir)
	must(t, err)
	if _, err = New(context.Background(), fsys, Options{}); !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("got %v, want %v", err, format.ErrCorrupt)
	}
}
