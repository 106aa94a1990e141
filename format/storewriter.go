package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// ErrChanged is wrapped when another writer described the archive anew in the meantime. Refresh shows what it is now.
var ErrChanged = errors.New("another writer changed the archive")

// createShared is Create in a store.
func createShared(s storage.Store, id Identity) (*Archive, error) {
	a, err := newInStore(s, id)
	if err != nil {
		return nil, err
	}
	a.writer.unborn = true
	return a, nil
}

// StageStore is Create in a store, for an archive that is there when it is whole: what is sealed can be seen, but there is no archive before Commit.
// Close without Commit removes what was sealed.
func StageStore(s storage.Store, id Identity) (*Archive, error) {
	a, err := newInStore(s, id)
	if err != nil {
		return nil, fmt.Errorf("create archive: %w", err)
	}
	a.writer.staged = true
	return a, nil
}

func newInStore(s storage.Store, id Identity) (*Archive, error) {
	id.Revision = 1
	id, err := id.begun()
	if err != nil {
		return nil, err
	}
	if err := checkEmptyStore(s); err != nil {
		return nil, err
	}
	if err := s.Probe(); err != nil {
		return nil, err
	}
	w := newStoreWriter(s)
	return &Archive{fsys: s, writer: w, identity: id, segments: map[TopicPartition][]Segment{}}, w.claimTopics(id)
}

// writersPrefix begins the names in the root that are a writer's.
const writersPrefix = ".karchive-"

// errEnough ends a list.
var errEnough = errors.New("enough was listed")

