// Package durable is what archives in file systems need so that a crash leaves what was there or what was to be there: files that are synced before they
// get their names, names that are synced with the directories that lead to them, and the error for a directory that somebody deleted meanwhile.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// ErrGone is wrapped when the directory of an archive, or one in it, was deleted while it was open for writing.
var ErrGone = errors.New("the archive, or a part of it, was deleted while it was being written")

// NoteGone names what it means that a directory is not there which this writer made or found.
func NoteGone(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrGone, err)
}

// File is what of a storage.File is needed to write it once.
type File interface {
	io.WriteCloser
	Sync() error
}

// Write makes content the bytes of a new file, durable before it returns, and closes it.
func Write(f File, content []byte) error {
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// Holder is what others are told who find a lock of this process.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("pid %d on host %s since %s", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
}
