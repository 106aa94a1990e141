package capture

import (
	"errors"
	"fmt"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/selection"
)

// The kinds of errors that have no type of their own.
var (
	// ErrConnect is wrapped when no broker answers.
	ErrConnect = kafka.ErrConnect
	// ErrOptions is wrapped by errors about options that cannot be, or that do not go together.
	ErrOptions = options.ErrInvalid
)

// missingTopic is the error for a topic that the cluster does not have, or no longer has.
func missingTopic(topic string) *selection.MissingTopicError {
	return &selection.MissingTopicError{Topic: topic, In: selection.Cluster}
}

// MismatchError is returned when an archive cannot be continued because something that shapes its content differs.
type MismatchError struct {
	What    string // "cluster id", "isolation", "from" and the like
	Archive string // the value of the archive
	Now     string // the value of this capture
	Option  bool   // it was chosen, and is no property of the cluster
}

// Error names both values.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("the archive was captured with %s %q, this capture has %q", e.What, e.Archive, e.Now)
}

// RecreatedTopicError is returned when a topic has another topic id than the one that was captured: it was deleted and made again.
type RecreatedTopicError struct {
	Topic   string
	Archive string // the topic id captured before
	Cluster string // the one it has now
}

// Error names the topic and its ids.
func (e *RecreatedTopicError) Error() string {
	return fmt.Sprintf("topic %q was deleted and made again: the archive has topic id %s, the cluster %s", e.Topic, e.Archive, e.Cluster)
}

// TruncatedError is returned when the archive has offsets that the log no longer has at its end: it lost records after they were
// captured, or it is another log.
type TruncatedError struct {
	Partition format.TopicPartition
	Next      int64 // the offset that was next to be captured
	LogEnd    int64 // the offset up to which the log still agrees
}

// Error names the partition and both offsets.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("%s was captured up to offset %d, but its log agrees only up to %d: it was truncated or is another log",
		e.Partition, e.Next, e.LogEnd)
}

// ErrStalled is wrapped by the PartitionError of a partition that made no progress for Options.StallTimeout though it should have, with what the
// last attempts met.
var ErrStalled = errors.New("no progress")

// stalled is that a feed has waited for so long. The caller holds mu.
func (f *feed) stalled(d time.Duration) error {
	return &PartitionError{f.tp, f.at, fmt.Errorf("%w for %s: %w", ErrStalled, d.Round(time.Second), f.cause)}
}

// PartitionError is an error of one partition that ends the capture.
type PartitionError struct {
	Partition format.TopicPartition
	Offset    int64 // where it was met, or the next one wanted
	Err       error
}

// Error names where it was met.
func (e *PartitionError) Error() string {
	return fmt.Sprintf("%s at offset %d: %v", e.Partition, e.Offset, e.Err)
}

// Unwrap returns what was met.
func (e *PartitionError) Unwrap() error { return e.Err }

// ErrCorruptBatch is wrapped when what the broker sent is not a valid record batch, though its connection was sound.
var ErrCorruptBatch = errors.New("corrupt record batch")

// isFinal says whether an error met while fetching ends the capture, because asking again would not help.
func isFinal(err error) bool {
	return isA[*selection.MissingTopicError](err) || isA[*RecreatedTopicError](err) || isA[*TruncatedError](err) || isA[*PartitionError](err) ||
		kafka.Denied(err)
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
