package format_test

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/memfs"
)

func shared(t *testing.T, fsys storage.FS) *format.Archive {
	t.Helper()
	d, err := storage.ShareDir(fsys)
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.OpenOrCreate(d, identity)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func closed(t *testing.T, a *format.Archive) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustVerify(t *testing.T, fsys storage.ReadFS) {
	t.Helper()
	if wrong := findings(t, fsys, format.VerifyOptions{Deep: true}); len(wrong) > 0 {
		t.Fatalf("verify: %v", wrong)
	}
}

func TestOfTwoWhoShareADirectoryTheFirstSealWins(t *testing.T) {
	fsys := memfs.New(memfs.Options{Absent: true})
	one := shared(t, fsys)
	if err := one.SetIdentity(one.Identity()); err != nil {
		t.Fatal(err)
	}
	two := shared(t, fsys)
	mustSeal(t, one, full(orders0, 0, 10))
	if err := full(orders0, 0, 20).seal(two); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second: got %v, want %v", err, fs.ErrExist)
	}
	if err := two.Refresh(orders0); err != nil {
		t.Fatal(err)
	}
	mustSeal(t, two, full(orders0, 10, 20))
	closed(t, one)
	closed(t, two)
	mustVerify(t, fsys)
	for name := range fsys.Files() {
		if strings.HasPrefix(name, ".karchive-tmp") {
			t.Errorf("%s is left", name)
		}
	}
	w := mustOpenForWriting(t, fsys) // and it is the archive of one writer again
	mustSeal(t, w, full(orders0, 20, 30))
	closed(t, w)
	mustVerify(t, fsys)
}

func TestASharedDirectoryAndOneWriterExcludeEachOther(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	one := shared(t, fsys)
	mustSeal(t, one, full(orders0, 0, 10))
	if _, err := format.OpenForWriting(fsys); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a writer alone while it is shared: got %v, want %v", err, storage.ErrLocked)
	}
	closed(t, one)
	w := mustOpenForWriting(t, fsys)
	if _, err := storage.ShareDir(fsys); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("sharing what one has alone: got %v, want %v", err, storage.ErrLocked)
	}
	closed(t, w)
}

func TestAnArchiveThatWasNotSharedGetsPlansThatReadersFind(t *testing.T) {
	fsys := memArchive(t, full(orders0, 0, 10))
	a := shared(t, fsys)
	id := a.Identity()
	id.ClusterID = "another"
	if err := a.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	closed(t, a)
	if got := mustOpen(t, fsys).Identity(); got.ClusterID != "another" || got.Revision != 2 {
		t.Errorf("got cluster %q of revision %d, want the later document", got.ClusterID, got.Revision)
	}
}

func TestWhatAKilledSharerLeavesIsRemovedByTheNext(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a := shared(t, fsys)
	mustSeal(t, a, full(orders0, 0, 10))
	p, err := a.NewSegment(full(orders0, 10, 20).options())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(full(orders0, 10, 20).writeTo(p), p.Cut(), p.Flush()); err != nil {
		t.Fatal(err)
	}
	left := fsys.Kill()
	before := 0
	for name := range left.Files() {
		if strings.HasPrefix(name, ".karchive-tmp/shared-") {
			before++
		}
	}
	b := shared(t, left)
	after := 0
	for name := range left.Files() {
		if strings.HasPrefix(name, ".karchive-tmp/shared-") {
			after++
		}
	}
	if before != 2 || after != 1 {
		t.Errorf("temporary files: got %d of the killed one and %d after the next began, want its 2 and then 1 of the next", before, after)
	}
	closed(t, b)
	mustVerify(t, left)
}

func TestADirectoryWithoutHardLinksIsNotShared(t *testing.T) {
	d, err := storage.ShareDir(memfs.New(memfs.Options{NoLinks: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer d.(io.Closer).Close()
	if _, err := format.Create(d, identity); err == nil || !strings.Contains(err.Error(), "hard links") {
		t.Errorf("got %v, want a refusal that names hard links", err)
	}
}

// TestASharerThatCrashesLosesNothingItSealed crashes the machine at every operation of two who take turns.
func TestASharerThatCrashesLosesNothingItSealed(t *testing.T) {
	for at := 1; ; at++ {
		fsys := memfs.New(memfs.Options{})
		n := 0
		fsys.Inject(func(op memfs.Op) *memfs.Fault {
			if !op.Changes() {
				return nil
			}
			if n++; n != at {
				return nil
			}
			return &memfs.Fault{Err: memfs.ErrCrashed}
		})
		sealed := turns(fsys)
		if n < at {
			return
		}
		after := fsys.CrashBare()
		a, err := format.Open(after)
		if errors.Is(err, format.ErrNotArchive) && sealed == 0 {
			continue
		}
		if err != nil {
			t.Fatalf("crash at change %d: %v", at, err)
		}
		if next, _, err := a.Resume(orders0); err != nil || next.Next < sealed {
			t.Fatalf("crash at change %d: the archive goes on at %d, error %v; sealed were %d", at, next.Next, err, sealed)
		}
		mustVerify(t, after)
	}
}

// turns has two write after each other, and says how far they got.
func turns(fsys *memfs.FS) (sealed int64) {
	for from := int64(0); from < 20; from += 10 {
		d, err := storage.ShareDir(fsys)
		if err != nil {
			return sealed
		}
		a, err := format.OpenOrCreate(d, identity)
		if err != nil {
			d.(io.Closer).Close()
			return sealed
		}
		if err := full(orders0, from, from+10).seal(a); err != nil {
			a.Close()
			return sealed
		}
		sealed = from + 10
		a.Close()
	}
	return sealed
}
