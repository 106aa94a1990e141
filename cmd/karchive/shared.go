package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// openOrCreateShared is openOrCreate in a directory that several processes write to at the same time.
func openOrCreateShared(e *env, dir string, encoding format.Encoding) (a *format.Archive, closing func(), err error) {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, nil, err
	}
	_, statErr := fsys.Stat(".")
	d, err := storage.ShareDir(fsys)
	if err != nil {
		return nil, nil, err
	}
	a, err = format.OpenOrCreate(d, format.Identity{Encoding: encoding, CreatedBy: madeBy()})
	if err == nil {
		err = checkEncoding(a, encoding)
	}
	if err != nil {
		return nil, nil, errors.Join(err, d.(io.Closer).Close())
	}
	return a, func() {
		if err := a.Close(); err != nil {
			e.warnf("%s: %v; karchive verify --write-sums does it again", dir, err)
		}
		if _, err := fsys.Stat(ondisk.Identity); errors.Is(err, fs.ErrNotExist) && errors.Is(statErr, fs.ErrNotExist) {
			takeAwayShared(fsys, dir)
		}
	}, nil
}

// takeAwayShared removes a directory that was made for nothing, unless somebody else uses it.
func takeAwayShared(fsys storage.FS, dir string) {
	l, err := fsys.Lock(ondisk.Lock, "")
	if err != nil {
		return
	}
	takeAway(fsys)
	l.Close()
	os.Remove(dir)
}
