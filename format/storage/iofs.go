package storage

import (
	"errors"
	"io"
	"io/fs"
)

// FromFS is an io/fs file system, an embed.FS say, as a place to read archives from: give it to format.Open, format.OpenIntact or format.Verify. Its files
// must be io.ReaderAts, which those of a directory and embedded ones are; compressed files of a zip are not. Use fs.Sub for an archive
// that is not at its root.
func FromFS(fsys fs.FS) ReadFS { return ioFS{fsys} }

type ioFS struct{ fs.FS }

func (f ioFS) Open(name string) (ReadFile, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		file.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("the file system does not read files from the middle")}
	}
	return ioFile{file, at}, nil
}

func (f ioFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(f.FS, name) }

func (f ioFS) Stat(name string) (fs.FileInfo, error) { return fs.Lstat(f.FS, name) }

type ioFile struct {
	fs.File
	io.ReaderAt
}

func (f ioFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
