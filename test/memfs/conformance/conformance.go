// Package conformance holds the behaviour that every storage.FS shares, as tests.
package conformance

import (
	"errors"
	"io"
	"io/fs"
	"slices"
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
		{"a lock is shared by some or held by one", share},
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
