package main

import (
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/units"
)

// warnUnlisted says which segments of an archive nothing vouches for, before what is made of it vouches for them, and returns their paths. Only those
// of partitions that are taken count.
func (e *env) warnUnlisted(archive string, a *format.Archive, takes func(format.TopicPartition) bool) (paths []string, err error) {
	unlisted, err := a.Unlisted()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", archive, err)
	}
	for _, s := range unlisted {
		if takes(s.TopicPartition) {
			paths = append(paths, s.Path)
		}
	}
	if len(paths) > 0 {
		e.warnf("%s: %s not in its %s, and taken all the same, the first %s: karchive verify %s names all", archive, units.Of(int64(len(paths)), "segment"), ondisk.Sums, paths[0], archive)
	}
	return paths, nil
}
