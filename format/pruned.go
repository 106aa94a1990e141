package format

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/durable"
	"github.com/karchive/karchive/internal/ondisk"
)

// ErrPruned is wrapped when a segment is not there any more because it was pruned since the archive was opened.
var ErrPruned = errors.New("the archive was pruned in the meantime")

// pruned says which segments of an archive do not count any more. It is sorted.
type pruned []origin.Pruned

func (p pruned) takes(s Segment) bool {
	found := origin.FindPruned(p, s.Topic, s.Partition)
	return found != nil && s.Base < found.Until
}

// takesPath is takes for a line of SHA256SUMS.
func (p pruned) takesPath(path string) bool {
	s, ok := segmentAt(path)
	return ok && p.takes(s)
}

// cut leaves out what was pruned, and returns it: what a prune left that did not come to its end.
func (l *listing) cut(p pruned) (rest []Segment) {
	for i := range p {
		tp := TopicPartition{p[i].Topic, p[i].Partition}
		list := l.segments[tp]
		n, _ := slices.BinarySearchFunc(list, p[i].Until, func(s Segment, until int64) int {
			if s.Base < until {
				return -1
			}
			return 1
		})
		rest = append(rest, list[:n]...)
		if l.segments[tp] = list[n:]; n == len(list) {
			delete(l.segments, tp)
		}
	}
	return rest
}

// cut leaves out the lines of what was pruned.
func (s *sumsFile) cut(p pruned) {
	if len(p) == 0 {
		return
	}
	for path := range s.digests {
		if p.takesPath(path) {
			delete(s.digests, path)
		}
	}
}

// keptLines are the lines of SHA256SUMS without those of what was pruned.
func keptLines(content []byte, p pruned) []byte {
	if len(p) == 0 {
		return content
	}
	var kept []byte
	for line := range strings.SplitAfterSeq(string(content), "\n") {
		if _, path, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  "); !ok || !p.takesPath(path) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// prunedNow says whether a segment was pruned by now, whatever was known when the archive was opened.
func prunedNow(fsys storage.ReadFS, s Segment) bool {
	id, err := loadIdentity(fsys)
	return err == nil && pruned(id.Pruned).takes(s)
}

// gone says of a segment that is not there that it was pruned, if it was.
func (a *Archive) gone(s Segment, err error) error {
	if errors.Is(err, fs.ErrNotExist) && prunedNow(a.fsys, s) {
		return fmt.Errorf("%s: %w: %w", s.Path, ErrPruned, err)
	}
	return err
}

// isGone says that err is of a segment that is not there.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrMissingSegment)
}

// samePruned says that nothing was pruned since.
func samePruned(fsys storage.ReadFS, before []origin.Pruned) bool {
	id, err := loadIdentity(fsys)
	return err != nil || slices.Equal(id.Pruned, before)
}

// prunedMark is an object that a prune makes in a store before it removes anything: the revision that says what was pruned. A writer looks at it after it has
// published a segment. One that was paused for long may have found the name free only because what had it was pruned.
const prunedMark = ".karchive-pruned"

// maxMark bounds the object.
const maxMark = 64

// outlived fails when a segment that was just published lies in what was pruned.
func (w *archiveWriter) outlived(s Segment) error {
	mark, err := readBounded(w.store, prunedMark, maxMark)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for %s: %w", prunedMark, err)
	}
	w.mu.Lock()
	known := w.mark
	w.mu.Unlock()
	if known != string(mark) {
		id, err := loadIdentity(w.store)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.mark, w.pruned = string(mark), id.Pruned
		w.mu.Unlock()
	}
	w.mu.Lock()
	gone := w.pruned.takes(s)
	w.mu.Unlock()
	if !gone {
		return nil
	}
	w.store.Remove(s.Path) // nobody reads it; the next prune removes it too
	return fmt.Errorf("%w, beyond offset %d of %s, where this writer still was", ErrPruned, s.Base, s.TopicPartition)
}

// markPruned makes the mark of a revision.
func (w *archiveWriter) markPruned(revision int64) error {
	if err := w.store.Put(prunedMark, fmt.Appendf(nil, "%d\n", revision), true); err != nil {
		return fmt.Errorf("write %s: %w", prunedMark, err)
	}
	return nil
}

// dropSums writes SHA256SUMS anew without the lines of what was pruned.
func (w *archiveWriter) dropSums(p pruned) error {
	if w.store != nil {
		return w.writeStoreSums(true)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return w.stopped
	}
	err := w.sums.Close()
	if err == nil {
		err = w.rewriteSums(maxSumsBytes, p)
	}
	if err == nil {
		w.sums, err = w.fsys.OpenAppend(ondisk.Sums)
	}
	if err != nil {
		w.sums = nil
		return w.stop(durable.NoteGone(err))
	}
	return nil
}
