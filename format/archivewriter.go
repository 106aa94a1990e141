package format

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

var errArchiveClosed = errors.New("archive is closed")

// archiveWriter is what an Archive needs to be written to: the lock, and the files that all partitions share.
type archiveWriter struct {
	fsys      FS
	lock      io.Closer
	sums      File // SHA256SUMS, open for appending
	foldsCase bool // the file system takes a and A for one name

	mu sync.Mutex // guards what follows, and writing to SHA256SUMS and karchive.json
	// stopped is the first error after which nothing is known about what is durable, or errArchiveClosed. It is final: a second sync
	// would succeed without having written what the first one lost.
	stopped error
	temps   int                     // temporary files named so far
	synced  map[string]bool         // directories whose own entry is durable
	pending map[TopicPartition]bool // partitions with a Pending
	topics  map[string]string       // by name in lower case
}

// newArchiveWriter takes the lock of a root.
func newArchiveWriter(fsys FS) (*archiveWriter, error) {
	lock, err := fsys.Lock(lockName, lockHolder())
	if err != nil {
		return nil, err
	}
	return &archiveWriter{
		fsys: fsys, lock: lock,
		synced: map[string]bool{}, pending: map[TopicPartition]bool{}, topics: map[string]string{},
	}, nil
}

// lockHolder is what others are told who find the archive locked.
func lockHolder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("pid %d on host %s since %s", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
}

// begin makes a root an archive: what has a karchive.json is one.
func (w *archiveWriter) begin(id Identity) error {
	if err := checkEmpty(w.fsys); err != nil { // again: another Create may have come first
		return err
	}
	if err := w.prepareTemp(); err != nil {
		return err
	}
	if err := w.claimTopics(id); err != nil {
		return err
	}
	return writeIdentity(w.fsys, id)
}

// openForWriting brings what is in the archive into order and lists it.
func (a *Archive) openForWriting() error {
	w := a.writer
	if err := w.fsys.Mkdir(dataName); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	sums, err := w.openSums()
	if err != nil {
		return err
	}
	l, err := scanWhole(w.fsys, sums)
	if err != nil {
		return err
	}
	a.segments = l.segments
	if err := a.claimAllTopics(); err != nil {
		return err
	}
	return a.listUnlisted()
}

// prepareTemp makes an empty temporary directory and learns from it what the file system does.
func (w *archiveWriter) prepareTemp() error {
	if err := w.fsys.Mkdir(tempName); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := w.removeLeftovers(); err != nil {
		return err
	}
	return w.probeCase()
}

// The files in the temporary directory are those below, karchive.json and SHA256SUMS.
const (
	tempPrefix = "segment-"
	probeLower = "case"
	probeUpper = "CASE"
)

// removeLeftovers empties the temporary directory. Only a lock holder writes there, so what is there has no owner any more.
func (w *archiveWriter) removeLeftovers() error {
	entries, err := w.fsys.ReadDir(tempName)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := tempName + "/" + e.Name()
		ours := strings.HasPrefix(e.Name(), tempPrefix) || slices.Contains([]string{probeLower, identityName, sumsName}, e.Name())
		if !ours || !e.Type().IsRegular() {
			return fmt.Errorf("%s: %w: move it out of the archive", name, ErrForeignFile)
		}
		if err := w.fsys.Remove(name); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	return nil
}

// probeCase finds out whether the file system folds case, by asking for a file under a name of another case.
func (w *archiveWriter) probeCase() error {
	f, err := w.fsys.Create(tempName + "/" + probeLower)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = w.fsys.Stat(tempName + "/" + probeUpper)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w.foldsCase = err == nil
	return w.fsys.Remove(tempName + "/" + probeLower)
}

