package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

// Dirs makes directories, and names in them durable. It is safe for concurrent use.
type Dirs struct {
	fsys directories

	mu     sync.Mutex
	synced map[string]bool // directories whose own entry is durable
}

// directories is what of a storage.FS has to do with them.
type directories interface {
	Mkdir(name string) error
	SyncDir(name string) error
}

// NewDirs is for the directories of one storage.FS.
func NewDirs(fsys directories) *Dirs {
	return &Dirs{fsys: fsys, synced: map[string]bool{}}
}

// Above lists the directories that lead from the root to a name, without the root.
func Above(name string) (dirs []string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}

// Make makes directories that are not there.
func (d *Dirs) Make(dirs []string) error {
	for _, dir := range dirs {
		if err := d.fsys.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// Sync makes the newest name in a directory durable, and those of the directories that lead to it. One that was there
// already may still be the unsynced work of another goroutine or of a killed process, so each is synced once by this one.
func (d *Dirs) Sync(name string) error {
	for _, dir := range Above(name) {
		if d.isSynced(dir) {
			continue
		}
		if err := d.syncDir(path.Dir(dir)); err != nil {
			return err
		}
		d.setSynced(dir)
	}
	return d.syncDir(path.Dir(name))
}

func (d *Dirs) syncDir(dir string) error {
	if err := d.fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

func (d *Dirs) isSynced(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.synced[dir]
}

func (d *Dirs) setSynced(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.synced[dir] = true
}
