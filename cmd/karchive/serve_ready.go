package main

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/karchive/karchive/internal/aside"
)

// readyFile is what says, by being there, that clients can connect, and where. Without a name it does nothing.
type readyFile struct {
	name string
	file *aside.File
	said []byte // what is in it; nil: it is not there
}

// begin removes what a server that was killed has left, and finds out whether the file can be made.
func (r *readyFile) begin() (err error) {
	if r.name == "" {
		return nil
	}
	switch info, err := os.Lstat(r.name); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return usage("--ready-file %s is there, and is no file", r.name)
	default:
		if err := r.checkLeft(info.Size()); err != nil {
			return err
		}
		if err := os.Remove(r.name); err != nil {
			return err
		}
	}
	r.file, err = aside.CreateFile(r.name)
	return err
}

// mostAddress is more than an address has.
const mostAddress = 1024

// checkLeft refuses to remove what no server left: it has an address, or nothing.
func (r *readyFile) checkLeft(size int64) error {
	if size == 0 {
		return nil
	}
	if size <= mostAddress {
		text, err := os.ReadFile(r.name)
		if err != nil {
			return err
		}
		line, rest, ends := strings.Cut(string(text), "\n")
		if _, _, err := net.SplitHostPort(line); err == nil && ends && rest == "" {
			return nil
		}
	}
	return usage("--ready-file %s is there, and is none that a server left: it holds no address", r.name)
}

// ready makes the file. Everybody may read it.
func (r *readyFile) ready(address string) error {
	if r.name == "" {
		return nil
	}
	said := []byte(address + "\n")
	if _, err := r.file.Write(said); err != nil {
		return err
	}
	if err := r.file.Chmod(0o644); err != nil {
		return err
	}
	if err := r.file.Commit(); err != nil {
		return err
	}
	r.said = said
	return nil
}

// end removes the file, unless it is another server's by now.
func (r *readyFile) end() {
	if r.file != nil {
		r.file.Abandon()
	}
	if is, err := os.ReadFile(r.name); err == nil && r.said != nil && bytes.Equal(is, r.said) {
		os.Remove(r.name)
	}
}
