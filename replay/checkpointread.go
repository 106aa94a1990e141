package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

// checkpointPartition is the partition of the topic that is used.
var checkpointPartition = format.TopicPartition{Topic: CheckpointTopic}

// read calls each with every committed record of the topic, in order.
//
// After the fence the end is that of the log, and transactions of other replays which are open there are waited for: what they hold
// back may hold back a record of this replay, too. Before it the end is where the first of those begins.
func (t *checkpointTopic) read(ctx context.Context, each func(*kgo.Record)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.patience, fmt.Errorf("not done within %s, perhaps because a transaction of another replay is open there", t.patience))
	defer cancel()
	last := kafka.LastStable
	if t.fenced {
		last = kafka.HighWatermark
	}
	end, err := t.boundary(ctx, last)
	if err != nil {
		return err
	}
	next, err := t.boundary(ctx, kafka.Start)
	if err != nil {
		return err
	}
	r := t.target.Reader(checkpointPartition)
	for next < end {
		next, err = r.Read(ctx, next, each)
		if errors.Is(err, kerr.OffsetOutOfRange) { // compaction was faster
			next, err = t.boundary(ctx, kafka.Start)
		}
		if err != nil {
			return fmt.Errorf("read %s up to offset %d: %w", CheckpointTopic, end, err)
		}
	}
	return nil
}

// boundary is an offset of the topic.
func (t *checkpointTopic) boundary(ctx context.Context, at kafka.Point) (int64, error) {
	found, err := t.target.Offsets(ctx, []format.TopicPartition{checkpointPartition}, at)
	return found[checkpointPartition], err
}
