package memfs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/karchive/karchive/format/storage"
)

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

// create makes a file and leaves it open, with nothing synced.
func create(t *testing.T, f *FS, name, s string) storage.File {
	t.Helper()
	h, err := f.Create(name)
	ok(t, err)
	write(t, h, s)
	return h
}

func write(t *testing.T, h storage.File, s string) {
	t.Helper()
	_, err := h.Write([]byte(s))
	ok(t, err)
}

// keep makes a file that is durable.
func keep(t *testing.T, f *FS, dir, name, s string) {
	t.Helper()
	h := create(t, f, path.Join(dir, name), s)
	ok(t, h.Sync())
	ok(t, h.Close())
	ok(t, f.SyncDir(dir))
}

// mkdir makes a durable directory in the root.
func mkdir(t *testing.T, f *FS, name string) {
	t.Helper()
	ok(t, f.Mkdir(name))
	ok(t, f.SyncDir("."))
}

func wantFiles(t *testing.T, what string, f *FS, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name, data := range f.Files() {
		got[name] = string(data)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: got %q, want %q\n%s", what, got, want, f.Trace())
	}
}

func TestErrorsAreThoseOfPackageOS(t *testing.T) {
	f := New(Options{})
	create(t, f, "a", "").Close()
	_, err := f.Create("a")
	wantErr(t, "Create", err, fs.ErrExist)
	if pe := new(fs.PathError); !errors.As(err, &pe) || pe.Path != "a" {
		t.Errorf("Create: got %#v, want a PathError of a", err)
	}
	err = f.Rename("x", "y")
	wantErr(t, "Rename", err, fs.ErrNotExist)
	if le := new(os.LinkError); !errors.As(err, &le) || le.Old != "x" || le.New != "y" {
		t.Errorf("Rename: got %#v, want a LinkError of x and y", err)
	}
}

func TestRenamingAFileToAnotherNameOfItDoesNothing(t *testing.T) {
	f := New(Options{})
	create(t, f, "a", "one").Close()
	ok(t, f.Link("a", "b"))
	ok(t, f.Rename("a", "b"))
	ok(t, f.Rename("a", "a"))
	wantFiles(t, "after renaming", f, map[string]string{"a": "one", "b": "one"})
}

func TestWithoutLinksLinkSaysSo(t *testing.T) {
	f := New(Options{NoLinks: true})
	create(t, f, "a", "one").Close()
	wantErr(t, "Link", f.Link("a", "b"), errors.ErrUnsupported)
	wantFiles(t, "after Link", f, map[string]string{"a": "one"})
}

func TestFoldedNamesAreOneName(t *testing.T) {
	f := New(Options{FoldCase: true})
	ok(t, f.Mkdir("Dir"))
	create(t, f, "dir/a", "one").Close()
	_, err := f.Create("DIR/A")
	wantErr(t, "Create", err, fs.ErrExist)
	wantErr(t, "Mkdir", f.Mkdir("dir"), fs.ErrExist)
	wantErr(t, "Link", f.Link("dir/a", "dir/A"), fs.ErrExist)
	info, err := f.Stat("DIR/A")
	ok(t, err)
	if info.Name() != "A" || info.Size() != 3 {
		t.Errorf("Stat: got %s, %d bytes", info.Name(), info.Size())
	}
	wantFiles(t, "names as they were made", f, map[string]string{"Dir/a": "one"})
	ok(t, f.Rename("dir/a", "dir/A"))
	wantFiles(t, "a rename can change the case", f, map[string]string{"Dir/A": "one"})
	ok(t, f.SyncDir("."))
	ok(t, f.SyncDir("dir"))
	wantFiles(t, "after a crash", f.CrashBare(), map[string]string{"Dir/A": ""})
}

