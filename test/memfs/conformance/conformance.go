// Package conformance holds the behaviour that every storage.FS shares, as tests.
package conformance

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/storage"
)

// TestFS checks the contract of storage.FS and storage.File. newFS returns a new, empty file system with hard links;
// it is called once for every subtest.
func TestFS(t *testing.T, newFS func() storage.FS) {
	for _, c := range []struct {
		name string
		test func(*testing.T, storage.FS)
	}{
		{"a file is made once and read back", createAndRead},
		{"a file that is written can be read at once", readWhileWriting},
		{"a name has no file before it is made", missing},
		{"only regular files open", openOnlyFiles},
		{"appending goes on at the end", appendAtEnd},
		{"appending goes to the end after a truncation", appendAfterTruncate},
		{"a truncated file is shorter", truncate},
		{"a closed file does nothing", closedFile},
		{"ReadAt is not moved by Read and ends with EOF", readAt},
		{"a link is a second name of one file", link},
		{"a link never replaces", linkNeverReplaces},
		{"renaming replaces the target", renameReplaces},
		{"renaming moves between directories", renameAcross},
		{"removing takes a name away", remove},
		{"only an empty directory is removed", removeDirectory},
		{"a removed file stays readable where it is open", removeOpen},
		{"directories are made one at a time", mkdir},
		{"a listing is sorted and says what is a directory", readDir},
		{"a name tells what it is", stat},
		{"directories sync and files do not pass for them", syncDir},
		{"a lock is held by one and names its holder", lock},
		{"names that lead outside are refused", outside},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newFS()) })
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: got no error", what)
	}
}

func write(t *testing.T, f storage.File, s string) {
	t.Helper()
	n, err := f.Write([]byte(s))
	if n != len(s) || err != nil {
		t.Fatalf("Write(%q): got %d, %v", s, n, err)
	}
}

func put(t *testing.T, fsys storage.FS, name, s string) {
	t.Helper()
	f, err := fsys.Create(name)
	ok(t, err)
	write(t, f, s)
	ok(t, f.Sync())
	ok(t, f.Close())
}

func content(t *testing.T, fsys storage.FS, name, want string) {
	t.Helper()
	f, err := fsys.Open(name)
	ok(t, err)
	defer f.Close()
	got, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	ok(t, err)
	if string(got) != want {
		t.Errorf("content of %s: got %q, want %q", name, got, want)
	}
}

func names(t *testing.T, fsys storage.FS, dir string, want ...string) {
	t.Helper()
	list, err := fsys.ReadDir(dir)
	ok(t, err)
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("names in %s: got %q, want %q", dir, got, want)
	}
}

func createAndRead(t *testing.T, fsys storage.FS) {
	f, err := fsys.Create("a")
	ok(t, err)
	write(t, f, "one ")
	write(t, f, "two")
	if n, err := f.Size(); n != 7 || err != nil {
		t.Errorf("Size: got %d, %v, want 7", n, err)
	}
	ok(t, f.Close())
	content(t, fsys, "a", "one two")
	_, err = fsys.Create("a")
	wantErr(t, "Create of a name that is taken", err, fs.ErrExist)
	content(t, fsys, "a", "one two")
}

func readWhileWriting(t *testing.T, fsys storage.FS) {
	f, err := fsys.Create("a")
	ok(t, err)
	defer f.Close()
	write(t, f, "hello")
	content(t, fsys, "a", "hello")
	b := make([]byte, 3)
	if n, err := f.ReadAt(b, 1); n != 3 || err != nil || string(b) != "ell" {
		t.Errorf("ReadAt of the handle that writes: got %d, %v, %q", n, err, b)
	}
	write(t, f, " world")
	content(t, fsys, "a", "hello world")
}

