package format

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format/origin"
)

// mostPrunes bounds how often a prune begins again because another writer described the archive anew.
const mostPrunes = 20

// Prune removes the beginnings of partitions: all segments before the offset that until has for it, which must be the base of one. The
// newest segment of a partition so stays; it says where a capture goes on. By says what asked for it, and now when.
//
// What is removed stands in the identity first (Identity.Pruned), durable, and readers do not look at it from then on; then the files go, the oldest first. When
// anything ends it in between, the next one who opens the archive for writing in a directory, or the next Prune, removes the rest. Readers
// that opened the archive before get errors that wrap ErrPruned. In a store other writers may be at work.
func (a *Archive) Prune(until map[TopicPartition]int64, by string, now time.Time) error {
	if a.writer == nil {
		return errReadOnly
	}
	for i := 0; ; i++ {
		err := a.describePruned(until, by, now.UTC().Format(time.RFC3339))
		if !errors.Is(err, ErrChanged) || i == mostPrunes {
			if err != nil {
				return fmt.Errorf("prune: %w", err)
			}
			break
		}
		if err := a.Refresh(); err != nil {
			return fmt.Errorf("prune: %w", err)
		}
	}
	if err := a.removePruned(); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	a.writeCatalog(true)
	return nil
}

// describePruned says in the identity what is pruned.
func (a *Archive) describePruned(until map[TopicPartition]int64, by, at string) error {
	id := a.Identity()
	for tp, to := range until {
		list := a.list(tp)
		known := origin.FindPruned(id.Pruned, tp.Topic, tp.Partition)
		if known != nil && known.Until >= to { // by another one, meanwhile
			continue
		}
		if len(list) == 0 || !slices.ContainsFunc(list[1:], func(s Segment) bool { return s.Base == to }) {
			return fmt.Errorf("%s has no segment that begins at offset %d, behind its first", tp, to)
		}
		entry := origin.Pruned{Topic: tp.Topic, Partition: tp.Partition, From: list[0].Base, Until: to, At: at, By: by}
		if known != nil {
			entry.From = known.From
			*known = entry
			continue
		}
		id.Pruned = origin.SortedPruned(append(id.Pruned, entry))
	}
	return a.setIdentity(id)
}

// removePruned removes what is pruned: lines first, because one whose file is not there is a loss for readers that do not know of pruning.
func (a *Archive) removePruned() error {
	a.mu.Lock()
	p := pruned(a.identity.Pruned)
	(&listing{segments: a.segments}).cut(p)
	revision := a.identity.Revision
	a.mu.Unlock()
	l, err := scan(a.fsys)
	if err != nil {
		return err
	}
	rest := l.cut(p)
	w := a.writer
	if len(rest) == 0 {
		return nil
	}
	if w.store != nil {
		if err := w.markPruned(revision); err != nil {
			return err
		}
	}
	if err := w.dropSums(p); err != nil {
		return err
	}
	return w.removeSegments(rest)
}

// removeSegments removes segments, those of a partition in their order, so that what a crash leaves adjoins.
func (w *archiveWriter) removeSegments(rest []Segment) error {
	byPartition := map[TopicPartition][]Segment{}
	for _, s := range rest {
		byPartition[s.TopicPartition] = append(byPartition[s.TopicPartition], s)
	}
	var g errgroup.Group
	g.SetLimit(learnAtOnce)
	for tp, list := range byPartition {
		g.Go(func() error { return w.removeFrom(tp, list) })
	}
	return g.Wait()
}

func (w *archiveWriter) removeFrom(tp TopicPartition, list []Segment) error {
	for _, s := range list {
		var err error
		if w.store != nil {
			err = w.store.Remove(s.Path)
		} else {
			err = w.fsys.Remove(s.Path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", s.Path, err)
		}
	}
	if w.store != nil {
		return nil
	}
	if err := w.fsys.SyncDir(partitionDir(tp)); err != nil {
		return w.fail(fmt.Errorf("sync %s: %w", partitionDir(tp), err))
	}
	return nil
}
