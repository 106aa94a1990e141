package format

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// Archive is a directory of segments with its identity. Open gives one for reading, Create and OpenForWriting one that is locked for
// writing and can be read as well. All methods are safe for concurrent use; GroupReaders and Pendings are each for one
// goroutine at a time.
type Archive struct {
	fsys      storage.ReadFS
	writer    *archiveWriter // nil: open for reading
	documents documentCache
	catalog   catalogUse
	bytesRead atomic.Int64
	damage    *damage // nil: none is expected

	mu       sync.RWMutex // guards what follows
	identity Identity
	segments map[TopicPartition][]Segment
}

// Create makes a new archive in an empty or absent place and leaves it open for writing. id.Version, ArchiveID and CreatedAt are filled in,
// Encoding and CreatedBy when they are empty. It fails with fs.ErrExist when there is an archive already, and refuses a place that holds
// anything else.
//
// In a [storage.FS] the archive is locked. In a [storage.Store] others may make one at the same time: there is an archive with the first
// SetIdentity or Seal, which fail with ErrChanged when somebody else made one meanwhile, and Refresh then shows that one. Errors are also
// those of the Store's Probe.
func Create(place storage.Writable, id Identity) (*Archive, error) {
	a, err := inPlace(place,
		func(fsys storage.FS) (*Archive, error) { return createAlone(fsys, id) },
		func(s storage.Store) (*Archive, error) { return createShared(s, id) })
	if err != nil {
		return nil, fmt.Errorf("create archive: %w", err)
	}
	return a, nil
}

// inPlace does what the kind of a place needs.
func inPlace(place storage.Writable, alone func(storage.FS) (*Archive, error), shared func(storage.Store) (*Archive, error)) (*Archive, error) {
	switch p := place.(type) {
	case storage.Store:
		return shared(p)
	case storage.FS:
		return alone(p)
	}
	return nil, fmt.Errorf("%T is neither a storage.FS nor a storage.Store: %w", place, errors.ErrUnsupported)
}

func createAlone(fsys storage.FS, id Identity) (*Archive, error) {
	id.Revision = 0
	id, err := id.begun()
	if err != nil {
		return nil, err
	}
	if err := makeEmptyRoot(fsys); err != nil {
		return nil, err
	}
	return lockedArchive(fsys, func(w *archiveWriter) (Identity, error) { return id, w.begin(id) })
}

// begun is id as that of an archive that begins now.
func (id Identity) begun() (Identity, error) {
	id.ArchiveID = uuid.NewString()
	id.CreatedAt = time.Now().UTC().Format(time.RFC3339)
	if id.CreatedBy == "" {
		id.CreatedBy = "karchive"
	}
	id, err := id.normalize()
	if err == nil {
		id.setVersion()
	}
	return id, err
}

// makeEmptyRoot makes the root, or checks that nothing lies in it, before anything is written there.
func makeEmptyRoot(fsys storage.FS) error {
	err := checkEmpty(fsys)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.Mkdir(".")
}

// checkEmpty refuses a root with anything in it but what a Create leaves that was killed before karchive.json was there.
func checkEmpty(fsys storage.ReadFS) error {
	entries, err := fsys.ReadDir(".")
	if err != nil {
		return err
	}
	var other string
	for _, e := range entries {
		switch e.Name() {
		case ondisk.Lock, ondisk.Temp:
		case ondisk.Identity:
			return fmt.Errorf("%s: %w", ondisk.Identity, fs.ErrExist)
		default:
			other = e.Name()
		}
	}
	if other != "" {
		return fmt.Errorf("the directory is not empty, it holds %s: %w", other, ErrNotArchive)
	}
	return nil
}

// Open opens an archive for reading. Nothing is ever written to it. It lists the segments and reads none of them.
func Open(fsys storage.ReadFS) (*Archive, error) {
	for tries := 0; ; tries++ {
		a, err := openToRead(fsys)
		if err == nil {
			return a, nil
		}
		// A segment may be missing because it was pruned since.
		if a == nil || !isGone(err) || tries == mostPrunes || samePruned(fsys, a.identity.Pruned) {
			return nil, fmt.Errorf("open archive: %w", err)
		}
	}
}

