package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
)

// CheckpointTopic is the topic of the target in which replays that are exactly once keep their progress. It is made when it is missing,
// with one partition and cleanup.policy=compact; of an existing one partition 0 is used. Records of a replay have its id as key, or the
// id, the topic and the partition of the archive with slashes between; their values are JSON.
const CheckpointTopic = "__karchive_checkpoints"

// checkpointVersion is the version of the values in the checkpoint topic. Another one is refused.
const checkpointVersion = 1

// checkpointTopicConfigs: everything but the newest record of each key may go. Segments smaller than the default gibibyte, because the
// one that is written to is never compacted, and a replay that goes on reads it.
var checkpointTopicConfigs = map[string]string{"cleanup.policy": "compact", "segment.bytes": "67108864"}

// checkpointTopic is the Checkpoint of a replay that is exactly once. Save puts what has changed into the open transaction, so that it
// counts when the records do.
type checkpointTopic struct {
	target   *cluster
	replayID string
	restart  bool          // what was saved does not count
	patience time.Duration // for transactions of others to end
	fenced   bool          // no other replay with this id can write any more
	produce  func(*kgo.Record)

	generation string            // of what is saved: a restart begins another one
	kept       map[string][]byte // what the topic holds of the generation, by key
	used       bool              // something was put
	position   int64             // offset of the last record of this replay; -1: there is none
}

// The values in the topic. The generation tells the records of a replay from those before its restart.
type (
	savedReplay struct {
		Version    int    `json:"karchive_checkpoint"`
		Generation string `json:"generation"`
		*State
		Partitions *struct{} `json:"partitions,omitempty"` // instead of the state's: they have records of their own
	}
	savedPartition struct {
		Version    int    `json:"karchive_checkpoint"`
		Generation string `json:"generation"`
		PartitionState
	}
)

// create makes the topic if it is missing, or with onlyValidate asks whether it could be made. The receiver may be nil.
func (t *checkpointTopic) create(ctx context.Context, replicationFactor int16, onlyValidate bool) error {
	if t == nil || t.target.topics[CheckpointTopic].exists {
		return nil
	}
	topic := newTopic{name: CheckpointTopic, partitions: 1, configs: checkpointTopicConfigs}
	return t.denied("Create", t.target.create(ctx, []newTopic{topic}, replicationFactor, onlyValidate))
}

// Load reads the topic. Until the replay has fenced others off, the state may be an older one.
func (t *checkpointTopic) Load(ctx context.Context) (*State, error) {
	t.kept, t.position = make(map[string][]byte), -1
	t.generation = uuid.NewString()
	// It may have been made just now and be unknown to this broker; then the fence, after which it is there, leads to another look.
	m, err := t.target.Describe(ctx, []string{CheckpointTopic})
	if err != nil {
		return nil, err
	}
	if err := t.target.noteAll(m); err != nil {
		return nil, t.denied("Describe", err)
	}
	if !t.target.topics[CheckpointTopic].exists {
		return nil, nil
	}
	all := make(map[string][]byte)
	err = t.read(ctx, func(r *kgo.Record) {
		if key := string(r.Key); key == t.replayID || strings.HasPrefix(key, t.replayID+"/") {
			all[key] = bytes.Clone(r.Value) // which is a part of the whole answer
			t.position = r.Offset
		}
	})
	if err != nil {
		return nil, t.denied("Read", err)
	}
	if t.restart || all[t.replayID] == nil {
		return nil, nil
	}
	state, err := t.assemble(all)
	if err != nil {
		return nil, fmt.Errorf("%w of replay %s in topic %s: %w", ErrProgress, t.replayID, CheckpointTopic, err)
	}
	return state, nil
}

// assemble makes a state of the records of this replay.
func (t *checkpointTopic) assemble(all map[string][]byte) (*State, error) {
	saved := savedReplay{State: &State{}}
	if err := decodeSaved(all[t.replayID], &saved, &saved.Version); err != nil {
		return nil, err
	}
	t.generation = saved.Generation
	t.kept[t.replayID] = all[t.replayID]
	for key, value := range all {
		if key == t.replayID || value == nil {
			continue
		}
		var p savedPartition
		if err := decodeSaved(value, &p, &p.Version); err != nil {
			return nil, err
		}
		if p.Generation == t.generation {
			t.kept[key] = value
			saved.State.Partitions = append(saved.State.Partitions, p.PartitionState)
		}
	}
	slices.SortFunc(saved.State.Partitions, func(a, b PartitionState) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return saved.State, nil
}

func decodeSaved(value []byte, into any, version *int) error {
	if err := json.Unmarshal(value, into); err != nil {
		return err
	}
	if *version != checkpointVersion {
		return fmt.Errorf("it has version %d, this program reads %d", *version, checkpointVersion)
	}
	return nil
}

// Save produces the records whose values are not what the topic holds.
func (t *checkpointTopic) Save(_ context.Context, s *State) error {
	if err := t.put(t.replayID, savedReplay{Version: checkpointVersion, Generation: t.generation, State: s}); err != nil {
		return err
	}
	for i := range s.Partitions {
		p := &s.Partitions[i]
		key := fmt.Sprintf("%s/%s/%d", t.replayID, p.Topic, p.Partition)
		if err := t.put(key, savedPartition{checkpointVersion, t.generation, *p}); err != nil {
			return err
		}
	}
	return nil
}

func (t *checkpointTopic) put(key string, saved any) error {
	value, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	if bytes.Equal(value, t.kept[key]) {
		return nil
	}
	t.kept[key], t.used = value, true
	t.produce(&kgo.Record{Topic: CheckpointTopic, Key: []byte(key), Value: value})
	return nil
}

// denied names what the target's access rules do not allow, if that is the error.
func (t *checkpointTopic) denied(operation string, err error) error {
	return denied("topic "+CheckpointTopic, operation, err)
}
