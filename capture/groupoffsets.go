package capture

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/turn"
)

const (
	commitInterval = time.Second
	commitPatience = 5 * time.Second
)

// groupOffsets commits for a group what is sealed. It is what programs that show lag look at, and nothing that a capture goes by: what could not be
// committed is committed later, or by the next member. Its methods are safe for concurrent use.
type groupOffsets struct {
	cluster *cluster
	member  *group.Member
	mark    string // metadata of what is committed

	committing turn.Lock // one at a time

	mu   sync.Mutex
	next map[format.TopicPartition]int64 // not committed yet
	last error                           // of the last attempt
	over bool                            // nothing is committed any more
}

const offsetMark = "karchive "

func newGroupOffsets(c *cluster, m *group.Member, archiveID string) *groupOffsets {
	return &groupOffsets{cluster: c, member: m, mark: offsetMark + archiveID, next: map[format.TopicPartition]int64{}}
}

// check refuses a group that has offsets which were committed for something else. They would be lost, and others may go by them.
func (o *groupOffsets) check(ctx context.Context, on *cluster, tps []format.TopicPartition) error {
	found, err := on.Committed(ctx, o.member.Group, tps)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return &group.Error{Group: o.member.Group, Err: err}
	}
	for _, tp := range sortedPartitions(found) {
		if mark := found[tp].Metadata; mark != o.mark {
			other, ours := strings.CutPrefix(mark, offsetMark)
			if ours {
				return &group.Error{Group: o.member.Group, Err: fmt.Errorf("%w: it fills another archive, %s", group.ErrTaken, other)}
			}
			return &group.Error{Group: o.member.Group, Err: fmt.Errorf("%w: it has an offset of %s that no capture committed, and is of another program", group.ErrTaken, tp)}
		}
	}
	return nil
}

// sealed notes how far a partition is.
func (o *groupOffsets) sealed(tp format.TopicPartition, next int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next[tp] = next
}

// forget leaves to others what was not committed of partitions that are theirs.
func (o *groupOffsets) forget(all []*tenure) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range all {
		delete(o.next, t.tp)
	}
}

// commit commits what was not, as the member that client is at this moment. The client could do so too, but it waits for rebalances to end.
func (o *groupOffsets) commit(client *kgo.Client) {
	o.committing.Lock()
	defer o.committing.Unlock()
	as := kafka.GroupMember{Group: o.member.Group, InstanceID: o.member.InstanceID}
	as.Member, as.Generation = client.GroupMetadata()
	offsets := o.todo()
	if len(offsets) == 0 || as.Member == "" || as.Generation < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitPatience)
	defer cancel()
	left, err := o.cluster.CommitAs(ctx, as, offsets)
	o.done(offsets, left, err)
}

func (o *groupOffsets) todo() map[format.TopicPartition]kafka.Committed {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return nil
	}
	offsets := make(map[format.TopicPartition]kafka.Committed, len(o.next))
	for tp, next := range o.next {
		offsets[tp] = kafka.Committed{Offset: next, LeaderEpoch: format.NoLeaderEpoch, Metadata: o.mark}
	}
	return offsets
}

// done takes down what became of a commit.
func (o *groupOffsets) done(offsets map[format.TopicPartition]kafka.Committed, left map[format.TopicPartition]error, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = err
	if err != nil {
		return
	}
	for tp, c := range offsets {
		switch {
		case left[tp] != nil:
			o.last = left[tp]
		case o.next[tp] == c.Offset:
			delete(o.next, tp)
		}
	}
}

// close has nothing be committed any more.
func (o *groupOffsets) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
}

// uncommitted says why some offset is not committed; nil: all are.
func (o *groupOffsets) uncommitted() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.next) == 0 {
		return nil
	}
	return o.last
}
