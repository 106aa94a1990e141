package format

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/karchive/karchive/format/storage"
)

// durableDirs makes directories, and names in them durable. It is safe for concurrent use.
type durableDirs struct {
	fsys storage.FS

	mu     sync.Mutex
	synced map[string]bool // directories whose own entry is durable
}

func newDurableDirs(fsys storage.FS) *durableDirs {
	return &durableDirs{fsys: fsys, synced: map[string]bool{}}
}

// above lists the directories that lead from the root to a name, without the root.
func above(name string) (dirs []string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}

// make makes directories that are not there.
func (d *durableDirs) make(dirs []string) error {
	for _, dir := range dirs {
		if err := d.fsys.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// sync makes the newest name in a directory durable, and those of the directories that lead to it. One that was there
// already may still be the unsynced work of another goroutine or of a killed process, so each is synced once by this one.
func (d *durableDirs) sync(name string) error {
	for _, dir := range above(name) {
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

func (d *durableDirs) syncDir(dir string) error {
	if err := d.fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

func (d *durableDirs) isSynced(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.synced[dir]
}

func (d *durableDirs) setSynced(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.synced[dir] = true
}