func missing(t *testing.T, fsys storage.FS) {
	_, err := fsys.Open("a")
	wantErr(t, "Open", err, fs.ErrNotExist)
	_, err = fsys.Stat("a")
	wantErr(t, "Stat", err, fs.ErrNotExist)
	_, err = fsys.ReadDir("a")
	wantErr(t, "ReadDir", err, fs.ErrNotExist)
	wantErr(t, "SyncDir", fsys.SyncDir("a"), fs.ErrNotExist)
	wantErr(t, "Remove", fsys.Remove("a"), fs.ErrNotExist)
	wantErr(t, "Rename", fsys.Rename("a", "b"), fs.ErrNotExist)
	wantErr(t, "Link", fsys.Link("a", "b"), fs.ErrNotExist)
	_, err = fsys.Create("d/a")
	wantErr(t, "Create in a directory that is not there", err, fs.ErrNotExist)
	_, err = fsys.OpenAppend("d/a")
	wantErr(t, "OpenAppend in a directory that is not there", err, fs.ErrNotExist)
	wantErr(t, "Mkdir in a directory that is not there", fsys.Mkdir("d/a"), fs.ErrNotExist)
	names(t, fsys, ".")
}

func openOnlyFiles(t *testing.T, fsys storage.FS) {
	ok(t, fsys.Mkdir("d"))
	_, err := fsys.Open("d")
	refused(t, "Open of a directory", err)
	_, err = fsys.Open(".")
	refused(t, "Open of the root", err)
	_, err = fsys.OpenAppend("d")
	refused(t, "OpenAppend of a directory", err)
}

func appendAtEnd(t *testing.T, fsys storage.FS) {
	for _, s := range []string{"one ", "two ", "three"} {
		f, err := fsys.OpenAppend("a")
		ok(t, err)
		write(t, f, s)
		ok(t, f.Close())
	}
	content(t, fsys, "a", "one two three")
	f, err := fsys.OpenAppend("a")
	ok(t, err)
	defer f.Close()
	b := make([]byte, 3)
	_, err = f.ReadAt(b, 0)
	ok(t, err)
	if string(b) != "one" {
		t.Errorf("ReadAt of a file opened for appending: got %q, want %q", b, "one")
	}
	write(t, f, "!")
	content(t, fsys, "a", "one two three!")
}

func appendAfterTruncate(t *testing.T, fsys storage.FS) {
	f, err := fsys.OpenAppend("a")
	ok(t, err)
	defer f.Close()
	write(t, f, "one two")
	ok(t, f.Truncate(3))
	write(t, f, "!")
	content(t, fsys, "a", "one!")
}

func truncate(t *testing.T, fsys storage.FS) {
	f, err := fsys.Create("a")
	ok(t, err)
	defer f.Close()
	write(t, f, "one two")
	ok(t, f.Truncate(3))
	if n, err := f.Size(); n != 3 || err != nil {
		t.Errorf("Size: got %d, %v, want 3", n, err)
	}
	content(t, fsys, "a", "one")
}

func closedFile(t *testing.T, fsys storage.FS) {
	f, err := fsys.Create("a")
	ok(t, err)
	ok(t, f.Close())
	_, err = f.Write([]byte("x"))
	wantErr(t, "Write", err, fs.ErrClosed)
	_, err = f.ReadAt(make([]byte, 1), 0)
	wantErr(t, "ReadAt", err, fs.ErrClosed)
	_, err = f.Size()
	refused(t, "Size", err)
	wantErr(t, "Sync", f.Sync(), fs.ErrClosed)
	wantErr(t, "Truncate", f.Truncate(0), fs.ErrClosed)
	wantErr(t, "second Close", f.Close(), fs.ErrClosed)
}

func readAt(t *testing.T, fsys storage.FS) {
	put(t, fsys, "a", "0123456789")
	f, err := fsys.Open("a")
	ok(t, err)
	defer f.Close()
	b := make([]byte, 4)
	for _, c := range []struct {
		off  int64
		want string
		err  error
	}{{0, "0123", nil}, {6, "6789", nil}, {8, "89", io.EOF}, {10, "", io.EOF}, {99, "", io.EOF}} {
		n, err := f.ReadAt(b, c.off)
		if string(b[:n]) != c.want || err != c.err && !(err == io.EOF && c.off == 6) {
			t.Errorf("ReadAt %d: got %q, %v, want %q, %v", c.off, b[:n], err, c.want, c.err)
		}
	}
	_, err = f.ReadAt(b, -1)
	refused(t, "ReadAt before the start", err)
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
