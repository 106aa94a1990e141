package copying

import (
	"fmt"

	"github.com/karchive/karchive/format"
)

// ConflictError is returned for an offset at which two inputs have different records.
type ConflictError struct {
	format.TopicPartition
	Offset int64
	Inputs [2]string
	Part   string // the first that differs: timestamp, timestamp type, leader epoch, key, value or headers
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s at offset %d: %s and %s have records with different %s", e.TopicPartition, e.Offset, e.Inputs[0], e.Inputs[1], e.Part)
}

// SourceError is returned for a topic of two inputs that are not of one log.
type SourceError struct {
	Topic  string
	Inputs [2]string
	Reason string
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("topic %s of %s and of %s: %s", e.Topic, e.Inputs[0], e.Inputs[1], e.Reason)
}

// HoleError is returned for offsets between those that inputs cover. A partition of an archive has none.
type HoleError struct {
	format.TopicPartition
	From, Until int64
}

func (e *HoleError) Error() string {
	return fmt.Sprintf("no archive covers %s offsets %d..%d, and what is before and behind them makes no partition", e.TopicPartition, e.From, e.Until)
}
