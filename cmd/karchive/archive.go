package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/pack"
)

// openArchive opens an archive for reading: a directory, a packed file, or one in a bucket.
func openArchive(e *env, name string) (*format.Archive, error) {
	fsys, err := archiveFS(e, name, false)
	if err != nil {
		return nil, err
	}
	a, err := format.Open(fsys)
	if err != nil {
		return nil, ofPlace(name, err)
	}
	return a, nil
}

// ofPlace names the place of an error, without what in a URL may let somebody in. The error of a URL names it itself.
func ofPlace(name string, err error) error {
	if isURLError(err) {
		return err
	}
	return fmt.Errorf("%s: %w", withoutQuery(name), err)
}

// archiveFS is the place where an archive lies already: a directory, a packed file, or in a bucket. With partly that may lack parts, which are named on stderr.
func archiveFS(e *env, name string, partly bool) (storage.ReadFS, error) {
	if bucketurl.Is(name) {
		return e.bucketStore(e.ctx, name, "")
	}
	p, packed, err := e.openPacked(name, pack.OpenOptions{AllowMissing: partly})
	if !packed {
		return directoryFS(name)
	}
	if err != nil {
		return nil, err
	}
	if err := p.Whole(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, problem := range p.Problems {
		e.warnf("%s", problem)
	}
	return p.FS(), nil // its files are closed with the process
}

// directoryFS opens a directory that is to hold an archive already.
func directoryFS(dir string) (storage.FS, error) {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, err
	}
	if _, err := fsys.Stat("."); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such directory", dir)
	}
	return fsys, nil
}

// openOrCreate opens an archive for writing, in the encoding asked for, if any, and makes it when there is nothing yet. Closing it takes one away that was made here and in
// which nothing was begun: a misspelt topic leaves nothing behind.
func openOrCreate(e *env, dir string, encoding format.Encoding) (a *format.Archive, closing func(), err error) {
	if bucketurl.Is(dir) {
		return e.openOrCreateStore(dir, encoding)
	}
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, nil, err
	}
	a, err = format.OpenForWriting(fsys)
	if err == nil {
		if err := checkEncoding(a, encoding); err != nil {
			return nil, nil, errors.Join(err, a.Close())
		}
		return a, func() { a.Close() }, nil
	}
	if !errors.Is(err, format.ErrNotArchive) {
		return nil, nil, err
	}
	_, statErr := fsys.Stat(".")
	a, err = format.Create(fsys, format.Identity{Encoding: encoding, CreatedBy: madeBy()})
	return a, func() {
		begun := a.Identity().Capture != nil
		if !begun {
			takeAway(fsys) // under the lock
		}
		a.Close()
		if !begun && errors.Is(statErr, fs.ErrNotExist) {
			os.Remove(dir)
		}
	}, err
}

// takeAway removes what Create made. Remove takes files and empty directories only, and directories go first: one with a segment in it
// ends it.
func takeAway(fsys storage.FS) {
	entries, err := fsys.ReadDir(".")
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() && fsys.Remove(e.Name()) != nil }) {
		return
	}
	for _, e := range entries {
		if !e.IsDir() {
			fsys.Remove(e.Name())
		}
	}
}
