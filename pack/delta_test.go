package pack

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// chain is an archive that grew twice, packed whole and then what came each time.
func chain(t *testing.T) (dir string, files []string, states []map[string]string) {
	dir = newArchive(t, 2, 1)
	tmp := t.TempDir()
	var since *Manifest
	for i, name := range []string{"whole", "monday", "tuesday"} {
		if i > 0 {
			grow(t, dir, 2, 1)
		}
		f := packInto(t, dir, filepath.Join(tmp, name+".karchive"), Options{Since: since})[0]
		p, err := Open([]string{f}, OpenOptions{})
		must(t, err)
		defer p.Close()
		since, files, states = p.Manifest, append(files, f), append(states, contents(t, dir))
	}
	return dir, files, states
}

// records are the segments and karchive.json: sums may have another order.
func records(all map[string]string) map[string]string {
	all = maps.Clone(all)
	delete(all, ondisk.Sums)
	return all
}

func TestDeltasAreUnpackedInTheirOrder(t *testing.T) {
	_, files, states := chain(t)
	to := filepath.Join(t.TempDir(), "run")
	for i, f := range files {
		must(t, unpackAll(t, to, OpenOptions{}, f))
		if got := contents(t, to); !maps.Equal(records(got), records(states[i])) {
			t.Errorf("after %s: %d files, want %d, or others", filepath.Base(f), len(got), len(states[i]))
		}
		must(t, unpackAll(t, to, OpenOptions{}, f)) // again changes nothing
	}
	fsys, err := storage.DirFS(to)
	must(t, err)
	must(t, format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error {
		if len(c.Problems) > 0 {
			t.Errorf("%s: %v", c.Path, c.Problems)
		}
		return nil
	}))
	if err := unpackAll(t, to, OpenOptions{}, files[1]); !errors.Is(err, ErrWrongTarget) {
		t.Errorf("an older delta: got %v, want %v", err, ErrWrongTarget)
	}
}

func TestAMissingDeltaIsNamed(t *testing.T) {
	_, files, states := chain(t)
	to := filepath.Join(t.TempDir(), "run")
	if err := unpackAll(t, to, OpenOptions{}, files[1]); !errors.Is(err, ErrDelta) {
		t.Errorf("without the first: got %v, want %v", err, ErrDelta)
	}
	must(t, unpackAll(t, to, OpenOptions{}, files[0]))
	p, err := Open(files[1:2], OpenOptions{})
	must(t, err)
	defer p.Close()
	err = unpackAll(t, to, OpenOptions{}, files[2])
	for _, want := range []string{short(p.Manifest.Since.Contents), short(p.Manifest.Contents), "orders-0 offset 10"} {
		if !errors.Is(err, ErrWrongTarget) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one with %s", err, want)
		}
	}
	if got := contents(t, to); !maps.Equal(records(got), records(states[0])) {
		t.Error("the archive was changed")
	}
	if _, err := OpenArchive(files[1], OpenOptions{}); !errors.Is(err, ErrDelta) {
		t.Errorf("read alone: got %v, want %v", err, ErrDelta)
	}
}

func TestSinceTakesAnArchiveAPackedFileOrAManifest(t *testing.T) {
	dir, files, _ := chain(t)
	old := filepath.Join(t.TempDir(), "old")
	must(t, unpackAll(t, old, OpenOptions{}, files[0]))
	fsys, err := storage.DirFS(old)
	must(t, err)
	described, err := Describe(fsys)
	must(t, err)
	p, err := Open(files[:1], OpenOptions{})
	must(t, err)
	defer p.Close()
	if described.State() != p.Manifest.State() {
		t.Errorf("the archive is in state %v, packed it says %v", described.State(), p.Manifest.State())
	}
	parsed, err := ParseManifest(p.text)
	must(t, err)
	a := packInto(t, dir, filepath.Join(t.TempDir(), "a.karchive"), Options{Since: described})
	b := packInto(t, dir, filepath.Join(t.TempDir(), "b.karchive"), Options{Since: parsed})
	one, err := os.ReadFile(a[0])
	must(t, err)
	two, err := os.ReadFile(b[0])
	must(t, err)
	if string(one) != string(two) {
		t.Error("packed since the archive and since its manifest differ")
	}
	other, err := storage.DirFS(newArchive(t, 2, 1))
	must(t, err)
	if _, err := New(context.Background(), other, Options{Since: described}); !errors.Is(err, ErrOtherArchive) {
		t.Errorf("since another archive: got %v, want %v", err, ErrOtherArchive)
	}
}
