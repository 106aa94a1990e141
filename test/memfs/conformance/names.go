package conformance

import (
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/storage"
)

func remove(t *testing.T, fsys storage.FS) {
	put(t, fsys, "a", "one")
	ok(t, fsys.Remove("a"))
	_, err := fsys.Stat("a")
	wantErr(t, "Stat", err, fs.ErrNotExist)
	put(t, fsys, "a", "two")
	content(t, fsys, "a", "two")
}

func removeDirectory(t *testing.T, fsys storage.FS) {
	ok(t, fsys.Mkdir("d"))
	put(t, fsys, "d/a", "one")
	refused(t, "Remove of a directory with a file", fsys.Remove("d"))
	content(t, fsys, "d/a", "one")
	ok(t, fsys.Remove("d/a"))
	ok(t, fsys.Remove("d"))
	names(t, fsys, ".")
}

func removeOpen(t *testing.T, fsys storage.FS) {
	put(t, fsys, "a", "one")
	f, err := fsys.Open("a")
	ok(t, err)
	defer f.Close()
	if err := fsys.Remove("a"); err != nil {
		t.Skipf("the system does not remove open files: %v", err)
	}
	put(t, fsys, "a", "two")
	got, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	ok(t, err)
	if string(got) != "one" {
		t.Errorf("read of the removed file: got %q, want %q", got, "one")
	}
}

func mkdir(t *testing.T, fsys storage.FS) {
	ok(t, fsys.Mkdir("d"))
	ok(t, fsys.Mkdir("d/e"))
	wantErr(t, "Mkdir of a directory that is there", fsys.Mkdir("d"), fs.ErrExist)
	put(t, fsys, "d/e/a", "one")
	wantErr(t, "Mkdir in place of a file", fsys.Mkdir("d/e/a"), fs.ErrExist)
	wantErr(t, "Mkdir of the root", fsys.Mkdir("."), fs.ErrExist)
	refused(t, "Mkdir beneath a file", fsys.Mkdir("d/e/a/b"))
	_, err := fsys.Create("d/e/a/b")
	refused(t, "Create beneath a file", err)
	content(t, fsys, "d/e/a", "one")
}

func readDir(t *testing.T, fsys storage.FS) {
	for _, name := range []string{"c", "a", "B", ".hidden"} {
		put(t, fsys, name, name+name)
	}
	ok(t, fsys.Mkdir("aa"))
	put(t, fsys, "aa/x", "")
	names(t, fsys, ".", ".hidden", "B", "a", "aa", "c")
	names(t, fsys, "aa", "x")
	list, err := fsys.ReadDir(".")
	ok(t, err)
	for _, e := range list {
		if e.IsDir() != (e.Name() == "aa") || e.Type().IsRegular() == e.IsDir() {
			t.Errorf("entry %s: got type %v", e.Name(), e.Type())
		}
		info, err := e.Info()
		ok(t, err)
		if want := int64(2 * len(e.Name())); !e.IsDir() && info.Size() != want {
			t.Errorf("entry %s: got size %d, want %d", e.Name(), info.Size(), want)
		}
	}
	_, err = fsys.ReadDir("a")
	refused(t, "ReadDir of a file", err)
}

func stat(t *testing.T, fsys storage.FS) {
	ok(t, fsys.Mkdir("d"))
	put(t, fsys, "d/a", "four")
	info, err := fsys.Stat("d/a")
	ok(t, err)
	if info.Name() != "a" || info.Size() != 4 || !info.Mode().IsRegular() || info.IsDir() {
		t.Errorf("Stat of a file: got %s, %d bytes, %v", info.Name(), info.Size(), info.Mode())
	}
	if p := info.Mode().Perm(); p&0o002 != 0 {
		t.Errorf("mode of a file: got %v, writable by everybody", p)
	}
	for _, name := range []string{"d", "."} {
		info, err := fsys.Stat(name)
		ok(t, err)
		if !info.IsDir() {
			t.Errorf("Stat of %s: got mode %v, want a directory", name, info.Mode())
		}
	}
}

func syncDir(t *testing.T, fsys storage.FS) {
	ok(t, fsys.SyncDir("."))
	ok(t, fsys.Mkdir("d"))
	put(t, fsys, "d/a", "one")
	ok(t, fsys.SyncDir("d"))
	ok(t, fsys.SyncDir("."))
	names(t, fsys, "d", "a")
}

