package memfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/karchive/karchive/format/storage"
)

// Options says what kind of file system it is. The zero value is one of Unix.
type Options struct {
	NoLinks  bool // Link fails with errors.ErrUnsupported
	FoldCase bool // names that differ only in case are one name, as on macOS and Windows
	ReadOnly bool // see SetReadOnly
	Absent   bool // the root is not there until Mkdir(".") makes it, durably, as storage.DirFS does
}

// FS is the file system of one machine, from its start to its crash. See the package's description.
type FS struct {
	mu    sync.Mutex
	opts  Options
	root  *dir
	names []*nameChange // those that are not yet applied to dir.disk, oldest first
	clock int           // number of the last change of a name or of a file's contents

	ops     int
	trace   []event
	rules   []func(Op) *Fault
	bounded bool
	free    int64
	dead    bool
}

var _ storage.FS = (*FS)(nil)

// New returns an empty file system.
func New(o Options) *FS { return &FS{opts: o, root: newDir(nil, "")} }

// Open implements storage.FS.
func (f *FS) Open(name string) (storage.ReadFile, error) {
	var h *handle
	err := f.do(Op{Call: Open, Name: name}, func() error {
		fl, err := f.findFile(name)
		if err == nil {
			h = f.handle(name, fl)
		}
		return err
	}, nil)
	return file(h, err)
}

// Create implements storage.FS.
func (f *FS) Create(name string) (storage.File, error) {
	var h *handle
	err := f.do(Op{Call: Create, Name: name}, func() error {
		d, key, err := f.vacant(name)
		if err != nil {
			return err
		}
		if f.opts.ReadOnly {
			return syscall.EROFS
		}
		h = f.handle(name, f.makeFile(d, key, name))
		h.writes = true
		return nil
	}, nil)
	return file(h, err)
}

// OpenAppend implements storage.FS.
func (f *FS) OpenAppend(name string) (storage.File, error) {
	var h *handle
	err := f.do(Op{Call: OpenAppend, Name: name}, func() error {
		fl, err := f.findOrMake(name)
		if err != nil {
			return err
		}
		h = f.handle(name, fl)
		h.writes, h.appends = true, true
		return nil
	}, nil)
	return file(h, err)
}

// file keeps a nil handle from becoming a File that is not nil.
func file(h *handle, err error) (storage.File, error) {
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Link implements storage.FS.
func (f *FS) Link(oldname, newname string) error {
	return f.do(Op{Call: Link, Name: oldname, To: newname}, func() error {
		if f.opts.ReadOnly {
			return syscall.EROFS
		}
		if f.opts.NoLinks {
			return errors.ErrUnsupported
		}
		e, err := f.find(oldname)
		if err != nil {
			return err
		}
		if e.file == nil {
			return syscall.EPERM
		}
		d, key, err := f.vacant(newname)
		if err != nil {
			return err
		}
		f.change(nil, binding{dir: d, key: key, entry: &entry{name: path.Base(newname), file: e.file}})
		return nil
	}, nil)
}

// Rename implements storage.FS for files; directories stay where they are. As in POSIX, when both names are the same file already,
// nothing happens and both remain. Between two directories the new name becomes durable with its directory, and not after the old
// one is durably gone: a crash may leave both, never none.
func (f *FS) Rename(oldname, newname string) error {
	return f.do(Op{Call: Rename, Name: oldname, To: newname}, func() error {
		if f.opts.ReadOnly {
			return syscall.EROFS
		}
		return f.rename(oldname, newname)
	}, nil)
}

func (f *FS) rename(oldname, newname string) error {
	e, err := f.find(oldname)
	if err != nil {
		return err
	}
	if e.file == nil {
		return syscall.EISDIR
	}
	from, oldkey, _ := f.lookup(oldname)
	to, newkey, err := f.lookup(newname)
	if err != nil {
		return err
	}
	same := from == to && oldkey == newkey
	if old := to.now[newkey]; old != nil && !same {
		if old.dir != nil {
			return syscall.EISDIR
		}
		if old.file == e.file {
			return nil
		}
	}
	leave := binding{dir: from, key: oldkey}
	enter := binding{dir: to, key: newkey, entry: &entry{name: path.Base(newname), file: e.file}}
	switch {
	case same:
		f.change(nil, enter)
	case from == to:
		f.change(nil, enter, leave)
	default:
		f.change(f.change(nil, enter), leave)
	}
	return nil
}

// Remove implements storage.FS.
func (f *FS) Remove(name string) error {
	return f.do(Op{Call: Remove, Name: name}, func() error {
		if f.opts.ReadOnly {
			return syscall.EROFS
		}
		e, err := f.find(name)
		if err != nil {
			return err
		}
		if e.dir == f.root {
			return syscall.EINVAL
		}
		if e.dir != nil && len(e.dir.now) > 0 {
			return syscall.ENOTEMPTY
		}
		d, key, _ := f.lookup(name)
		f.change(nil, binding{dir: d, key: key})
		return nil
	}, nil)
}

// Mkdir implements storage.FS.
func (f *FS) Mkdir(name string) error {
	return f.do(Op{Call: Mkdir, Name: name}, func() error {
		if f.opts.Absent && name == "." {
			f.opts.Absent = false
			return nil
		}
		d, key, err := f.vacant(name)
		if err != nil {
			return err
		}
		if f.opts.ReadOnly {
			return syscall.EROFS
		}
		f.change(nil, binding{dir: d, key: key, entry: &entry{name: path.Base(name), dir: newDir(d, key)}})
		return nil
	}, nil)
}

// ReadDir implements storage.FS.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	var list []fs.DirEntry
	err := f.do(Op{Call: ReadDir, Name: name}, func() error {
		d, err := f.findDir(name)
		if err != nil {
			return err
		}
		for _, e := range d.now {
			list = append(list, fs.FileInfoToDirEntry(e.info(e.name)))
		}
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		return nil
	}, nil)
	return list, err
}

