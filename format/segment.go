package format

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/karchive/karchive/internal/ondisk"
)

// TopicPartition names a partition of an archive.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String is the form "orders-0", as in Kafka's own logs.
func (tp TopicPartition) String() string { return fmt.Sprintf("%s-%d", tp.Topic, tp.Partition) }

// Compare orders by topic and then by partition.
func (tp TopicPartition) Compare(other TopicPartition) int {
	return cmp.Or(strings.Compare(tp.Topic, other.Topic), cmp.Compare(tp.Partition, other.Partition))
}

// Segment is a sealed segment file.
type Segment struct {
	TopicPartition        // that it is of
	Base           int64  // first covered offset, from the file's name
	Path           string // relative to the archive's root
	Size           int64  // bytes on disk
	SHA256         string // in hex, as SHA256SUMS has it; empty when it has none
}

// compare orders by partition, and then as compareSegments does.
func (s Segment) compare(other Segment) int {
	return cmp.Or(s.TopicPartition.Compare(other.TopicPartition), compareSegments(s, other))
}

func partitionDir(tp TopicPartition) string { return ondisk.PartitionDir(tp.Topic, tp.Partition) }

// segmentAt is the segment that a path relative to the archive's root names.
func segmentAt(p string) (Segment, bool) {
	s, ok := ondisk.ParseSegmentPath(p)
	return Segment{TopicPartition: TopicPartition{s.Topic, s.Partition}, Base: s.Base, Path: p}, ok
}

// encoding is the one that the file's name says.
func (s Segment) encoding() Encoding { return Encoding(strings.TrimPrefix(path.Ext(s.Path), ".")) }

// checkEncoding refuses a segment of another encoding than that of the archive.
func (s Segment) checkEncoding(archive Encoding) error {
	if e := s.encoding(); e != archive {
		return fmt.Errorf("%w: its encoding is %s, that of the archive %s", ondisk.ErrForeignFile, e, archive)
	}
	return nil
}

// checkPlace refuses a file of another encoding than its name says, and one that belongs to another place.
func (s Segment) checkPlace(r *reader) error {
	if e := r.encoding; e != s.encoding() {
		return corruptf("the file is of encoding %s", e)
	}
	d := r.doc
	if d.Topic != s.Topic || d.Partition != s.Partition || d.BaseOffset != s.Base {
		return corruptf("the file is of topic %s, partition %d, from offset %d", d.Topic, d.Partition, d.BaseOffset)
	}
	return nil
}

// checkAdjoins refuses a segment that does not start at offset next, where the one before it ends.
func (s Segment) checkAdjoins(next int64) error {
	switch {
	case s.Base < next:
		return corruptf("overlaps the segment before it, which goes to offset %d", next)
	case s.Base > next:
		return corruptf("does not adjoin the segment before it, which ends at offset %d: a segment is missing", next)
	}
	return nil
}
