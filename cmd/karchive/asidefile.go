package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/karchive/karchive/format"
)

// asideFile is a file that is written beside its place and gets its name when it is whole.
type asideFile struct {
	*os.File
	to     string
	takes  bool // the place of what is there
	forget func()
	remove func()
}

// privateFile is the mode of files with contents of records or about them: nobody else reads them unless their owner says so.
const privateFile = 0o600

// createAsideFile begins a new file for the place to, where nothing may be.
func createAsideFile(to string) (*asideFile, error) {
	if err := checkNoFile(to); err != nil {
		return nil, err
	}
	return newAsideFile(to, privateFile)
}

// replaceFile begins what is to take the place of a file, with its mode.
func replaceFile(to string) (*asideFile, error) {
	to, err := filepath.EvalSymlinks(to)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(to)
	if err != nil {
		return nil, err
	}
	a, err := newAsideFile(to, info.Mode().Perm())
	if err == nil {
		a.takes = true
	}
	return a, err
}

func newAsideFile(to string, mode fs.FileMode) (*asideFile, error) {
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
	return &asideFile{f, to, false, onLeave(remove), remove}, nil
}

func checkNoFile(to string) error {
	if to == "-" {
		return &usageError{"stdout is for what the command says: the file cannot go there", "give the name of a new file"}
	}
	_, err := os.Lstat(to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = withHint(fmt.Errorf("%s: %w", to, fs.ErrExist), "give the name of a new file")
	}
	return err
}

// commit gives the file its name, durable when it returns. What has come to be there meanwhile stays, and is an error, unless the file is to
// take its place.
func (a *asideFile) commit() error {
	if err := errors.Join(a.Sync(), a.Close()); err != nil {
		return err
	}
	if err := a.name(); err != nil {
		return err
	}
	dir, err := format.DirFS(filepath.Dir(a.to))
	if err != nil {
		return err
	}
	defer closeFS(dir)
	return dir.SyncDir(".")
}

func (a *asideFile) name() error {
	if a.takes {
		return os.Rename(a.Name(), a.to)
	}
	err := os.Link(a.Name(), a.to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without hard links cannot tell of a file that comes to be there between these two.
	if err := checkNoFile(a.to); err != nil {
		return err
	}
	return os.Rename(a.Name(), a.to)
}

// abandon removes what is not committed.
func (a *asideFile) abandon() {
	a.remove()
	a.forget()
}
