package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/pack"
)

// openArchive opens an archive for reading: a directory, or a packed file.
func openArchive(e *env, name string) (*format.Archive, error) {
	fsys, err := archiveFS(e, name, false)
	if err != nil {
		return nil, err
	}
	a, err := format.Open(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// archiveFS is the place where an archive lies already: a directory, or a packed file. With partly that may lack parts, which are named on stderr.
func archiveFS(e *env, name string, partly bool) (format.ReadFS, error) {
	p, packed, err := e.openPacked(name, pack.OpenOptions{AllowMissing: partly})
	if !packed {
		return directoryFS(name)
	}
	if err != nil {
		return nil, err
	}
	if err := p.Whole(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, problem := range p.Problems {
		e.warnf("%s", problem)
	}
	return p.FS(), nil // its files are closed with the process
}

// directoryFS opens a directory that is to hold an archive already.
func directoryFS(dir string) (format.FS, error) {
	fsys, err := format.DirFS(dir)
	if err != nil {
		return nil, err
	}
	if _, err := fsys.Stat("."); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such directory", dir)
	}
	return fsys, nil
}

// openOrCreate opens an archive for writing, in the encoding asked for, if any, and makes it when there is nothing yet. Closing it takes one away that was made here and in
// which nothing was begun: a misspelt topic leaves nothing behind.
func openOrCreate(dir string, encoding format.Encoding) (a *format.Archive, closing func(), err error) {
	if dir == "-" {
		return nil, nil, usage("an archive is a directory: it cannot go to stdout")
	}
	fsys, err := format.DirFS(dir)
	if err != nil {
		return nil, nil, err
	}
	a, err = format.OpenForWriting(fsys)
	if err == nil {
		if err := checkEncoding(a, encoding); err != nil {
			return nil, nil, errors.Join(err, a.Close())
		}
		return a, func() { a.Close() }, nil
	}
	if !errors.Is(err, format.ErrNotArchive) {
		return nil, nil, err
	}
	_, statErr := fsys.Stat(".")
	a, err = format.Create(fsys, format.Identity{Encoding: encoding, CreatedBy: "karchive " + versionText()})
	return a, func() {
		begun := a.Identity().Capture != nil
		if !begun {
			takeAway(fsys) // under the lock
		}
		a.Close()
		if !begun && errors.Is(statErr, fs.ErrNotExist) {
			os.Remove(dir)
		}
	}, err
}

// takeAway removes what Create made. Remove takes files and empty directories only, and directories go first: one with a segment in it
// ends it.
func takeAway(fsys format.FS) {
	entries, err := fsys.ReadDir(".")
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() && fsys.Remove(e.Name()) != nil }) {
		return
	}
	for _, e := range entries {
		if !e.IsDir() {
			fsys.Remove(e.Name())
		}
	}
}

// choose returns the partitions of a that names and numbers select, in order; empty ones select all. A name or a number that the
// archive does not have is an error.
func choose(a *format.Archive, names []string, numbers []int32) ([]format.TopicPartition, error) {
	all := a.Partitions()
	if err := checkNames(topicNames(a), names); err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if !slices.ContainsFunc(all, func(tp format.TopicPartition) bool { return tp.Partition == n }) {
			return nil, fmt.Errorf("the archive has no partition %d", n)
		}
	}
	return slices.DeleteFunc(all, func(tp format.TopicPartition) bool { return !takes(names, numbers, tp) }), nil
}

// takes reports whether names and numbers select a partition.
func takes(names []string, numbers []int32, tp format.TopicPartition) bool {
	return selects(names, tp.Topic) && (len(numbers) == 0 || slices.Contains(numbers, tp.Partition))
}

// selects reports whether a topic is named, or matches a glob; globs leave out internal topics.
func selects(names []string, topic string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		match, err := path.Match(name, topic)
		return name == topic || match && err == nil && !strings.HasPrefix(topic, "__")
	})
}

// topicNames are the topics of a, also those without a record.
func topicNames(a *format.Archive) []string {
	var topics []string
	for _, t := range a.Identity().Topics {
		topics = append(topics, t.Name)
	}
	for _, tp := range a.Partitions() {
		topics = append(topics, tp.Topic)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func checkNames(topics, names []string) error {
	for _, name := range names {
		if _, err := path.Match(name, ""); err != nil {
			return usage("%q is no glob of topics", name)
		}
		if slices.ContainsFunc(topics, func(t string) bool { return selects([]string{name}, t) }) {
			continue
		}
		hint := "the archive has " + strings.Join(topics, ", ")
		if s := suggest.Nearest(name, topics); s != "" {
			hint = "did you mean " + s + "?"
		}
		return withHint(fmt.Errorf("the archive has no topic %s", name), hint)
	}
	return nil
}
