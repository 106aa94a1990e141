// Package ondisk says where things lie in an archive, and how large they may be: SPEC.md, "Archive". It knows names and nothing of what they
// name.
package ondisk

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// The names in an archive's root. Names with a leading dot are of no interest to a reader of the archive.
const (
	Identity = "karchive.json" // what the archive is
	Sums     = "SHA256SUMS"    // the SHA-256 of every segment
	Data     = "data"
	// Plans holds what an archive in a store was described as after karchive.json was made, each time in a document of its own: in a store
	// nothing is replaced that another writer may be reading, or may have replaced meanwhile. The one with the highest revision counts.
	Plans = "plans"
	Temp  = ".karchive-tmp"
	// SharerPrefix begins the names in Temp of those who share a directory.
	SharerPrefix = "shared-"
	Lock         = ".karchive-lock" // whoever changes the archive holds the lock of this file
	// Catalog has what the segments say of themselves in one place. It is derived, and never the truth.
	Catalog = ".karchive-catalog"
)

// The extensions of segments, by their encoding.
const (
	Parquet = "parquet"
	Arrow   = "arrow"
)

const (
	topicPrefix     = "topic="
	partitionPrefix = "partition="
	// maxTopicName is Kafka's own limit. With the prefix it makes exactly the 255 bytes that file systems allow for a name.
	maxTopicName = 249
	// baseDigits hold every offset, a signed 64-bit number that is not negative, so that names sort as offsets do.
	baseDigits = 20
)

// CheckTopic refuses what Kafka would not accept as the name of a topic: legal are 1 to 249 of the characters a-z, A-Z, 0-9,
// dot, underscore and hyphen, but not "." and "..". A legal name is a safe name of a directory.
func CheckTopic(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > maxTopicName {
		return fmt.Errorf("topic name %.260q is not legal in Kafka: it takes 1 to %d characters other than . and .. alone", name, maxTopicName)
	}
	for _, c := range []byte(name) {
		if !legalTopicByte(c) {
			return fmt.Errorf("topic name %q is not legal in Kafka: it takes letters, digits, dot, underscore and hyphen only", name)
		}
	}
	return nil
}

func legalTopicByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// TopicDir is the directory of a topic.
func TopicDir(topic string) string { return Data + "/" + topicPrefix + topic }

// PartitionDir is the directory of a partition.
func PartitionDir(topic string, partition int32) string {
	return TopicDir(topic) + "/" + partitionPrefix + strconv.FormatInt(int64(partition), 10)
}

// SegmentPath is where the segment of a partition lies that begins at offset base.
func SegmentPath(topic string, partition int32, base int64, extension string) string {
	return fmt.Sprintf("%s/%0*d.%s", PartitionDir(topic, partition), baseDigits, base, extension)
}

// ParseTopicDir takes the topic out of the name of a directory in data/.
func ParseTopicDir(name string) (string, bool) {
	topic, ok := strings.CutPrefix(name, topicPrefix)
	return topic, ok && CheckTopic(topic) == nil
}

// ParsePartitionDir takes the number out of the name of a directory of a topic. Only the spelling that PartitionDir makes will do.
func ParsePartitionDir(name string) (int32, bool) {
	s, ok := strings.CutPrefix(name, partitionPrefix)
	n, err := strconv.ParseUint(s, 10, 31)
	return int32(n), ok && err == nil && s == strconv.FormatUint(n, 10)
}

// ParseSegmentName takes the base offset out of the name of a segment file.
func ParseSegmentName(name string) (int64, bool) {
	s, extension, _ := strings.Cut(name, ".")
	if len(s) != baseDigits || extension != Parquet && extension != Arrow {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

// Segment is what the path of a segment says of it.
type Segment struct {
	Topic     string
	Partition int32
	Base      int64 // its first offset
}

// ParseSegmentPath says which segment a path relative to an archive's root names. ok is false for anything that is not the one spelling of a
// segment's path; the path of a segment is safe to use, and leads nowhere else.
func ParseSegmentPath(p string) (s Segment, ok bool) {
	dir, file := path.Split(p)
	parts := strings.Split(dir, "/") // data, topic=, partition=, and nothing after the last slash
	if len(parts) != 4 || parts[0] != Data {
		return s, false
	}
	topic, okTopic := ParseTopicDir(parts[1])
	partition, okPartition := ParsePartitionDir(parts[2])
	base, okBase := ParseSegmentName(file)
	return Segment{topic, partition, base}, okTopic && okPartition && okBase
}

const planSuffix = ".json"

// PlanPath is the document of a revision.
func PlanPath(revision int64) string {
	return fmt.Sprintf("%s/%0*d%s", Plans, baseDigits, revision, planSuffix)
}

// ParsePlanName takes the revision out of the name of a document.
func ParsePlanName(name string) (int64, bool) {
	s, ok := strings.CutSuffix(name, planSuffix)
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), ok && len(s) == baseDigits && err == nil && n > 0
}
