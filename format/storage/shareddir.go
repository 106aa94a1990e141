package storage

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/karchive/karchive/internal/durable"
	"github.com/karchive/karchive/internal/ondisk"
)

// sharedDir is a [Store] in a directory: several processes write the archive in it at the same time, and keep to the rules of object stores. A
// hard link gives a name once. All of them must see each other's files and locks at once, as processes of one machine do. All methods are
// safe for concurrent use.
type sharedDir struct {
	FS
	lock, own io.Closer // of the archive, with the others, and of the temporary files
	mine      string    // begins the names of the temporary files
	dirs      *durable.Dirs
	foldsCase bool

	mu    sync.Mutex
	temps int // temporary files named so far
}

var _ Store = (*sharedDir)(nil)

// In the temporary directory each sharedDir has a lock file, which is free when its process is gone, and files that begin with its
// name, after ondisk.SharerPrefix.
const sharerLock = ".lock"

// ShareDir opens a directory for several who write to the archive in it, and makes it when it is not there. It fails with [ErrLocked] while a writer has
// it alone, and the others fail while one is left who shares it. What killed sharers left behind is removed. The value is also an io.Closer,
// which gives up its share; the others go on. The caller calls its Close, or that of the archive.
func ShareDir(fsys FS) (Store, error) {
	d := &sharedDir{FS: fsys, dirs: durable.NewDirs(fsys)}
	err := d.dirs.Make([]string{"."})
	if err == nil {
		err = d.begin()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("share the directory: %w", err), d.Close())
	}
	return d, nil
}

func (d *sharedDir) begin() (err error) {
	if d.lock, err = d.FS.Share(ondisk.Lock, "several processes that share it, of which one said: "+durable.Holder()); err != nil {
		return err
	}
	if err := d.dirs.Make([]string{ondisk.Temp, ondisk.Data}); err != nil {
		return err
	}
	for d.own == nil {
		d.mine = ondisk.Temp + "/" + ondisk.SharerPrefix + strings.ToLower(rand.Text())
		d.own, err = d.FS.Lock(d.mine+sharerLock, durable.Holder())
		switch {
		case err == nil || errors.Is(err, ErrLocked): // another one, who begins too, may take it for a leftover
		case errors.Is(err, fs.ErrNotExist): // another one ended and removed the directory
			if err := d.dirs.Make([]string{ondisk.Temp}); err != nil {
				return err
			}
		default:
			return err
		}
	}
	_, statErr := d.FS.Stat(ondisk.Temp + "/" + strings.ToUpper(path.Base(d.mine+sharerLock)))
	d.foldsCase = statErr == nil
	return d.removeLeftovers()
}

// removeLeftovers removes the files of sharers whose lock is free.
func (d *sharedDir) removeLeftovers() error {
	entries, err := d.FS.ReadDir(ondisk.Temp)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := ondisk.Temp + "/" + e.Name()
		sharer, ok := strings.CutSuffix(name, sharerLock)
		if !ok || !strings.HasPrefix(e.Name(), ondisk.SharerPrefix) || sharer == d.mine {
			continue
		}
		l, err := d.FS.Lock(name, durable.Holder())
		if errors.Is(err, ErrLocked) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("remove leftovers: %w", err)
		}
		for _, file := range entries {
			if strings.HasPrefix(ondisk.Temp+"/"+file.Name(), sharer+"-") {
				d.FS.Remove(ondisk.Temp + "/" + file.Name()) // another one may do so too
			}
		}
		d.FS.Remove(name)
		l.Close()
	}
	return nil
}

// Close gives up the locks. Others who share the directory go on.
func (d *sharedDir) Close() error {
	var all []error
	if d.own != nil {
		d.FS.Remove(d.mine + sharerLock)
		all = append(all, d.own.Close())
		d.own = nil
	}
	if d.lock != nil {
		d.FS.Remove(ondisk.Temp) // if it is empty
		all = append(all, d.lock.Close())
		d.lock = nil
	}
	return errors.Join(all...)
}

// Probe finds out whether the file system has hard links, which keep a name from being given twice.
func (d *sharedDir) Probe() error {
	name := d.temp()
	f, err := d.FS.Create(name)
	if err != nil {
		return err
	}
	defer d.FS.Remove(name)
	if err := f.Close(); err != nil {
		return err
	}
	second := d.temp()
	if err := d.FS.Link(name, second); err != nil {
		return fmt.Errorf("several who write here would need hard links, so that none replaces what another one wrote: %w", err)
	}
	defer d.FS.Remove(second)
	if err := d.FS.Link(name, second); !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the file system gives a name twice (%v): several who write here would destroy each other's segments", err)
	}
	return nil
}