// openSums opens SHA256SUMS for appending, with whole lines only. What is there is written anew first: a process whose sync failed
// leaves lines that can be read and are not on the disk, and no later sync of the same bytes puts them there.
func (w *archiveWriter) openSums() (*sumsFile, error) {
	sums, err := loadSums(w.fsys)
	if err == nil && sums.size > 0 {
		err = w.rewriteSums(sums.whole)
	}
	if err != nil {
		return nil, err
	}
	if w.sums, err = w.fsys.OpenAppend(sumsName); err != nil {
		return nil, err
	}
	if err := w.fsys.SyncDir("."); err != nil {
		return nil, fmt.Errorf("sync root: %w", err)
	}
	return sums, nil
}

// rewriteSums replaces SHA256SUMS by its first bytes.
func (w *archiveWriter) rewriteSums(whole int64) error {
	content, err := readBounded(w.fsys, sumsName, maxSumsBytes)
	if err == nil {
		err = replaceFile(w.fsys, sumsName, content[:min(whole, int64(len(content)))])
	}
	if err != nil {
		return fmt.Errorf("write %s anew: %w", sumsName, err)
	}
	return nil
}

// claimTopics refuses an identity with a topic that would share its directory with another one.
func (w *archiveWriter) claimTopics(id Identity) error {
	for _, t := range id.Topics {
		if err := w.claimTopic(t.Name); err != nil {
			return err
		}
	}
	if id.Capture == nil {
		return nil
	}
	for _, r := range id.Capture.Partitions {
		if err := w.claimTopic(r.Topic); err != nil {
			return err
		}
	}
	return nil
}

func (w *archiveWriter) claimTopic(topic string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := strings.ToLower(topic)
	if other, ok := w.topics[key]; ok && other != topic && w.foldsCase {
		return fmt.Errorf("topic %s and topic %s: %w, and this file system would put both into one directory", other, topic, ErrTopicCase)
	}
	w.topics[key] = topic
	return nil
}

func (a *Archive) claimAllTopics() error {
	for tp := range a.segments {
		if err := a.writer.claimTopic(tp.Topic); err != nil {
			return err
		}
	}
	return a.writer.claimTopics(a.identity)
}

// listUnlisted adds the lines that SHA256SUMS lacks: of segments that were sealed when their writer was killed. A line vouches for its file,
// so the file is checked down to the last record first.
func (a *Archive) listUnlisted() error {
	for _, tp := range a.Partitions() {
		for i, s := range a.segments[tp] {
			if s.SHA256 != "" {
				continue
			}
			sha, err := a.listOne(tp, i)
			if err != nil {
				return fmt.Errorf("%s has no line in %s and does not get one: %w", s.Path, sumsName, err)
			}
			a.segments[tp][i].SHA256 = sha
		}
	}
	return nil
}

func (a *Archive) listOne(tp TopicPartition, i int) (sha256 string, err error) {
	s := a.segments[tp][i]
	c := checkSegment(a.fsys, s, true, nil)
	if err := c.err(); err != nil {
		return "", err
	}
	if i > 0 {
		prev, err := a.Document(a.segments[tp][i-1])
		if err != nil {
			return "", err
		}
		if err := s.checkAdjoins(prev); err != nil {
			return "", err
		}
	}
	// Its writer was perhaps killed before it could do this.
	if err := a.writer.syncDirs(tp); err != nil {
		return "", err
	}
	return c.sha256, a.writer.appendSum(c.sha256, s.Path)
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
		return w.stop(fmt.Errorf("append to %s: %w", sumsName, err))
	}
	if err := w.sums.Sync(); err != nil {
		return w.stop(fmt.Errorf("sync %s: %w", sumsName, err))
	}
	return nil
}

func (w *archiveWriter) writeIdentity(id Identity) error {
	if err := w.claimTopics(id); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return w.stopped
	}
	if err := writeIdentity(w.fsys, id); err != nil {
		return w.stop(err)
	}
	return nil
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
	w.fsys.Remove(tempName)
	return errors.Join(err, w.lock.Close())
}