func TestAReadOnlyFileSystemIsReadAndNotWritten(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one")
	f.SetReadOnly(true)
	_, err := h.Write([]byte("x"))
	wantErr(t, "Write to a file that was open", err, syscall.EROFS)
	wantErr(t, "Truncate", h.Truncate(0), syscall.EROFS)
	_, err = f.Create("b")
	wantErr(t, "Create", err, syscall.EROFS)
	_, err = f.Create("a")
	wantErr(t, "Create of a name that is taken", err, fs.ErrExist)
	_, err = f.OpenAppend("a")
	wantErr(t, "OpenAppend", err, syscall.EROFS)
	_, err = f.Lock("lock", "me")
	wantErr(t, "Lock", err, syscall.EROFS)
	for what, err := range map[string]error{"Link": f.Link("a", "b"), "Rename": f.Rename("a", "b"), "Remove": f.Remove("a"), "Mkdir": f.Mkdir("d")} {
		wantErr(t, what, err, syscall.EROFS)
	}
	r, err := f.Open("a")
	ok(t, err)
	b := make([]byte, 3)
	_, err = r.ReadAt(b, 0)
	ok(t, err)
	f.SetReadOnly(false)
	write(t, h, " two")
	wantFiles(t, "afterwards", f, map[string]string{"a": "one two"})
}

func TestAnAbsentRootIsMadeByMkdir(t *testing.T) {
	f := New(Options{Absent: true})
	_, err := f.Create("a")
	wantErr(t, "Create", err, fs.ErrNotExist)
	_, err = f.ReadDir(".")
	wantErr(t, "ReadDir", err, fs.ErrNotExist)
	wantErr(t, "Mkdir of another", f.Mkdir("d"), fs.ErrNotExist)
	ok(t, f.Mkdir("."))
	wantErr(t, "second Mkdir", f.Mkdir("."), fs.ErrExist)
	n := f.CrashBare()
	_, err = n.ReadDir(".")
	ok(t, err)
}

func TestALockBelongsToTheFileAndNotToItsName(t *testing.T) {
	f := New(Options{})
	l, err := f.Lock("lock", "one")
	ok(t, err)
	ok(t, f.Remove("lock"))
	_, err = f.Lock("lock", "two")
	ok(t, err) // which is why nobody may remove a lock file
	ok(t, l.Close())
	wantErr(t, "second Close", l.Close(), fs.ErrClosed)
	_, err = f.Lock("lock", "three")
	wantErr(t, "Lock", err, storage.ErrLocked)
}

func TestATraceNamesEveryOperationAndWhatCameOfIt(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "hello")
	ok(t, h.Sync())
	ok(t, h.Truncate(2))
	ok(t, f.Link("a", "b"))
	f.Mkdir("b")
	n := f.Crash(7)
	n.Stat("c")
	want := `#0 create a
#1 write a 0+5
#2 sync a
#3 truncate a 2
#4 link a -> b
#5 mkdir b: file exists
-- crash, seed 7
#0 stat c: no such file or directory
`
	if got := n.Trace(); got != want {
		t.Errorf("trace: got\n%swant\n%s", got, want)
	}
	if n.Ops() != 1 || f.Ops() != 6 {
		t.Errorf("operations: got %d and %d, want 6 and 1", f.Ops(), n.Ops())
	}
}

func TestFilesMakeACopyOfTheFileSystem(t *testing.T) {
	f := New(Options{})
	ok(t, f.Mkdir("d"))
	create(t, f, "d/a", "one")
	files := f.Files()
	files["d/a"][0] = 'O'
	files["e/f/g"] = []byte("new")
	c := FromFiles(Options{}, files)
	want := map[string]string{"d/a": "One", "e/f/g": "new"}
	wantFiles(t, "copy", c, want)
	files["d/a"][0] = '?'
	wantFiles(t, "copy after a crash", c.CrashBare(), want)
	wantFiles(t, "original", f, map[string]string{"d/a": "one"})
}

func TestManyGoroutinesMayWriteAtOnce(t *testing.T) {
	f := New(Options{})
	var wg sync.WaitGroup
	want := map[string]string{}
	for i := range 8 {
		name := fmt.Sprintf("d%d/a", i)
		want[name] = strings.Repeat("x", 50)
		wg.Go(func() {
			ok := func(err error) {
				if err != nil {
					t.Error(err)
				}
			}
			ok(f.Mkdir(fmt.Sprintf("d%d", i)))
			h, err := f.Create(name)
			ok(err)
			for range 50 {
				_, err := h.Write([]byte("x"))
				ok(err)
				ok(h.Sync())
			}
			ok(h.Close())
			ok(f.SyncDir(fmt.Sprintf("d%d", i)))
			ok(f.SyncDir("."))
		})
	}
	wg.Wait()
	wantFiles(t, "after a crash", f.CrashBare(), want)
}
