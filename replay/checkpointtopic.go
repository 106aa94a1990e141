package replay

import (
	"context"

	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// CheckpointTopic is the topic of the target in which replays that are exactly once keep their progress. It is made when it is missing,
// with one partition and cleanup.policy=compact; of an existing one partition 0 is used.
const CheckpointTopic = checkpoint.TopicName

// checkpointTopic is the checkpoint of a replay that is exactly once.
type checkpointTopic struct {
	*checkpoint.Topic
	target *cluster
}

// create makes the topic if it is missing, or with onlyValidate asks whether it could be made. The receiver may be nil.
func (t *checkpointTopic) create(ctx context.Context, replicationFactor int16, onlyValidate bool) error {
	if t == nil || t.target.topics[CheckpointTopic].exists {
		return nil
	}
	topic := newTopic{name: CheckpointTopic, partitions: 1, configs: checkpoint.TopicConfigs}
	return t.denied("Create", t.target.create(ctx, []newTopic{topic}, replicationFactor, onlyValidate))
}

// Load looks whether the topic is there, and reads it. It may have been made just now and be unknown to this broker; then the fence, after
// which it is there, leads to another look.
func (t *checkpointTopic) Load(ctx context.Context) (*checkpoint.State, error) {
	m, err := t.target.Describe(ctx, []string{CheckpointTopic})
	if err != nil {
		return nil, err
	}
	if err := t.target.noteAll(m); err != nil {
		return nil, t.denied("Describe", err)
	}
	if !t.target.topics[CheckpointTopic].exists {
		t.Forget()
		return nil, nil
	}
	saved, err := t.Topic.Load(ctx)
	return saved, t.denied("Read", err)
}

// denied names what the target's access rules do not allow, if that is the error.
func (t *checkpointTopic) denied(operation string, err error) error {
	return denied("topic "+CheckpointTopic, operation, err)
}