// OpenPath opens the archive in a directory for reading, as [Open] does. A directory that is not there wraps fs.ErrNotExist.
func OpenPath(dir string) (*Archive, error) {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, err
	}
	if _, err := fsys.Stat("."); err != nil {
		return nil, fmt.Errorf("open archive: %s: %w", dir, err)
	}
	a, err := Open(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return a, nil
}

// openToRead is Open. With an error the archive is what is known of it; nil: nothing.
func openToRead(fsys storage.ReadFS) (*Archive, error) {
	id, err := loadIdentity(fsys)
	if err != nil {
		return nil, err
	}
	a := &Archive{fsys: fsys, identity: id}
	a.segments, err = a.scanNow()
	return a, err
}

// scanWhole lists data/ and refuses what does not belong into an archive, and a segment that is listed and not there.
func scanWhole(fsys storage.ReadFS, sums *sumsFile, id *Identity) (*listing, error) {
	l, err := scan(fsys)
	if err != nil {
		return nil, err
	}
	l.cut(id.Pruned)
	sums.cut(id.Pruned)
	if missing := l.attach(sums); len(missing) > 0 {
		return nil, fmt.Errorf("%s: %w (one of %d)", slices.Min(missing), ErrMissingSegment, len(missing))
	}
	if err := l.foreignErr(); err != nil {
		return nil, err
	}
	return l, l.checkEncoding(id.Encoding)
}

// OpenForWriting opens an archive to add to it. It fails with ErrNotArchive where there is none.
//
// In a [storage.FS] it takes the lock, which wraps storage.ErrLocked when another process has it. It removes what a killed writer left
// behind, cuts a torn last line of SHA256SUMS, and checks every segment without a line deeply before it adds the line. In a [storage.Store]
// others may write at the same time: of two segments of one name the first wins, and the other writer's Seal wraps fs.ErrExist; Refresh
// then shows where to go on. Errors are also those of the Store's Probe.
func OpenForWriting(place storage.Writable) (*Archive, error) {
	a, err := inPlace(place, openAlone, openShared)
	if err != nil {
		return nil, fmt.Errorf("open archive for writing: %w", err)
	}
	return a, nil
}

// OpenOrCreate is OpenForWriting, or Create where there is no archive, whoever makes one at the same time.
func OpenOrCreate(place storage.Writable, id Identity) (*Archive, error) {
	a, err := OpenForWriting(place)
	if !errors.Is(err, ErrNotArchive) {
		return a, err
	}
	a, err = Create(place, id)
	if errors.Is(err, fs.ErrExist) {
		return OpenForWriting(place)
	}
	return a, err
}

func openAlone(fsys storage.FS) (*Archive, error) {
	// A directory that is no archive must not get a lock file.
	if _, err := fsys.Stat(ondisk.Identity); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", ErrNotArchive, err)
		}
		return nil, err
	}
	return lockedArchive(fsys, func(w *archiveWriter) (Identity, error) {
		id, err := loadWritableIdentity(fsys)
		if err != nil {
			return id, err
		}
		// Its writer was perhaps killed before it was durable, and a crash would leave only what is made beside it here.
		if err := fsys.SyncDir("."); err != nil {
			return id, fmt.Errorf("sync root: %w", err)
		}
		return id, w.prepareTemp()
	})
}

// loadWritableIdentity refuses an archive of a newer minor version too: to write karchive.json again would drop what this program
// does not know of it.
func loadWritableIdentity(fsys storage.ReadFS) (Identity, error) {
	id, err := loadIdentity(fsys)
	if err == nil && newerVersion(id.Version) {
		err = versionError(ondisk.Identity, id.Version)
	}
	return id, err
}

