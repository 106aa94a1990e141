package replay

import (
	"fmt"
	"maps"
	"slices"

	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/replay/routing"
)

// idIn is the replay id that this replay has in shard s.
func (j *job) idIn(s routing.Shard) string {
	if j.named != "" {
		return j.named + shardSuffix(s)
	}
	id := j.identity
	id.shape = maps.Clone(id.shape)
	delete(id.shape, shardOption)
	if s.Divides() {
		id.shape[shardOption] = s.String()
	}
	return id.replayID()
}

// shardSuffix tells the replay ids of shards apart.
func shardSuffix(s routing.Shard) string {
	if !s.Divides() {
		return ""
	}
	return fmt.Sprintf("-%dof%d", s.Index, s.Count)
}

// parts is how many shards there are.
func parts(s routing.Shard) int { return max(s.Count, 1) }

// dividedOtherwise says whether a replay with another id is a part of this one, or all of it, in another number of shards. What cannot be
// understood is if its name says so.
func (j *job) dividedOtherwise(id string, saved *checkpoint.State) bool {
	if saved == nil {
		s, ok := j.shardNamed(id)
		return ok && parts(s) != parts(j.Shard)
	}
	s, err := parseSavedShard(saved)
	return err == nil && parts(s) != parts(j.Shard) && j.idIn(s) == id
}

// shardNamed finds out by its id which shard of this replay another one is, if it is one.
func (j *job) shardNamed(id string) (s routing.Shard, ok bool) {
	if j.named == "" {
		return s, false
	}
	if id == j.named {
		return s, true
	}
	if _, err := fmt.Sscanf(id, j.named+"-%dof%d", &s.Index, &s.Count); err != nil {
		return s, false
	}
	return s, s.Check() == nil && j.idIn(s) == id
}

func parseSavedShard(saved *checkpoint.State) (routing.Shard, error) {
	if text := saved.Options[shardOption]; text != "" {
		return routing.ParseShard(text)
	}
	return routing.Shard{}, nil
}

// checkDivision refuses to begin what was begun in another number of shards: which of its records the target has is then kept for other partitions than
// this shard's, and they would be sent again.
func (j *job) checkDivision() error {
	if j.topic == nil || j.Restart {
		return nil
	}
	others := slices.Sorted(maps.Keys(j.topic.Others))
	if len(others) == 0 {
		return nil
	}
	id := others[0]
	saved := j.topic.Others[id]
	if saved == nil {
		return fmt.Errorf("%w of replay %s in topic %s: it may be a part of this one", checkpoint.ErrUnreadable, id, checkpoint.TopicName)
	}
	return &MismatchError{What: shardOption, Saved: saved.Options[shardOption], Now: j.identity.shape[shardOption], ReplayID: id}
}
