package memfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"time"
)

// fileNode is a file whatever its names.
type fileNode struct {
	data   []byte // what reads see
	disk   []byte // what a crash keeps, but for edits
	edits  []edit // those that are not yet applied to disk, oldest first
	links  int
	opens  int
	locked bool

	sharers int // of its lock
}

// edit is a change of a file's contents: data written at an offset or, with cut, a length set.
type edit struct {
	seq   int
	cut   bool
	at    int64 // the offset or the length
	data  []byte
	state state
}

func (e edit) apply(b []byte) []byte {
	if e.cut {
		return resize(b, e.at)
	}
	b = resize(b, max(int64(len(b)), e.end()))
	copy(b[e.at:], e.data)
	return b
}

// end is where the bytes written end.
func (e edit) end() int64 { return e.at + int64(len(e.data)) }

// resize cuts b or extends it with zeros.
func resize(b []byte, n int64) []byte {
	if n <= int64(len(b)) {
		return b[:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

// edit changes a file now and remembers that this is not durable.
func (f *FS) edit(fl *fileNode, e edit) {
	f.clock++
	e.seq = f.clock
	f.free += int64(len(fl.data))
	fl.data = e.apply(fl.data)
	f.free -= int64(len(fl.data))
	fl.edits = append(fl.edits, e)
}

// sync is Sync of the file with its outcome.
func (fl *fileNode) sync(ok bool) {
	for i := range fl.edits {
		fl.edits[i].state = fl.edits[i].state.sync(ok)
	}
	for len(fl.edits) > 0 && fl.edits[0].state == durable {
		fl.disk = fl.edits[0].apply(fl.disk)
		fl.edits = fl.edits[1:]
	}
}

// release gives the room of a file back that nothing refers to any more.
func (f *FS) release(fl *fileNode) {
	if fl.links == 0 && fl.opens == 0 {
		f.free += int64(len(fl.data))
	}
}

// handle is an open file.
type handle struct {
	fs      *FS
	name    string
	file    *fileNode
	pos     int64
	writes  bool
	appends bool // every write goes to the end
	closed  bool
}

func (f *FS) handle(name string, fl *fileNode) *handle {
	fl.opens++
	return &handle{fs: f, name: name, file: fl}
}

// do runs an operation on a handle.
func (h *handle) do(op Op, apply func() error, partly func(*Fault)) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	op.Name = h.name
	if op.Call == Write {
		op.Off = h.writePos()
	}
	if h.closed {
		apply, partly = func() error { return fs.ErrClosed }, nil
	}
	return h.fs.run(op, apply, partly)
}

func (h *handle) ReadAt(p []byte, off int64) (n int, err error) {
	err = h.do(Op{Call: ReadAt, Off: off, Len: len(p)}, func() error {
		if off < 0 {
			return syscall.EINVAL
		}
		if n = copy(p, h.from(off)); n < len(p) {
			return io.EOF
		}
		return nil
	}, nil)
	return n, err
}

// from is the contents from off on.
func (h *handle) from(off int64) []byte {
	return h.file.data[min(off, int64(len(h.file.data))):]
}

func (h *handle) Write(p []byte) (n int, err error) {
	err = h.do(Op{Call: Write, Len: len(p)}, func() error {
		if err := h.writable(syscall.EBADF); err != nil {
			return err
		}
		if n = h.write(p); n < len(p) {
			return syscall.ENOSPC
		}
		return nil
	}, func(ft *Fault) {
		if h.writable(syscall.EBADF) == nil {
			n = h.write(p[:min(ft.Keep, len(p))])
		}
	})
	if errors.Is(err, ErrCrashed) {
		return 0, err
	}
	return n, err
}

// writable gives the error of a change that the handle or the file system does not allow.
func (h *handle) writable(closed error) error {
	switch {
	case !h.writes:
		return closed
	case h.fs.opts.ReadOnly:
		return syscall.EROFS
	}
	return nil
}

// write writes as much of p as there is room for.
func (h *handle) write(p []byte) int {
	at := h.writePos()
	if h.fs.bounded {
		room := int64(len(h.file.data)) - at + max(h.fs.free, 0)
		p = p[:min(int64(len(p)), max(room, 0))]
	}
	if len(p) > 0 {
		h.fs.edit(h.file, edit{at: at, data: bytes.Clone(p)})
	}
	h.pos = at + int64(len(p))
	return len(p)
}

func (h *handle) writePos() int64 {
	if h.appends {
		return int64(len(h.file.data))
	}
	return h.pos
}

func (h *handle) Truncate(size int64) error {
	return h.do(Op{Call: Truncate, Off: size}, func() error {
		if err := h.writable(syscall.EINVAL); err != nil {
			return err
		}
		if size < 0 {
			return syscall.EINVAL
		}
		h.fs.edit(h.file, edit{cut: true, at: size})
		return nil
	}, nil)
}

func (h *handle) Sync() error {
	return h.do(Op{Call: Sync}, func() error {
		h.file.sync(true)
		return nil
	}, func(*Fault) { h.file.sync(false) })
}

func (h *handle) Size() (n int64, err error) {
	err = h.do(Op{Call: Size}, func() error {
		n = int64(len(h.file.data))
		return nil
	}, nil)
	return n, err
}

// Close closes the handle whatever it reports, as close does on Linux.
func (h *handle) Close() error {
	shut := func() {
		h.closed = true
		h.file.opens--
		h.fs.release(h.file)
	}
	return h.do(Op{Call: Close}, func() error {
		shut()
		return nil
	}, func(*Fault) { shut() })
}

// lock is a file's lock.
type lock struct {
	fs     *FS
	name   string
	file   *fileNode
	shared bool
	closed bool
}

// Close ends the lock whatever it reports, and empties the file of one that was not shared.
func (l *lock) Close() error {
	unlock := func() {
		l.closed = true
		if l.shared {
			l.file.sharers--
		} else {
			l.file.locked = false
		}
	}
	return l.fs.do(Op{Call: Unlock, Name: l.name}, func() error {
		if l.closed {
			return fs.ErrClosed
		}
		if !l.shared {
			l.fs.edit(l.file, edit{cut: true})
		}
		unlock()
		return nil
	}, func(*Fault) {
		if !l.closed {
			unlock()
		}
	})
}

// info describes what an entry names.
func (e *entry) info(name string) fs.FileInfo {
	if e.dir != nil {
		return info{name: name, mode: fs.ModeDir | 0o750}
	}
	return info{name: name, mode: 0o640, size: int64(len(e.file.data))}
}

type info struct {
	name string
	mode fs.FileMode
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
