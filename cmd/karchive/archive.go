package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/suggest"
)

// openArchive opens the archive in a directory for reading.
func openArchive(dir string) (*format.Archive, error) {
	fsys, err := archiveFS(dir)
	if err != nil {
		return nil, err
	}
	a, err := format.Open(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return a, nil
}

// archiveFS opens a directory that is to hold an archive already.
func archiveFS(dir string) (format.FS, error) {
	fsys, err := format.DirFS(dir)
	if err != nil {
		return nil, err
	}
	if _, err := fsys.Stat("."); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such directory", dir)
	}
	return fsys, nil
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
			return nil, usage("the archive has no partition %d", n)
		}
	}
	return slices.DeleteFunc(all, func(tp format.TopicPartition) bool {
		return !selects(names, tp.Topic) || len(numbers) > 0 && !slices.Contains(numbers, tp.Partition)
	}), nil
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
	return topics
}

func checkNames(topics, names []string) error {
	for _, name := range names {
		if _, err := path.Match(name, ""); err != nil {
			return usage("%q is no glob of topics", name)
		}
		if slices.ContainsFunc(topics, func(t string) bool { return selects([]string{name}, t) }) {
			continue
		}
		e := usage("the archive has no topic %s", name)
		if s := suggest.Nearest(name, topics); s != "" {
			e.hint = "did you mean " + s + "?"
		}
		return e
	}
	return nil
}
