package aside

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// Temporary is a directory for as long as this process lives. Its lock is beside it and was taken before it was made, so that a directory
// whose lock is free is a dead process's. Nothing that rules would hide is ever written there. A comparison, which has no rules,
// keeps there what it copied of a topic.
type Temporary struct {
	Dir     string
	lock    io.Closer
	archive storage.FS // of the archive that is in it; nil: none
	fsys    storage.FS // of the directory that it is in
	forget  func()
}

// temporaryPrefix and lockSuffix make the names.
const (
	temporaryPrefix = "karchive-replay-"
	lockSuffix      = ".lock"
)

// CreateTemporary makes one in the system's directory for them.
func CreateTemporary() (*Temporary, error) {
	fsys, err := storage.DirFS(os.TempDir())
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s%016x", temporaryPrefix, rand.Uint64())
	t := &Temporary{Dir: filepath.Join(os.TempDir(), name), fsys: fsys}
	if t.lock, err = fsys.Lock(name+lockSuffix, fmt.Sprintf("process %d", os.Getpid())); err == nil {
		err = os.Mkdir(t.Dir, 0o700)
	}
	if err != nil {
		t.End()
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	t.forget = OnLeave(func() {
		t.remove()
		os.Remove(t.Dir + lockSuffix) // held to the end of the process: what it stood for is gone
	})
	return t, nil
}

// NewArchive begins an archive in the directory, for the caller to close. End removes it.
func (t *Temporary) NewArchive(id format.Identity) (a *format.Archive, err error) {
	if t.archive, err = storage.DirFS(t.ArchiveDir()); err != nil {
		return nil, err
	}
	return format.Create(t.archive, id)
}

// ArchiveDir is where NewArchive makes its archive.
func (t *Temporary) ArchiveDir() string { return filepath.Join(t.Dir, "archive") }

func (t *Temporary) remove() { os.RemoveAll(t.Dir) }

// End removes the directory, and then what says that it is in use.
func (t *Temporary) End() {
	if t.archive != nil {
		closeFS(t.archive)
	}
	t.remove()
	if t.lock != nil {
		t.lock.Close()
		os.Remove(t.Dir + lockSuffix)
	}
	closeFS(t.fsys)
	if t.forget != nil {
		t.forget()
	}
}

// RemoveLeftovers takes away the directories of processes that were killed. One that cannot be removed, such as another user's, stays.
func RemoveLeftovers() {
	fsys, err := storage.DirFS(os.TempDir())
	if err != nil {
		return
	}
	defer closeFS(fsys)
	locks, err := fs.Glob(os.DirFS(os.TempDir()), temporaryPrefix+"*"+lockSuffix)
	if err != nil {
		return
	}
	for _, lock := range locks {
		dir := filepath.Join(os.TempDir(), strings.TrimSuffix(lock, lockSuffix))
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			continue // perhaps about to be made
		}
		held, err := fsys.Lock(lock, fmt.Sprintf("process %d, to remove what is left", os.Getpid()))
		if err != nil {
			continue // its process lives
		}
		if os.RemoveAll(dir) == nil {
			os.Remove(filepath.Join(os.TempDir(), lock))
		}
		held.Close()
	}
}