// Stat implements storage.FS.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	var info fs.FileInfo
	err := f.do(Op{Call: Stat, Name: name}, func() error {
		e, err := f.find(name)
		if err == nil {
			info = e.info(path.Base(name))
		}
		return err
	}, nil)
	return info, err
}

// SyncDir implements storage.FS.
func (f *FS) SyncDir(name string) error {
	var d *dir
	find := func() (err error) {
		d, err = f.findDir(name)
		return err
	}
	return f.do(Op{Call: SyncDir, Name: name}, func() error {
		if err := find(); err != nil {
			return err
		}
		f.syncNames(d, true)
		return nil
	}, func(*Fault) {
		if find() == nil {
			f.syncNames(d, false)
		}
	})
}

// Lock implements storage.FS. The lock belongs to the file, as that of flock, not to its name; the file stays when it ends, empty.
func (f *FS) Lock(name, holder string) (io.Closer, error) {
	return f.lock(Op{Call: Lock, Name: name}, holder, false)
}

// Share implements storage.FS. What holder says stays in the file when it ends.
func (f *FS) Share(name, holder string) (io.Closer, error) {
	return f.lock(Op{Call: Share, Name: name}, holder, true)
}

func (f *FS) lock(op Op, holder string, shared bool) (io.Closer, error) {
	var l *lock
	err := f.do(op, func() error {
		fl, err := f.findOrMake(op.Name)
		if err != nil {
			return err
		}
		if fl.locked || fl.sharers > 0 && !shared {
			return fmt.Errorf("%w by %s", storage.ErrLocked, bytes.TrimSpace(fl.data))
		}
		if shared {
			fl.sharers++
		} else {
			fl.locked = true
		}
		f.edit(fl, edit{cut: true})
		f.edit(fl, edit{data: []byte(holder + "\n")})
		l = &lock{fs: f, name: op.Name, file: fl, shared: shared}
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (f *FS) findFile(name string) (*fileNode, error) {
	e, err := f.find(name)
	switch {
	case err != nil:
		return nil, err
	case e.file == nil:
		return nil, syscall.EISDIR
	}
	return e.file, nil
}

// findOrMake finds a file that is to be written, or makes it.
func (f *FS) findOrMake(name string) (*fileNode, error) {
	if f.opts.ReadOnly {
		return nil, syscall.EROFS
	}
	fl, err := f.findFile(name)
	if err != syscall.ENOENT {
		return fl, err
	}
	d, key, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	return f.makeFile(d, key, name), nil
}
