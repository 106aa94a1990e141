package format

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/ondisk"
)

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
	if err := w.fsys.Mkdir(ondisk.Data); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	sums, err := w.openSums(a.identity.Pruned)
	if err != nil {
		return err
	}
	l, err := scanWhole(w.fsys, sums, &a.identity)
	if err != nil {
		return err
	}
	a.segments = l.segments
	if err := a.removePruned(); err != nil { // which a prune left that was killed
		return err
	}
	if err := a.claimAllTopics(); err != nil {
		return err
	}
	return a.listUnlisted()
}

// prepareTemp makes an empty temporary directory and learns from it what the file system does.
func (w *archiveWriter) prepareTemp() error {
	if err := w.fsys.Mkdir(ondisk.Temp); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := w.removeLeftovers(); err != nil {
		return err
	}
	return w.probeCase()
}

// The files in the temporary directory are those below, karchive.json, SHA256SUMS and the catalog; and those of a sharedDir.
const (
	tempPrefix = "segment-"
	probeLower = "case"
	probeUpper = "CASE"
)

// removeLeftovers empties the temporary directory. Only a lock holder writes there, so what is there has no owner any more.
func (w *archiveWriter) removeLeftovers() error {
	entries, err := w.fsys.ReadDir(ondisk.Temp)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := ondisk.Temp + "/" + e.Name()
		ours := strings.HasPrefix(e.Name(), tempPrefix) || strings.HasPrefix(e.Name(), ondisk.SharerPrefix) || slices.Contains([]string{probeLower, ondisk.Identity, ondisk.Sums, ondisk.Catalog}, e.Name())
		if !ours || !e.Type().IsRegular() {
			return fmt.Errorf("%s: %w: move it out of the archive", name, ondisk.ErrForeignFile)
		}
		if err := w.fsys.Remove(name); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	return nil
}

// probeCase finds out whether the file system folds case, by asking for a file under a name of another case.
func (w *archiveWriter) probeCase() error {
	f, err := w.fsys.Create(ondisk.Temp + "/" + probeLower)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = w.fsys.Stat(ondisk.Temp + "/" + probeUpper)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w.foldsCase = err == nil
	return w.fsys.Remove(ondisk.Temp + "/" + probeLower)
}

// openSums opens SHA256SUMS for appending, with whole lines only. What is there is written anew first: a process whose sync failed
// leaves lines that can be read and are not on the disk, and no later sync of the same bytes puts them there.
func (w *archiveWriter) openSums(p pruned) (*sumsFile, error) {
	sums, err := loadSums(w.fsys)
	if err == nil && sums.size > 0 {
		err = w.rewriteSums(sums.whole, p)
	}
	if err != nil {
		return nil, err
	}
	if w.sums, err = w.fsys.OpenAppend(ondisk.Sums); err != nil {
		return nil, err
	}
	if err := w.fsys.SyncDir("."); err != nil {
		return nil, fmt.Errorf("sync root: %w", err)
	}
	return sums, nil
}

// rewriteSums replaces SHA256SUMS by its first bytes, without the lines of what was pruned.
func (w *archiveWriter) rewriteSums(whole int64, p pruned) error {
	content, err := readBounded(w.fsys, ondisk.Sums, maxSumsBytes)
	if err == nil {
		err = replaceFile(w.fsys, ondisk.Sums, keptLines(content[:min(whole, int64(len(content)))], p))
	}
	if err != nil {
		return fmt.Errorf("write %s anew: %w", ondisk.Sums, err)
	}
	return nil
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
				return fmt.Errorf("%s has no line in %s and does not get one: %w", s.Path, ondisk.Sums, err)
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
		if err := s.checkAdjoins(prev.NextOffset); err != nil {
			return "", err
		}
	}
	// Its writer was perhaps killed before it could do this.
	if err := a.writer.dirs.Sync(s.Path); err != nil {
		return "", err
	}
	return c.sha256, a.writer.appendSum(c.sha256, s.Path)
}