// checkEmptyStore refuses a place with anything in it but what writers leave.
func checkEmptyStore(s storage.Store) error {
	var other string
	err := s.List(".", func(name string, _ int64) error {
		if name == ondisk.Identity {
			return fmt.Errorf("%s: %w", ondisk.Identity, fs.ErrExist)
		}
		if strings.HasPrefix(name, writersPrefix) {
			return nil
		}
		if other = name; name > ondisk.Identity {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if other != "" {
		return fmt.Errorf("the place is not empty, it holds %s: %w", other, ErrNotArchive)
	}
	return nil
}

// openShared is OpenForWriting in a store.
func openShared(s storage.Store) (*Archive, error) {
	id, err := loadWritableIdentity(s)
	if err != nil {
		return nil, err
	}
	if err := s.Probe(); err != nil {
		return nil, err
	}
	a := &Archive{fsys: s, writer: newStoreWriter(s), identity: id}
	if err := a.writer.number(&a.identity); err != nil {
		return nil, err
	}
	if a.segments, err = a.scanNow(); err != nil {
		return nil, err
	}
	return a, a.claimAllTopics()
}

// number gives the karchive.json of an archive that was made elsewhere, and copied, a revision, without which nobody looks for later ones. It is the same
// document whoever does it, so it may be done twice.
func (w *archiveWriter) number(id *Identity) error {
	if id.Revision > 0 {
		return nil
	}
	id.Revision = 1
	id.setVersion()
	content, err := encodeIdentity(*id)
	if err == nil {
		err = w.store.Put(ondisk.Identity, content, true)
	}
	if err != nil {
		return fmt.Errorf("number %s: %w", ondisk.Identity, err)
	}
	return nil
}

// scanNow lists what is there.
func (a *Archive) scanNow() (map[TopicPartition][]Segment, error) {
	sums, err := loadSums(a.fsys)
	if err != nil {
		return nil, err
	}
	id := a.Identity()
	l, err := scanWhole(a.fsys, sums, &id)
	if err != nil {
		return nil, err
	}
	return l.segments, nil
}

// Shared says whether other writers may add to the archive while this one does.
func (a *Archive) Shared() bool { return a.writer != nil && a.writer.store != nil && !a.writer.staged }

// Refresh makes the archive what it is now: its identity, and what others sealed since it was opened. With partitions it is the segments of
// those alone. No segment that it looks at may be under way.
func (a *Archive) Refresh(only ...TopicPartition) error {
	for _, tp := range only {
		if err := a.refreshPartition(tp); err != nil {
			return fmt.Errorf("refresh %s: %w", tp, err)
		}
	}
	if len(only) > 0 {
		return nil
	}
	if err := a.RefreshIdentity(); err != nil {
		return err
	}
	segments, err := a.scanNow()
	if err != nil {
		return fmt.Errorf("refresh archive: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.segments = segments
	return nil
}

// RefreshIdentity is Refresh for the identity alone.
func (a *Archive) RefreshIdentity() error {
	id, err := loadIdentity(a.fsys)
	if err != nil {
		return fmt.Errorf("refresh archive: %w", err)
	}
	if w := a.writer; w != nil {
		w.isBorn()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.identity = id
	return nil
}

func (a *Archive) refreshPartition(tp TopicPartition) error {
	l := &listing{segments: map[TopicPartition][]Segment{}}
	var err error
	if all, ok := a.fsys.(lister); ok {
		l, err = listObjects(all, partitionDir(tp))
	} else {
		err = l.scanPartition(a.fsys, tp)
	}
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	l.cut(a.identity.Pruned)
	a.segments[tp] = l.segments[tp]
	return nil
}

// Commit makes an archive of StageStore one: SHA256SUMS and karchive.json come last. Nothing more is written then.
func (a *Archive) Commit() error {
	w := a.writer
	if err := w.err(); err != nil {
		return fmt.Errorf("commit archive: %w", err)
	}
	err := w.writeStoreSums(false)
	if err == nil {
		a.writeCatalog(false)
		err = w.putIdentity(ondisk.Identity, a.Identity())
	}
	if err != nil {
		return fmt.Errorf("commit archive: %w", err)
	}
	w.fail(errArchiveClosed)
	return nil
}

func newStoreWriter(s storage.Store) *archiveWriter {
	w := &archiveWriter{store: s, sealed: map[string]string{}, pending: map[TopicPartition]bool{}, topics: map[string]string{}}
	if d, ok := s.(interface{ FoldsCase() bool }); ok {
		w.foldsCase = d.FoldsCase()
	}
	return w
}

// publish is seal in a store: one request makes the segment durable and visible under its name, if the name is free.
func (p *Pending) publish() (Segment, error) {
	w, sha := p.archive.writer, p.temp.sha256()
	if err := w.bear(p.archive); err != nil {
		return Segment{}, w.fail(err)
	}
	err := w.store.Publish(p.path, p.temp.file, sha)
	if errors.Is(err, fs.ErrExist) {
		return Segment{}, err // of another writer, and no reason to end this one
	}
	if err != nil {
		return Segment{}, w.fail(err)
	}
	s := Segment{p.tp, p.base, p.path, p.temp.size, sha}
	if err := w.outlived(s); err != nil {
		return Segment{}, w.fail(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sealed[p.path] = sha
	return s, nil
}

// describe makes id what the archive is from now on, unless another writer came first, and returns it with its revision.
func (w *archiveWriter) describe(id Identity, archiveID string) (Identity, error) {
	w.describing.Lock()
	defer w.describing.Unlock()
	if err := w.err(); err != nil || w.staged {
		return id, err
	}
	if id.ArchiveID != archiveID {
		return id, errors.New("an archive in a store keeps its id")
	}
	if w.isUnborn() {
		return id, w.born(id)
	}
	id.Revision++
	id.setVersion()
	err := w.putIdentity(ondisk.PlanPath(id.Revision), id)
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return id, err
}

// isSaid says whether id, of the same revision, says nothing but what the archive is already: another document would cost every other writer a
// look at it.
func (w *archiveWriter) isSaid(id, old Identity) bool {
	w.mu.Lock()
	unsaid := w.staged || w.unborn || w.stopped != nil
	w.mu.Unlock()
	if unsaid {
		return false
	}
	was, err := encodeIdentity(old)
	is, failed := encodeIdentity(id)
	return errors.Join(err, failed) == nil && bytes.Equal(was, is)
}

// bear makes an archive of what is none yet.
func (w *archiveWriter) bear(a *Archive) error {
	w.describing.Lock()
	defer w.describing.Unlock()
	if !w.isUnborn() {
		return nil
	}
	return w.born(a.Identity())
}

func (w *archiveWriter) isUnborn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.unborn
}

// isBorn notes that there is a karchive.json.
func (w *archiveWriter) isBorn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unborn = false
}

// born writes karchive.json for the first time. The caller is describing.
func (w *archiveWriter) born(id Identity) error {
	err := w.putIdentity(ondisk.Identity, id)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	if err == nil {
		w.isBorn()
	}
	return err
}

func (w *archiveWriter) putIdentity(name string, id Identity) error {
	content, err := encodeIdentity(id)
	if err == nil {
		err = w.store.Put(name, content, false)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// closeStore writes SHA256SUMS anew, if there is anything to add to it, and closes a store that can be closed.
func (w *archiveWriter) closeStore() (err error) {
	if errors.Is(w.err(), errArchiveClosed) {
		return nil
	}
	w.fail(errArchiveClosed)
	if w.staged {
		return w.abandon()
	}
	err = w.writeStoreSums(false)
	if c, ok := w.store.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// abandon removes what was sealed into an archive that never was one.
func (w *archiveWriter) abandon() error {
	w.mu.Lock()
	sealed := maps.Clone(w.sealed)
	w.mu.Unlock()
	var all []error
	for path := range sealed {
		all = append(all, w.store.Remove(path))
	}
	return errors.Join(all...)
}
