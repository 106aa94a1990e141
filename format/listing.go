package format

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// listing is what lies in data/.
type listing struct {
	segments map[TopicPartition][]Segment // in offset order
	foreign  []string                     // paths of what does not belong there
}

// scan lists data/, which need not exist. Names with a leading dot are left out: file managers and network file systems make them,
// and no reader of hive directories looks at them. Links are not followed, wherever they lead.
func scan(fsys storage.ReadFS) (*listing, error) {
	if all, ok := fsys.(lister); ok {
		return listObjects(all, ondisk.Data)
	}
	l := &listing{segments: map[TopicPartition][]Segment{}}
	if info, err := fsys.Stat(ondisk.Data); err == nil && !info.IsDir() {
		l.foreign = []string{ondisk.Data}
		return l, nil
	}
	topics, err := fsys.ReadDir(ondisk.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range visible(topics) {
		topic, ok := ondisk.ParseTopicDir(e.Name())
		if !ok || !e.IsDir() {
			l.foreign = append(l.foreign, ondisk.Data+"/"+e.Name())
			continue
		}
		if err := l.scanTopic(fsys, topic); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *listing) scanTopic(fsys storage.ReadFS, topic string) error {
	dir := ondisk.TopicDir(topic)
	partitions, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range visible(partitions) {
		partition, ok := ondisk.ParsePartitionDir(e.Name())
		if !ok || !e.IsDir() {
			l.foreign = append(l.foreign, dir+"/"+e.Name())
			continue
		}
		if err := l.scanPartition(fsys, TopicPartition{topic, partition}); err != nil {
			return err
		}
	}
	return nil
}

func (l *listing) scanPartition(fsys storage.ReadFS, tp TopicPartition) error {
	dir := partitionDir(tp)
	files, err := readGrowing(fsys, dir)
	if err != nil {
		return err
	}
	var found []Segment
	for _, e := range visible(files) {
		path := dir + "/" + e.Name()
		base, ok := ondisk.ParseSegmentName(e.Name())
		if !ok || !e.Type().IsRegular() {
			l.foreign = append(l.foreign, path)
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was pruned since; where it was not, what is listed and not there is missing
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		found = append(found, Segment{TopicPartition: tp, Base: base, Path: path, Size: info.Size()})
	}
	if len(found) > 0 {
		slices.SortFunc(found, compareSegments)
		l.segments[tp] = found
	}
	return nil
}

// readGrowing reads a directory to which a capture may add. A name that is added meanwhile may be there or not, whatever was added after it, and a
// partition without a segment in the middle looks damaged. So one that changed is read again: then all is there that came before the last name of
// the first time.
func readGrowing(fsys storage.ReadFS, dir string) ([]fs.DirEntry, error) {
	before, err := fsys.Stat(dir)
	if err != nil {
		return nil, err
	}
	first, err := fsys.ReadDir(dir)
	if err != nil || len(first) == 0 {
		return first, err
	}
	after, err := fsys.Stat(dir)
	if err != nil || after.ModTime().Equal(before.ModTime()) && time.Since(before.ModTime()) > coarseTime {
		return first, err
	}
	again, err := fsys.ReadDir(dir)
	last := first[len(first)-1].Name()
	return slices.DeleteFunc(again, func(e fs.DirEntry) bool { return e.Name() > last }), err
}

// coarseTime is more than what lies between two times of change that a file system tells apart.
const coarseTime = 3 * time.Second

func visible(entries []fs.DirEntry) []fs.DirEntry {
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
}

func compareSegments(a, b Segment) int {
	return cmp.Or(cmp.Compare(a.Base, b.Base), strings.Compare(a.Path, b.Path))
}

// foreignErr names the first file that does not belong.
func (l *listing) foreignErr() error {
	if len(l.foreign) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: move it out of the archive", l.foreign[0], ondisk.ErrForeignFile)
}

// checkEncoding names a segment of another encoding than that of the archive.
func (l *listing) checkEncoding(archive Encoding) error {
	for _, tp := range l.order() {
		for _, s := range l.segments[tp] {
			if err := s.checkEncoding(archive); err != nil {
				return fmt.Errorf("%s: %w", s.Path, err)
			}
		}
	}
	return nil
}

// attach adds what SHA256SUMS says to the segments and returns the paths of those that it lists and that are not there, in no order.
func (l *listing) attach(s *sumsFile) (missing []string) {
	seen := 0
	for _, segments := range l.segments {
		for i := range segments {
			if sha, ok := s.digests[segments[i].Path]; ok {
				segments[i].SHA256 = sha
				seen++
			}
		}
	}
	if seen == len(s.digests) {
		return nil
	}
	for path := range s.digests {
		if seg, _ := segmentAt(path); !l.has(seg) {
			missing = append(missing, path)
		}
	}
	return missing
}

func (l *listing) has(s Segment) bool {
	list := l.segments[s.TopicPartition]
	i, _ := slices.BinarySearchFunc(list, s, compareSegments)
	return i < len(list) && list[i].Path == s.Path
}

// order lists the partitions by topic and number.
func (l *listing) order() []TopicPartition {
	all := make([]TopicPartition, 0, len(l.segments))
	for tp := range l.segments {
		all = append(all, tp)
	}
	slices.SortFunc(all, TopicPartition.Compare)
	return all
}

// lister is a ReadFS that lists all of a directory at once.
type lister interface {
	List(dir string, visit func(name string, size int64) error) error
}
