package memfs

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is the unit in which a disk writes: of an unsynced write any sectors may arrive.
const sector = 512

// Crash ends the machine, unless CrashAt has, and returns the next one: it holds all that was synced and a choice of the rest that
// depends on the seed. All calls on f, on its files and locks fail from now on. Crash may be called again for another outcome of the same crash.
//
// The choices: nothing that was not synced; all of it; all until some moment, the last write torn; most often any names, and of
// every file nothing, all, a torn beginning of its changes, or any sectors of them, with zeros where a length arrived without bytes.
func (f *FS) Crash(seed uint64) *FS {
	r := rand.New(rand.NewPCG(seed, 0))
	n, moments := f.end(fmt.Sprintf("crash, seed %d", seed))
	n.settle(anyHow(r)(r, moments))
	return n
}

// CrashBare is Crash with the outcome that nothing is left that was not synced.
func (f *FS) CrashBare() *FS {
	n, _ := f.end("crash, nothing unsynced left")
	n.settle(nothing(nil, nil))
	return n
}

// Kill ends the process and not the machine: the FS it returns holds everything, what was not synced still is not, and no file is open
// or locked. All calls on f, on its files and locks fail from now on. After CrashAt it is as if the process had been killed there.
//
// Bytes whose Sync failed stay as they are, not durable and not to be made so, but names whose SyncDir failed count as not synced
// again: a file system that cannot write its journal takes no more changes until it was mounted anew, from what is on the disk.
func (f *FS) Kill() *FS {
	n, _ := f.end("kill")
	for _, c := range n.names {
		if c.state == doubtful {
			c.state = dirty
		}
	}
	return n
}

// end stops f and returns a copy of it without handles, locks and rules, and when the changes happened that are not synced, in order.
func (f *FS) end(why string) (*FS, []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	c := copier{dirs: map[*dir]*dir{}, files: map[*fileNode]*fileNode{}, changes: map[*nameChange]*nameChange{}}
	n := &FS{opts: f.opts, clock: f.clock, trace: slices.Clone(f.trace), root: c.dir(f.root)}
	n.trace = append(n.trace, event{note: why})
	for _, ch := range f.names {
		n.names = append(n.names, c.change(ch))
	}
	n.root.recount()
	return n, c.moments()
}

// survival decides what is left of what was not synced.
type survival struct {
	name func(*nameChange) bool
	file func(*fileNode) func(edit, []byte) []byte // what each edit that was not synced makes of the contents
}

func anyHow(r *rand.Rand) func(*rand.Rand, []int) survival {
	switch r.IntN(8) {
	case 0:
		return nothing
	case 1:
		return everything
	case 2, 3:
		return until
	}
	return scattered
}

func nothing(*rand.Rand, []int) survival {
	return survival{
		name: func(*nameChange) bool { return false },
		file: func(*fileNode) func(edit, []byte) []byte { return lost },
	}
}

func everything(*rand.Rand, []int) survival {
	return survival{
		name: func(*nameChange) bool { return true },
		file: func(*fileNode) func(edit, []byte) []byte { return edit.apply },
	}
}

// until keeps the changes before one of the moments, in all files and directories.
func until(r *rand.Rand, moments []int) survival {
	moment := 0
	if len(moments) > 0 {
		moment = moments[r.IntN(len(moments))]
	}
	return survival{
		name: func(c *nameChange) bool { return c.seq < moment },
		file: func(*fileNode) func(edit, []byte) []byte { return before(r, moment) },
	}
}

// before keeps the edits before a moment and tears the one at it.
func before(r *rand.Rand, moment int) func(edit, []byte) []byte {
	return func(e edit, b []byte) []byte {
		switch {
		case e.seq < moment:
			return e.apply(b)
		case e.seq == moment:
			return torn(r, e, b)
		}
		return b
	}
}

// scattered keeps anything: disks and file systems write back in their own order.
func scattered(r *rand.Rand, _ []int) survival {
	share := r.Float64()
	return survival{
		name: func(*nameChange) bool { return r.Float64() < share },
		file: func(fl *fileNode) func(edit, []byte) []byte {
			switch r.IntN(5) {
			case 0:
				return lost
			case 1:
				return edit.apply
			case 2:
				return before(r, anyMoment(r, fl))
			}
			return func(e edit, b []byte) []byte { return pick(r, e, b) }
		},
	}
}

// anyMoment is that of one of a file's edits.
func anyMoment(r *rand.Rand, fl *fileNode) int {
	if len(fl.edits) == 0 {
		return 0
	}
	return fl.edits[r.IntN(len(fl.edits))].seq
}

func lost(_ edit, b []byte) []byte { return b }

