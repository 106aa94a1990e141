package format

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// The names in an archive's root. Names with a leading dot are of no interest to a reader of the archive.
const (
	identityName = "karchive.json"
	sumsName     = "SHA256SUMS"
	dataName     = "data"
	tempName     = ".karchive-tmp"
	lockName     = ".karchive-lock"
)

// The names in an archive's root that a program needs which carries its files elsewhere.
const (
	IdentityName = identityName // what the archive is
	SumsName     = sumsName     // the SHA-256 of every segment
	LockName     = lockName     // whoever changes the archive holds the lock of this file
)

const (
	topicPrefix     = "topic="
	partitionPrefix = "partition="
	// maxTopicName is Kafka's own limit. With the prefix it makes exactly the 255 bytes that file systems allow for a name.
	maxTopicName = 249
	// baseDigits hold every offset, a signed 64-bit number that is not negative, so that names sort as offsets do.
	baseDigits = 20
)

// CheckTopicName refuses what Kafka would not accept as the name of a topic: legal are 1 to 249 of the characters a-z, A-Z, 0-9,
// dot, underscore and hyphen, but not "." and "..". A legal name is a safe name of a directory.
func CheckTopicName(name string) error {
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

func topicDir(topic string) string { return dataName + "/" + topicPrefix + topic }

func partitionDir(tp TopicPartition) string {
	return topicDir(tp.Topic) + "/" + partitionPrefix + strconv.FormatInt(int64(tp.Partition), 10)
}

func segmentPath(tp TopicPartition, base int64, e Encoding) string {
	return fmt.Sprintf("%s/%0*d.%s", partitionDir(tp), baseDigits, base, e)
}

// parseTopicDir takes the topic out of the name of a directory in data/.
func parseTopicDir(name string) (string, bool) {
	topic, ok := strings.CutPrefix(name, topicPrefix)
	return topic, ok && CheckTopicName(topic) == nil
}

// parsePartitionDir takes the number out of the name of a directory of a topic. Only the spelling that partitionDir makes will do.
func parsePartitionDir(name string) (int32, bool) {
	s, ok := strings.CutPrefix(name, partitionPrefix)
	n, err := strconv.ParseUint(s, 10, 31)
	return int32(n), ok && err == nil && s == strconv.FormatUint(n, 10)
}

// parseSegmentName takes the base offset out of the name of a segment file.
func parseSegmentName(name string) (int64, bool) {
	s, ext, _ := strings.Cut(name, ".")
	if len(s) != baseDigits || !knownEncoding(Encoding(ext)) {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

// ParseSegmentPath is the segment that a path relative to an archive's root names, without size and digest. ok is false for anything
// that is not the one spelling of a segment's path; the path of a segment is safe to use, and leads nowhere else.
func ParseSegmentPath(p string) (s Segment, ok bool) { return parseSegmentPath(p) }

// parseSegmentPath is the segment that a path relative to the archive's root names.
func parseSegmentPath(p string) (Segment, bool) {
	dir, file := path.Split(p)
	parts := strings.Split(dir, "/") // data, topic=, partition=, and nothing after the last slash
	if len(parts) != 4 || parts[0] != dataName {
		return Segment{}, false
	}
	topic, okTopic := parseTopicDir(parts[1])
	partition, okPartition := parsePartitionDir(parts[2])
	base, okBase := parseSegmentName(file)
	return Segment{TopicPartition: TopicPartition{topic, partition}, Base: base, Path: p}, okTopic && okPartition && okBase
}
