package aside

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/karchive/karchive/format/storage"
)

// File is a file that is written beside its place and gets its name when it is whole.
type File struct {
	*os.File
	To     string // its place
	takes  bool   // the place of what is there
	forget func()
	remove func()
}

// Private is the mode of files with contents of records or about them: nobody else reads them unless their owner says so.
const Private = 0o600

// CreateFile begins a new file for the place to, where nothing may be.
func CreateFile(to string) (*File, error) {
	if err := CheckNoFile(to); err != nil {
		return nil, err
	}
	return beginFile(to, Private)
}

// ReplaceFile begins what is to take the place of a file, with its mode.
func ReplaceFile(to string) (*File, error) {
	to, err := filepath.EvalSymlinks(to)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(to)
	if err != nil {
		return nil, err
	}
	a, err := beginFile(to, info.Mode().Perm())
	if err == nil {
		a.takes = true
	}
	return a, err
}

func beginFile(to string, mode fs.FileMode) (*File, error) {
	dir, base := filepath.Split(to)
	name := filepath.Join(dir, fmt.Sprintf("%s%s.%016x%s", asidePrefix, base, rand.Uint64(), asideSuffix))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no directory %s", to, filepath.Dir(to))
	}
	if err != nil {
		return nil, err
	}
	remove := sync.OnceFunc(func() {
		f.Close() // some systems do not remove what is open
		os.Remove(name)
	})
	return &File{f, to, false, OnLeave(remove), remove}, nil
}

// CheckNoFile refuses a place with anything in it.
func CheckNoFile(to string) error {
	_, err := os.Lstat(to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = &OccupiedError{Place: to}
	}
	return err
}

// Commit gives the file its name, durable when it returns. What has come to be there meanwhile stays, and is an error, unless the file is to
// take its place.
func (a *File) Commit() error {
	if err := errors.Join(a.Sync(), a.Close()); err != nil {
		return err
	}
	if err := a.name(); err != nil {
		return err
	}
	dir, err := storage.DirFS(filepath.Dir(a.To))
	if err != nil {
		return err
	}
	defer closeFS(dir)
	return dir.SyncDir(".")
}

func (a *File) name() error {
	if a.takes {
		return os.Rename(a.Name(), a.To)
	}
	err := os.Link(a.Name(), a.To)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without hard links cannot tell of a file that comes to be there between these two.
	if err := CheckNoFile(a.To); err != nil {
		return err
	}
	return os.Rename(a.Name(), a.To)
}

// Abandon removes what is not committed.
func (a *File) Abandon() {
	a.remove()
	a.forget()
}