// torn keeps the beginning of a write, at times with the length of all of it.
func torn(r *rand.Rand, e edit, b []byte) []byte {
	if e.cut {
		return pick(r, e, b)
	}
	end := e.end()
	e.data = e.data[:r.IntN(len(e.data)+1)]
	if r.IntN(2) == 0 {
		b = resize(b, max(int64(len(b)), end))
	}
	return e.apply(b)
}

// pick keeps an edit, loses it, or writes its length or some of its sectors.
func pick(r *rand.Rand, e edit, b []byte) []byte {
	how := r.IntN(5)
	switch {
	case how == 0:
		return e.apply(b)
	case how == 1 || e.cut:
		return b
	case how == 2:
		return resize(b, max(int64(len(b)), e.end()))
	}
	if r.IntN(2) == 0 {
		b = resize(b, max(int64(len(b)), e.end()))
	}
	share := r.Float64()
	for at := e.at; at < e.end(); {
		next := min(at/sector*sector+sector, e.end())
		if r.Float64() < share {
			b = edit{at: at, data: e.data[at-e.at : next-e.at]}.apply(b)
		}
		at = next
	}
	return b
}

// settle makes the disk what survives and the contents what is on the disk.
func (f *FS) settle(s survival) {
	for _, c := range f.names {
		if (c.state == durable || s.name(c)) && c.possible() {
			c.apply()
		}
	}
	f.names = nil
	done := map[*fileNode]bool{}
	f.root.settle(s, done)
	f.root.recount()
}

// possible reports whether a change fits to those that were kept: a file does not leave its directory before it has its name in
// another one that is there, and a directory does not go before what is in it.
func (c *nameChange) possible() bool {
	if c.needs != nil && (!c.needs.kept || c.state != durable && !c.needs.dir().reachable()) {
		return false
	}
	gone := c.removes()
	return gone == nil || c.state == durable || len(gone.disk) == 0
}

func (d *dir) settle(s survival, done map[*fileNode]bool) {
	d.now = maps.Clone(d.disk)
	for _, key := range slices.Sorted(maps.Keys(d.now)) {
		e := d.now[key]
		switch {
		case e.dir != nil:
			e.dir.settle(s, done)
		case !done[e.file]:
			done[e.file] = true
			e.file.settle(s)
		}
	}
}

func (fl *fileNode) settle(s survival) {
	survive := s.file(fl)
	for _, e := range fl.edits {
		if e.state == durable {
			fl.disk = e.apply(fl.disk)
		} else {
			fl.disk = survive(e, fl.disk)
		}
	}
	fl.edits, fl.links = nil, 0
	fl.data = bytes.Clone(fl.disk)
}

// copier copies a tree in which files have several names and changes refer to each other.
type copier struct {
	dirs    map[*dir]*dir
	files   map[*fileNode]*fileNode
	changes map[*nameChange]*nameChange
}

// moments is when the changes happened that are not durable, in order.
func (c *copier) moments() []int {
	var m []int
	for _, ch := range c.changes {
		if ch.state != durable {
			m = append(m, ch.seq)
		}
	}
	for _, fl := range c.files {
		for _, e := range fl.edits {
			if e.state != durable {
				m = append(m, e.seq)
			}
		}
	}
	slices.Sort(m)
	return m
}

func (c *copier) dir(d *dir) *dir {
	if d == nil {
		return nil
	}
	if n := c.dirs[d]; n != nil {
		return n
	}
	n := &dir{key: d.key}
	c.dirs[d] = n
	n.parent = c.dir(d.parent)
	n.now, n.disk = c.entries(d.now), c.entries(d.disk)
	return n
}

func (c *copier) entries(m map[string]*entry) map[string]*entry {
	n := make(map[string]*entry, len(m))
	for key, e := range m {
		n[key] = c.entry(e)
	}
	return n
}

func (c *copier) entry(e *entry) *entry {
	if e == nil {
		return nil
	}
	return &entry{name: e.name, file: c.file(e.file), dir: c.dir(e.dir)}
}

func (c *copier) file(fl *fileNode) *fileNode {
	if fl == nil {
		return nil
	}
	if n := c.files[fl]; n != nil {
		return n
	}
	n := &fileNode{data: bytes.Clone(fl.data), disk: bytes.Clone(fl.disk), edits: slices.Clone(fl.edits)}
	c.files[fl] = n
	return n
}

func (c *copier) change(ch *nameChange) *nameChange {
	if ch == nil {
		return nil
	}
	if n := c.changes[ch]; n != nil {
		return n
	}
	n := &nameChange{seq: ch.seq, state: ch.state, kept: ch.kept, needs: c.change(ch.needs)}
	c.changes[ch] = n
	for _, b := range ch.binds {
		n.binds = append(n.binds, binding{dir: c.dir(b.dir), key: b.key, entry: c.entry(b.entry), old: c.entry(b.old)})
	}
	return n
}
