package aside

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// Archive is a new archive that is made beside its place and moved there when it is whole: under its own name there is all of it or nothing.
type Archive struct {
	*format.Archive
	fsys storage.FS
	dir  string // where it is made
	to   string // its place

	staged bool // in a store, in its place: that it is an archive is said last
}

// asidePrefix and asideSuffix make the name of the directory in which an archive is made.
const (
	asidePrefix = "."
	asideSuffix = ".karchive-new"
)

// CreateArchive begins a new archive for the place to, where nothing may be but an empty directory. What a killed process left of the
// same archive is removed, unless it is still being made.
func CreateArchive(to string, id format.Identity) (*Archive, error) {
	if err := CheckFree(to); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(to)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(filepath.Dir(path), asidePrefix+filepath.Base(path)+asideSuffix)
	if err := removeLeftover(dir); err != nil {
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, err
	}
	a, err := format.Create(fsys, id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", to, err)
	}
	return &Archive{Archive: a, fsys: fsys, dir: dir, to: path}, nil
}

// StageArchive is CreateArchive for an archive in a store.
func StageArchive(s storage.Store, id format.Identity) (*Archive, error) {
	a, err := format.StageStore(s, id)
	if err != nil {
		return nil, err
	}
	return &Archive{Archive: a, staged: true}, nil
}

// OccupiedError is returned for a place with something in it. It is an fs.ErrExist.
type OccupiedError struct {
	Place     string
	Directory bool // which is not empty
}

// Error names the place.
func (e *OccupiedError) Error() string {
	if e.Directory {
		return fmt.Sprintf("%s: %v and is not empty", e.Place, fs.ErrExist)
	}
	return fmt.Sprintf("%s: %v", e.Place, fs.ErrExist)
}

// Unwrap returns fs.ErrExist.
func (e *OccupiedError) Unwrap() error { return fs.ErrExist }

// CheckFree refuses a place with anything in it but an empty directory.
func CheckFree(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return &OccupiedError{dir, true}
	}
	return nil
}

func removeLeftover(dir string) error {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	a, err := format.OpenForWriting(fsys)
	if errors.Is(err, storage.ErrLocked) {
		return err
	}
	if err == nil {
		a.Close()
	}
	closeFS(fsys)
	return os.RemoveAll(dir)
}

func closeFS(fsys storage.FS) {
	if c, ok := fsys.(io.Closer); ok {
		c.Close()
	}
}

// Commit moves the archive to its place, durable when it returns.
func (a *Archive) Commit() error {
	if a.staged {
		return a.Archive.Commit()
	}
	if err := a.Archive.Close(); err != nil {
		return err
	}
	closeFS(a.fsys)
	// An empty directory may be in the place; Remove takes nothing else.
	if err := os.Remove(a.to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(a.dir, a.to); err != nil {
		return err
	}
	parent, err := storage.DirFS(filepath.Dir(a.to))
	if err != nil {
		return err
	}
	defer closeFS(parent)
	return parent.SyncDir(".")
}

// Abandon removes what there is. After Commit it does nothing.
func (a *Archive) Abandon() {
	a.Archive.Close() // which is all that there is to do in a store
	if a.staged {
		return
	}
	closeFS(a.fsys)
	os.RemoveAll(a.dir)
}
