package replay

import (
	"context"
	"time"
)

// notedWait is the time between two looks at what the client has noted. Hardly ever is there a second look.
const notedWait = time.Millisecond

// noted waits until the client has noted every partition that it has sent to.
//
// It sends the first records of a topic a moment before it notes the topic's partitions. What ends a transaction in that moment misses
// them: their sequence numbers do not begin again with the next transaction, which the target then refuses, and a transaction of such
// partitions alone is aborted as an empty one, and reported as committed.
func (t *transactions) noted(ctx context.Context) error {
	if t.topic.Used {
		if err := t.awaitNoted(ctx, CheckpointTopic, 0); err != nil {
			return err
		}
	}
	for _, d := range t.player.destinations {
		if d.used.Load() && !d.noted {
			if err := t.awaitNoted(ctx, d.topic, d.partition); err != nil {
				return err
			}
			d.noted = true
		}
	}
	return nil
}

func (t *transactions) awaitNoted(ctx context.Context, topic string, partition int32) error {
	clock := t.player.settings.Clock
	for {
		if leader, _, _ := t.client.PartitionLeader(topic, partition); leader >= 0 {
			return nil
		}
		if err := clock.SleepUntil(ctx, clock.Now().Add(notedWait)); err != nil {
			return err
		}
	}
}
