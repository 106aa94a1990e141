package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

// TopicName is the topic of the target in which replays that are exactly once keep their progress. Records of a replay have its id as key, or the
// id, the topic and the partition of the archive with slashes between; their values are JSON.
const TopicName = "__karchive_checkpoints"

// ErrUnreadable is wrapped when what the topic holds of a replay cannot be understood.
var ErrUnreadable = errors.New("unreadable progress")

// topicVersion is the version of the values in the checkpoint topic. Another one is refused.
const topicVersion = 1

// TopicConfigs are those of the topic. Everything but the newest record of each key may go. Segments smaller than the default gibibyte, because the
// one that is written to is never compacted, and a replay that goes on reads it.
var TopicConfigs = map[string]string{"cleanup.policy": "compact", "segment.bytes": "67108864"}

// Topic is the Store of a replay that is exactly once. Save puts what has changed into the open transaction, so that it counts when the records
// do.
type Topic struct {
	ReplayID string
	Restart  bool          // what was saved does not count
	Patience time.Duration // for transactions of others to end
	Fenced   bool          // no other replay with this id can write any more
	Produce  func(*kgo.Record)
	Used     bool  // something was put
	Position int64 // offset of the last record of this replay; -1: there is none

	// Related says of a replay with another id whether Others is to have it. Its state has no partitions, and is nil where it cannot be understood.
	Related func(id string, s *State) bool
	Others  map[string]*State // as the last Load found them

	target     *kafka.Cluster
	generation string            // of what is saved: a restart begins another one
	kept       map[string][]byte // what the topic holds of the generation, by key
}

// NewTopic is the store of a replay in target.
func NewTopic(target *kafka.Cluster, replayID string) *Topic {
	return &Topic{ReplayID: replayID, target: target}
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
		Partition
	}
)

// Forget begins a generation in which nothing is saved.
func (t *Topic) Forget() {
	t.kept, t.Position, t.generation = make(map[string][]byte), -1, uuid.NewString()
	t.Others = make(map[string]*State)
}

// Load reads the topic, which must exist. Until the replay has fenced others off, the state may be an older one.
func (t *Topic) Load(ctx context.Context) (*State, error) {
	t.Forget()
	all, others := make(map[string][]byte), make(map[string][]byte)
	err := t.read(ctx, func(r *kgo.Record) {
		switch id, _, ofPartition := strings.Cut(string(r.Key), "/"); {
		case id == t.ReplayID:
			all[string(r.Key)] = bytes.Clone(r.Value) // which is a part of the whole answer
			t.Position = r.Offset
		case !ofPartition:
			others[id] = bytes.Clone(r.Value)
		}
	})
	for id, value := range others {
		t.noteOther(id, value)
	}
	if err != nil || t.Restart || all[t.ReplayID] == nil {
		return nil, err
	}
	state, err := t.assemble(all)
	if err != nil {
		return nil, fmt.Errorf("%w of replay %s in topic %s: %w", ErrUnreadable, t.ReplayID, TopicName, err)
	}
	return state, nil
}

// noteOther notes what the topic has of another replay in the end.
func (t *Topic) noteOther(id string, value []byte) {
	if value == nil || t.Related == nil {
		return
	}
	saved := savedReplay{State: &State{}}
	if decodeSaved(value, &saved, &saved.Version) != nil {
		saved.State = nil
	}
	if t.Related(id, saved.State) {
		t.Others[id] = saved.State
	}
}

// assemble makes a state of the records of this replay.
func (t *Topic) assemble(all map[string][]byte) (*State, error) {
	saved := savedReplay{State: &State{}}
	if err := decodeSaved(all[t.ReplayID], &saved, &saved.Version); err != nil {
		return nil, err
	}
	t.generation = saved.Generation
	t.kept[t.ReplayID] = all[t.ReplayID]
	for key, value := range all {
		if key == t.ReplayID || value == nil {
			continue
		}
		var p savedPartition
		if err := decodeSaved(value, &p, &p.Version); err != nil {
			return nil, err
		}
		if p.Generation == t.generation {
			t.kept[key] = value
			saved.State.Partitions = append(saved.State.Partitions, p.Partition)
		}
	}
	slices.SortFunc(saved.State.Partitions, func(a, b Partition) int { return a.source().Compare(b.source()) })
	return saved.State, nil
}

func decodeSaved(value []byte, into any, version *int) error {
	if err := json.Unmarshal(value, into); err != nil {
		return err
	}
	if *version != topicVersion {
		return fmt.Errorf("it has version %d, this program reads %d", *version, topicVersion)
	}
	return nil
}

// Save produces the records whose values are not what the topic holds.
func (t *Topic) Save(_ context.Context, s *State) error {
	if err := t.put(t.ReplayID, savedReplay{Version: topicVersion, Generation: t.generation, State: s}); err != nil {
		return err
	}
	for i := range s.Partitions {
		p := &s.Partitions[i]
		key := fmt.Sprintf("%s/%s/%d", t.ReplayID, p.Topic, p.Partition)
		if err := t.put(key, savedPartition{topicVersion, t.generation, *p}); err != nil {
			return err
		}
	}
	return nil
}

func (t *Topic) put(key string, saved any) error {
	value, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("save progress: %w", err)
	}
	if bytes.Equal(value, t.kept[key]) {
		return nil
	}
	t.kept[key], t.Used = value, true
	t.Produce(&kgo.Record{Topic: TopicName, Key: []byte(key), Value: value})
	return nil
}

// topicPartition is the partition of the topic that is used.
var topicPartition = format.TopicPartition{Topic: TopicName}

// read calls each with every committed record of the topic, in order.
//
// After the fence the end is that of the log, and transactions of other replays which are open there are waited for: what they hold
// back may hold back a record of this replay, too. Before it the end is where the first of those begins.
func (t *Topic) read(ctx context.Context, each func(*kgo.Record)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.Patience, fmt.Errorf("not done within %s, perhaps because a transaction of another replay is open there", t.Patience))
	defer cancel()
	last := kafka.LastStable
	if t.Fenced {
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
	r := t.target.Reader(topicPartition)
	for next < end {
		next, err = r.Read(ctx, next, each)
		if errors.Is(err, kerr.OffsetOutOfRange) { // compaction was faster
			next, err = t.boundary(ctx, kafka.Start)
		}
		if err != nil {
			return fmt.Errorf("read %s up to offset %d: %w", TopicName, end, err)
		}
	}
	return nil
}

// boundary is an offset of the topic.
func (t *Topic) boundary(ctx context.Context, at kafka.Point) (int64, error) {
	found, err := t.target.Offsets(ctx, []format.TopicPartition{topicPartition}, at)
	return found[topicPartition], err
}
