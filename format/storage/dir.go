package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/karchive/karchive/internal/ondisk"
)

// Files can be read by the owner and the group, and by nobody else: records may be anything.
const (
	fileMode = 0o640
	dirMode  = 0o750
)

// dirFS is the [FS] on disk.
type dirFS struct {
	dir string

	mu   sync.Mutex
	root *os.Root // nil until the directory exists
}

// DirFS opens the directory dir as an FS. Every operation stays beneath it (os.Root), whatever links it holds. A directory that is
// not there is no error: operations then fail with fs.ErrNotExist until Mkdir(".") makes it, with those above it, as format.Create does.
// Something else in its place is one, which wraps format.ErrNotArchive. The value is also an io.Closer, which gives up the handle of the directory; without
// that it goes with the garbage collector.
func DirFS(dir string) (FS, error) {
	d := &dirFS{dir: dir}
	_, err := d.open()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if i, statErr := os.Stat(dir); statErr == nil && !i.IsDir() {
		return nil, fmt.Errorf("%s is a file, not a directory: %w", dir, ondisk.ErrNotArchive)
	}
	return nil, err
}

func (d *dirFS) open() (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		return d.root, nil
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, err
	}
	d.root = root
	return root, nil
}

// Close gives up the handle of the directory. Files that are open stay so.
func (d *dirFS) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root == nil {
		return nil
	}
	return d.root.Close()
}

func (d *dirFS) Open(name string) (ReadFile, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	if err := checkRegular(root, name); err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	return dirFile{f}, nil
}

// checkRegular refuses what is no regular file: a named pipe would be waited for, a link be followed to another file of the archive.
func checkRegular(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return nil
}

func (d *dirFS) Create(name string) (File, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	return osFile(root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode))
}

func (d *dirFS) OpenAppend(name string) (File, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	if err := checkRegular(root, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return osFile(root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode))
}

func (d *dirFS) Link(oldname, newname string) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	err = root.Link(oldname, newname)
	if isNoLinks(err) {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}

func (d *dirFS) Rename(oldname, newname string) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	return root.Rename(oldname, newname)
}

func (d *dirFS) Remove(name string) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	return root.Remove(name)
}

func (d *dirFS) Mkdir(name string) error {
	root, err := d.open()
	switch {
	case err == nil:
		return root.Mkdir(name, dirMode)
	case name == "." && errors.Is(err, fs.ErrNotExist):
		return mkdirDurable(filepath.Clean(d.dir))
	}
	return err
}

// mkdirDurable makes the directory and those above it. The root's entry in its parent is beyond SyncDir, so it is synced here.
func mkdirDurable(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := mkdirDurable(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, dirMode); err != nil {
		return err
	}
	f, err := os.Open(parent)
	if err != nil {
		return err
	}
	return syncDir(f)
}

func (d *dirFS) ReadDir(name string) ([]fs.DirEntry, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

func (d *dirFS) Stat(name string) (fs.FileInfo, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	return root.Lstat(name)
}

func (d *dirFS) SyncDir(name string) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return syncDir(f)
}

// syncDir syncs and closes a directory. Windows has no such call; some network and user-space file systems answer that
// it makes no sense there, which is not a failure of the disk.
func syncDir(f *os.File) error {
	defer f.Close()
	if runtime.GOOS == "windows" {
		return nil
	}
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

func (d *dirFS) Lock(name, holder string) (io.Closer, error) {
	l, err := d.lock(name, holder, false)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Share leaves the text in the file when it ends: others may still hold it.
func (d *dirFS) Share(name, holder string) (io.Closer, error) {
	l, err := d.lock(name, holder, true)
	if err != nil {
		return nil, err
	}
	return l.f, nil
}

func (d *dirFS) lock(name, holder string, shared bool) (*dirLock, error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	if err := checkRegular(root, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := lockNamed(root, name, shared)
	if err != nil {
		return nil, err
	}
	l := &dirLock{f}
	if err := l.write(holder); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// lockNamed locks the file that name leads to while it is locked: one that was removed after it was opened, as a leftover, would be the lock of no name.
func lockNamed(root *os.Root, name string, shared bool) (*os.File, error) {
	for {
		f, err := openLocked(root, name, shared)
		if err != nil {
			return nil, err
		}
		named, err := leadsTo(root, name, f)
		if err == nil && named {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
}

func openLocked(root *os.Root, name string, shared bool) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f, shared); err != nil {
		defer f.Close()
		if !errors.Is(err, errLockHeld) {
			return nil, &fs.PathError{Op: "lock", Path: name, Err: err}
		}
		return nil, fmt.Errorf("%w by %s", ErrLocked, readHolder(f))
	}
	return f, nil
}

// leadsTo says whether f is the file of that name.
func leadsTo(root *os.Root, name string, f *os.File) (bool, error) {
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	found, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, found), err
}

// maxHolder bounds what is shown of a lock file.
const maxHolder = 256

func readHolder(r io.Reader) string {
	b, err := io.ReadAll(io.LimitReader(r, maxHolder))
	s := strings.TrimSpace(string(b))
	if err != nil || s == "" {
		return "a process that did not say who it is"
	}
	return s
}

// dirLock is a held lock. Its file stays when the lock goes: to remove it would let two processes lock two files of one name.
type dirLock struct{ f *os.File }

func (l *dirLock) write(holder string) error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(holder+"\n"), 0)
	return err
}

// Close empties the lock file, so that it names nobody, and gives up the lock.
func (l *dirLock) Close() error {
	return errors.Join(l.f.Truncate(0), l.f.Close())
}

// dirFile is an os.File with its size.
type dirFile struct{ *os.File }

func osFile(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return dirFile{f}, nil
}

func (f dirFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
