package memfs

import (
	"maps"
	"path"
	"strings"
	"syscall"
)

// state says how durable a change is.
type state int8

const (
	dirty    state = iota // not synced: a crash may lose it
	doubtful              // its sync failed: a crash may lose it, and no later sync prevents that
	durable
)

// sync is the state after a sync that succeeded or failed.
func (s state) sync(ok bool) state {
	switch {
	case s != dirty:
		return s
	case ok:
		return durable
	}
	return doubtful
}

// entry is a name in a directory: of a file or of a directory.
type entry struct {
	name string // as it was made; the key may be folded
	file *fileNode
	dir  *dir
}

type dir struct {
	parent *dir              // nil: the root
	key    string            // in parent
	now    map[string]*entry // what calls see
	disk   map[string]*entry // what a crash keeps, but for FS.names
}

func newDir(parent *dir, key string) *dir {
	return &dir{parent: parent, key: key, now: map[string]*entry{}, disk: map[string]*entry{}}
}

// binding gives a key of a directory its meaning; a nil entry takes it away.
type binding struct {
	dir   *dir
	key   string
	entry *entry
	old   *entry // what the key meant before
}

// nameChange is a change of names that happens as a whole or not at all.
type nameChange struct {
	seq   int
	binds []binding // all in one directory
	// needs is the change without which this one does not happen: a file leaves a directory only for another one.
	needs *nameChange
	state state
	kept  bool // it is on the disk
}

func (c *nameChange) dir() *dir { return c.binds[0].dir }

// apply makes the change on the disk.
func (c *nameChange) apply() {
	c.kept = true
	for _, b := range c.binds {
		set(b.dir.disk, b)
	}
}

// removes is the directory that the change removes, or nil.
func (c *nameChange) removes() *dir {
	if b := c.binds[0]; b.entry == nil && b.old != nil {
		return b.old.dir
	}
	return nil
}

func set(m map[string]*entry, b binding) {
	if b.entry == nil {
		delete(m, b.key)
	} else {
		m[b.key] = b.entry
	}
}

// change binds names now and remembers that this is not durable.
func (f *FS) change(needs *nameChange, binds ...binding) *nameChange {
	for i := range binds {
		b := &binds[i]
		b.old = b.dir.now[b.key]
		if b.entry != nil && b.entry.file != nil {
			b.entry.file.links++
		}
		if b.old != nil && b.old.file != nil {
			b.old.file.links--
			f.release(b.old.file)
		}
		set(b.dir.now, *b)
	}
	f.clock++
	c := &nameChange{seq: f.clock, binds: binds, needs: needs}
	f.names = append(f.names, c)
	return c
}

// syncNames is SyncDir of d with its outcome.
func (f *FS) syncNames(d *dir, ok bool) {
	f.markNames(d, ok)
	for len(f.names) > 0 && f.names[0].state == durable {
		f.names[0].apply()
		f.names = f.names[1:]
	}
}

// markNames marks the changes in d. A directory that is durably gone takes all that happened in it along.
func (f *FS) markNames(d *dir, ok bool) {
	for _, c := range f.names {
		if c.dir() != d || c.state != dirty {
			continue
		}
		c.state = c.state.sync(ok)
		if !ok {
			continue
		}
		if c.needs != nil {
			c.needs.state = c.needs.state.sync(ok)
		}
		if gone := c.removes(); gone != nil {
			f.markNames(gone, ok)
		}
	}
}

// lookup finds the directory that holds name and name's key in it. It fails when a directory on the way is missing.
func (f *FS) lookup(name string) (*dir, string, error) {
	d := f.root
	if f.opts.Absent {
		return nil, "", syscall.ENOENT
	}
	for {
		elem, rest, more := strings.Cut(name, "/")
		if !more {
			return d, f.key(elem), nil
		}
		e := d.now[f.key(elem)]
		switch {
		case e == nil:
			return nil, "", syscall.ENOENT
		case e.dir == nil:
			return nil, "", syscall.ENOTDIR
		}
		d, name = e.dir, rest
	}
}

// find returns what name means, with ENOENT when it means nothing.
func (f *FS) find(name string) (*entry, error) {
	if name == "." && !f.opts.Absent {
		return &entry{name: ".", dir: f.root}, nil
	}
	d, key, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	if e := d.now[key]; e != nil {
		return e, nil
	}
	return nil, syscall.ENOENT
}

func (f *FS) findDir(name string) (*dir, error) {
	e, err := f.find(name)
	if err != nil {
		return nil, err
	}
	if e.dir == nil {
		return nil, syscall.ENOTDIR
	}
	return e.dir, nil
}

// vacant finds the directory and key for a new name, with EEXIST when it is taken.
func (f *FS) vacant(name string) (*dir, string, error) {
	if name == "." {
		return nil, "", syscall.EEXIST
	}
	d, key, err := f.lookup(name)
	if err != nil {
		return nil, "", err
	}
	if d.now[key] != nil {
		return nil, "", syscall.EEXIST
	}
	return d, key, nil
}

// makeFile makes an empty file under a vacant name.
func (f *FS) makeFile(d *dir, key, name string) *fileNode {
	fl := &fileNode{}
	f.change(nil, binding{dir: d, key: key, entry: &entry{name: path.Base(name), file: fl}})
	return fl
}

func (f *FS) key(elem string) string {
	if f.opts.FoldCase {
		return strings.ToLower(elem)
	}
	return elem
}

// reachable reports whether d has its place on the disk.
func (d *dir) reachable() bool {
	if d.parent == nil {
		return true
	}
	e := d.parent.disk[d.key]
	return e != nil && e.dir == d && d.parent.reachable()
}

// recount sets the link counts of all files beneath d, which must be 0.
func (d *dir) recount() {
	for e := range maps.Values(d.now) {
		if e.dir != nil {
			e.dir.recount()
		} else {
			e.file.links++
		}
	}
}