func lock(t *testing.T, fsys storage.FS) {
	l, err := fsys.Lock("lock", "the first one")
	ok(t, err)
	_, err = fsys.Lock("lock", "the second one")
	wantErr(t, "second Lock", err, storage.ErrLocked)
	if err != nil && !strings.Contains(err.Error(), "the first one") {
		t.Errorf("second Lock: got %q, want the holder named", err)
	}
	other, err := fsys.Lock("other", "the second one")
	ok(t, err)
	ok(t, other.Close())
	ok(t, l.Close())
	l, err = fsys.Lock("lock", "third")
	ok(t, err)
	_, err = fsys.Lock("lock", "fourth")
	if err == nil || !strings.Contains(err.Error(), "third") || strings.Contains(err.Error(), "first") {
		t.Errorf("Lock of a lock that changed hands: got %v, want only the new holder named", err)
	}
	ok(t, l.Close())
	_, err = fsys.Lock("d/lock", "nobody")
	wantErr(t, "Lock in a directory that is not there", err, fs.ErrNotExist)
}

func share(t *testing.T, fsys storage.FS) {
	one, err := fsys.Share("lock", "some")
	ok(t, err)
	two, err := fsys.Share("lock", "some")
	ok(t, err)
	ok(t, one.Close())
	_, err = fsys.Lock("lock", "one alone")
	wantErr(t, "Lock of what is shared", err, storage.ErrLocked)
	if err != nil && !strings.Contains(err.Error(), "some") {
		t.Errorf("Lock of what is shared: got %q, want the holders named", err)
	}
	ok(t, two.Close())
	alone, err := fsys.Lock("lock", "one alone")
	ok(t, err)
	_, err = fsys.Share("lock", "some")
	wantErr(t, "Share of what one has alone", err, storage.ErrLocked)
	ok(t, alone.Close())
}

func outside(t *testing.T, fsys storage.FS) {
	put(t, fsys, "a", "one")
	for _, name := range []string{"../a", "..", "/a", "d/../../a", ""} {
		_, err := fsys.Open(name)
		refused(t, "Open "+name, err)
		_, err = fsys.Create(name)
		refused(t, "Create "+name, err)
		_, err = fsys.OpenAppend(name)
		refused(t, "OpenAppend "+name, err)
		_, err = fsys.Lock(name, "holder")
		refused(t, "Lock "+name, err)
		refused(t, "Mkdir "+name, fsys.Mkdir(name))
		refused(t, "Remove "+name, fsys.Remove(name))
		refused(t, "Link to "+name, fsys.Link("a", name))
		refused(t, "Rename to "+name, fsys.Rename("a", name))
		if name != ".." { // a directory above may be there, but beneath a root it's never named
			_, err = fsys.Stat(name)
			refused(t, "Stat "+name, err)
		}
	}
	content(t, fsys, "a", "one")
	names(t, fsys, ".", "a")
}

func link(t *testing.T, fsys storage.FS) {
	ok(t, fsys.Mkdir("d"))
	put(t, fsys, "a", "one")
	ok(t, fsys.Link("a", "d/b"))
	content(t, fsys, "d/b", "one")
	f, err := fsys.OpenAppend("a")
	ok(t, err)
	write(t, f, " two")
	ok(t, f.Close())
	content(t, fsys, "d/b", "one two")
	ok(t, fsys.Remove("a"))
	content(t, fsys, "d/b", "one two")
}

func linkNeverReplaces(t *testing.T, fsys storage.FS) {
	put(t, fsys, "a", "one")
	put(t, fsys, "b", "two")
	ok(t, fsys.Mkdir("d"))
	for _, name := range []string{"b", "a", "d"} {
		wantErr(t, "Link to "+name, fsys.Link("a", name), fs.ErrExist)
	}
	refused(t, "Link of a directory", fsys.Link("d", "e"))
	content(t, fsys, "a", "one")
	content(t, fsys, "b", "two")
	names(t, fsys, ".", "a", "b", "d")
}

func renameReplaces(t *testing.T, fsys storage.FS) {
	put(t, fsys, "a", "one")
	put(t, fsys, "b", "two")
	ok(t, fsys.Rename("a", "b"))
	names(t, fsys, ".", "b")
	content(t, fsys, "b", "one")
	ok(t, fsys.Rename("b", "c"))
	names(t, fsys, ".", "c")
	ok(t, fsys.Mkdir("d"))
	refused(t, "Rename onto a directory", fsys.Rename("c", "d"))
	wantErr(t, "Rename into a directory that is not there", fsys.Rename("c", "e/c"), fs.ErrNotExist)
	content(t, fsys, "c", "one")
}

func renameAcross(t *testing.T, fsys storage.FS) {
	ok(t, fsys.Mkdir("d"))
	put(t, fsys, "a", "one")
	put(t, fsys, "d/b", "two")
	ok(t, fsys.Rename("a", "d/b"))
	names(t, fsys, ".", "d")
	names(t, fsys, "d", "b")
	content(t, fsys, "d/b", "one")
}
