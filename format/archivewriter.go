package format

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/durable"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/turn"
)

var errArchiveClosed = errors.New("archive is closed")

// archiveWriter is what an Archive needs to be written to: the lock, and the files that all partitions share.
type archiveWriter struct {
	fsys      storage.FS
	lock      io.Closer
	dirs      *durable.Dirs
	sums      storage.File  // SHA256SUMS, open for appending
	foldsCase bool          // the file system takes a and A for one name
	store     storage.Store // in place of all of these; nil: a file system
	staged    bool          // there is no karchive.json before Commit
	catalog   cataloguer

	describing turn.Lock // held while a store is told what the archive is, which may take minutes

	mu sync.Mutex // guards what follows, and writing to SHA256SUMS and karchive.json of a file system; no store is asked while it is held
	// stopped is the first error after which nothing is known about what is durable, or errArchiveClosed. It is final: a second sync
	// would succeed without having written what the first one lost.
	stopped error
	temps   int                     // temporary files named so far
	pending map[TopicPartition]bool // partitions with a Pending
	topics  map[string]string       // by name in lower case
	unborn  bool                    // there is no karchive.json in the store yet
	sealed  map[string]string       // SHA-256 of what was sealed in a store, by path
	mark    string                  // of the last prune that was heard of
	pruned  pruned                  // by then
}

// newArchiveWriter takes the lock of a root.
func newArchiveWriter(fsys storage.FS) (*archiveWriter, error) {
	lock, err := fsys.Lock(ondisk.Lock, durable.Holder())
	if err != nil {
		return nil, err
	}
	return &archiveWriter{
		fsys: fsys, lock: lock, dirs: durable.NewDirs(fsys),
		pending: map[TopicPartition]bool{}, topics: map[string]string{},
	}, nil
}

// appendSum adds a line to SHA256SUMS, durable before it returns.
func (w *archiveWriter) appendSum(sha256, path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return w.stopped
	}
	if _, err := w.sums.Write([]byte(sumsLine(sha256, path))); err != nil {
		// Half a line may be there: another one behind it would make both unreadable.
		return w.stop(fmt.Errorf("append to %s: %w", ondisk.Sums, err))
	}
	if err := w.sums.Sync(); err != nil {
		return w.stop(fmt.Errorf("sync %s: %w", ondisk.Sums, err))
	}
	return nil
}

// writeIdentity makes id what the archive is that had archiveID, and returns it as it was written.
func (w *archiveWriter) writeIdentity(id Identity, archiveID string) (Identity, error) {
	if err := w.claimTopics(id); err != nil {
		return id, err
	}
	if w.store != nil {
		return w.describe(id, archiveID)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return id, w.stopped
	}
	if id.Revision > 0 { // of an archive that was in a store
		id.Revision++
	}
	if err := writeIdentity(w.fsys, id); err != nil {
		return id, w.stop(durable.NoteGone(err))
	}
	return id, nil
}

// stop makes err final for all writing and returns it. The caller holds mu.
func (w *archiveWriter) stop(err error) error {
	if w.stopped == nil {
		w.stopped = fmt.Errorf("writing stopped: %w", err)
	}
	return err
}

// fail is stop for callers that do not hold mu.
func (w *archiveWriter) fail(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stop(err)
}

func (w *archiveWriter) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}

// close gives up the lock. The temporary directory goes if it is empty; if not, the next writer empties it.
func (w *archiveWriter) close() error {
	if w.store != nil {
		return w.closeStore()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.stopped, errArchiveClosed) {
		return nil
	}
	w.stopped = errArchiveClosed
	var err error
	if w.sums != nil {
		err = w.sums.Close()
	}
	w.fsys.Remove(ondisk.Temp)
	return errors.Join(err, w.lock.Close())
}