func (d *sharedDir) temp() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.temps++
	return fmt.Sprintf("%s-%d", d.mine, d.temps)
}

// FoldsCase says whether the file system takes a and A for one name.
func (d *sharedDir) FoldsCase() bool { return d.foldsCase }

// List implements Store.
func (d *sharedDir) List(dir string, visit func(name string, size int64) error) error {
	entries, err := d.FS.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(pathOrder(a), pathOrder(b)) })
	for _, e := range entries {
		if err := d.listOne(path.Join(dir, e.Name()), e, visit); err != nil {
			return err
		}
	}
	return nil
}

// pathOrder sorts entries as the paths of what is in them.
func pathOrder(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

func (d *sharedDir) listOne(name string, e fs.DirEntry, visit func(name string, size int64) error) error {
	switch {
	case e.IsDir():
		return d.List(name, visit)
	case !e.Type().IsRegular() && strings.HasPrefix(name, ondisk.Data+"/"):
		return fmt.Errorf("%s: %w: move it out of the archive", name, ondisk.ErrForeignFile)
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) { // a temporary file of another one
		return nil
	}
	if err != nil {
		return err
	}
	return visit(name, info.Size())
}

// Spool implements Store. The file is in the directory, so that it can be linked.
func (d *sharedDir) Spool() (File, error) {
	name := d.temp()
	f, err := d.FS.Create(name)
	if err != nil {
		return nil, durable.NoteGone(err)
	}
	return &sharedFile{f, d.FS, name}, nil
}

// sharedFile is removed when it is closed: by then it has another name, or is of no use.
type sharedFile struct {
	File
	fsys FS
	name string
}

func (f *sharedFile) Close() error { return errors.Join(f.File.Close(), f.fsys.Remove(f.name)) }

// Publish implements Store. The file must be one of Spool.
func (d *sharedDir) Publish(name string, f ReadFile, _ string) error {
	spooled, ok := f.(*sharedFile)
	if !ok {
		return errors.New("only a file that was spooled here can be published here")
	}
	// Its bytes are durable before a name leads to them, and the name before anybody is told.
	if err := spooled.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := d.dirs.Make(durable.Above(name)); err != nil {
		return durable.NoteGone(err)
	}
	if err := d.link(spooled.name, name); err != nil {
		return durable.NoteGone(err)
	}
	return d.dirs.Sync(name)
}

// link gives a file a name that must be free, or that of a file of the same bytes: a server may have lost its answer.
func (d *sharedDir) link(temp, name string) error {
	err := d.FS.Link(temp, name)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	same, failed := d.same(temp, name)
	if failed != nil {
		return fmt.Errorf("%w; whether it is the same file: %w", err, failed)
	}
	if same {
		return nil
	}
	return fmt.Errorf("another writer made %s: %w", name, err)
}

func (d *sharedDir) same(a, b string) (bool, error) {
	one, err := d.FS.Open(a)
	if err != nil {
		return false, err
	}
	defer one.Close()
	other, err := d.FS.Open(b)
	if err != nil {
		return false, err
	}
	defer other.Close()
	oneSize, err := one.Size()
	otherSize, failed := other.Size()
	if err := errors.Join(err, failed); err != nil || oneSize != otherSize {
		return false, err
	}
	left, right := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < oneSize; at += int64(len(left)) {
		n := min(int64(len(left)), oneSize-at)
		if _, err := one.ReadAt(left[:n], at); err != nil {
			return false, err
		}
		if _, err := other.ReadAt(right[:n], at); err != nil {
			return false, err
		}
		if !bytes.Equal(left[:n], right[:n]) {
			return false, nil
		}
	}
	return true, nil
}

// Put implements Store.
func (d *sharedDir) Put(name string, content []byte, replace bool) error {
	temp := d.temp()
	f, err := d.FS.Create(temp)
	if err == nil {
		err = durable.Write(f, content)
	}
	if err != nil {
		d.FS.Remove(temp)
		return durable.NoteGone(err)
	}
	defer d.FS.Remove(temp)
	if err := d.dirs.Make(durable.Above(name)); err != nil {
		return durable.NoteGone(err)
	}
	give := d.link
	if replace {
		give = d.FS.Rename
	}
	if err := give(temp, name); err != nil {
		return durable.NoteGone(err)
	}
	return d.dirs.Sync(name)
}

// SHA256 implements Store: nobody noted it, and what is on the disk now proves nothing.
func (d *sharedDir) SHA256(string) (string, error) { return "", nil }

// Remove implements Store.
func (d *sharedDir) Remove(name string) error {
	if err := d.FS.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