// lockedArchive takes the lock, lets begin prepare the root and say the identity, and opens what is there.
func lockedArchive(fsys storage.FS, begin func(*archiveWriter) (Identity, error)) (*Archive, error) {
	w, err := newArchiveWriter(fsys)
	if err != nil {
		return nil, err
	}
	id, err := begin(w)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	a := &Archive{fsys: fsys, writer: w, identity: id}
	if err := a.openForWriting(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return a, nil
}

// Close gives up the lock, if there is one. Segments that are not sealed are lost, and the next OpenForWriting removes what
// remains of them. GroupReaders that are open can still be used.
func (a *Archive) Close() error {
	if a.writer == nil {
		return nil
	}
	if a.writer.err() == nil && !a.writer.staged {
		a.completeCatalog()
	}
	return a.writer.close()
}

// Identity is a copy of what karchive.json holds.
func (a *Archive) Identity() Identity {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.identity.clone()
}

// SetIdentity replaces karchive.json, durable before it returns, unless it says all of that already; in a store it makes a document that takes
// its place, and fails with ErrChanged when another writer did so first: Identity is then what that one said. Revision, CreatedBy, CreatedAt, Encoding and Pruned stay as they are, whatever id
// says, and the archive's id too when id has none. An ArchiveID that is made anew of the same records each time is by that known again
// where a replay notes how far it is; what is no UUID is refused.
func (a *Archive) SetIdentity(id Identity) error {
	if a.writer == nil {
		return errReadOnly
	}
	id.Pruned = a.Identity().Pruned
	return a.setIdentity(id)
}

// setIdentity is SetIdentity, also for what is pruned.
func (a *Archive) setIdentity(id Identity) error {
	old := a.Identity()
	id.ArchiveID = cmp.Or(id.ArchiveID, old.ArchiveID)
	if err := uuid.Validate(id.ArchiveID); err != nil && id.ArchiveID != old.ArchiveID {
		return fmt.Errorf("set identity: archive id: %w", err)
	}
	id.Encoding, id.CreatedBy, id.CreatedAt, id.Revision = old.Encoding, old.CreatedBy, old.CreatedAt, old.Revision
	id.setVersion()
	id, err := id.normalize()
	if err != nil {
		return fmt.Errorf("set identity: %w", err)
	}
	if a.writer.isSaid(id, old) {
		return nil
	}
	id, err = a.writer.writeIdentity(id, old.ArchiveID)
	if errors.Is(err, ErrChanged) {
		if failed := a.RefreshIdentity(); failed != nil {
			err = failed
		}
	}
	if err != nil {
		return fmt.Errorf("set identity: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.identity = id
	return nil
}

// Partitions lists the partitions that have segments, by topic and number.
func (a *Archive) Partitions() []TopicPartition {
	a.mu.RLock()
	defer a.mu.RUnlock()
	l := listing{segments: a.segments}
	return l.order()
}

// Segments lists the segments of a partition in offset order.
func (a *Archive) Segments(tp TopicPartition) []Segment { return slices.Clone(a.list(tp)) }

// Unlisted are the segments that SHA256SUMS does not list, in the order of partitions and offsets, so that nothing vouches for them. They are of a
// writer that was killed, or somebody put them there: [Verify] checks them to the last record, and [OpenForWriting] adds their lines. In an archive
// that several may write there are none, because the lines are made at the end. SHA256SUMS is read again if that is needed: a capture that is under
// way may have added to it.
func (a *Archive) Unlisted() ([]Segment, error) {
	if a.Identity().Revision > 0 {
		return nil, nil
	}
	var all []Segment
	for _, tp := range a.Partitions() {
		all = append(all, slices.DeleteFunc(a.Segments(tp), func(s Segment) bool { return s.SHA256 != "" })...)
	}
	if len(all) == 0 {
		return nil, nil
	}
	sums, err := readSums(a.fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ondisk.Sums, err)
	}
	return slices.DeleteFunc(all, func(s Segment) bool { return sums.digests[s.Path] != "" }), nil
}

// list is Segments without a copy, which each of many seals would pay for: it must not be changed, and is not by those that are added,
// which come behind it.
func (a *Archive) list(tp TopicPartition) []Segment {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clip(a.segments[tp])
}

// encoding is that of the archive's identity, without a copy of all the rest.
func (a *Archive) encoding() Encoding {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.identity.Encoding
}

func (a *Archive) addSegment(s Segment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.segments[s.TopicPartition] = append(a.segments[s.TopicPartition], s)
}
