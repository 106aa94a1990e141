package capture

import (
	"errors"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/internal/kafka"
)

// lookForStrangers notes another program that is a member of the group: the partitions that it has are captured by nobody. In the protocols of clients
// brokers do not let it in; in the consumer protocol they do, and only what it commits tells of it.
func (m *membership) lookForStrangers(found *kafka.Metadata) {
	r := m.run
	err := m.offsets.check(r.fetching, r.cluster.within(briefly), partitionsOf(r.selectedTopics(found), found, r.settings))
	if err != nil && !errors.Is(err, group.ErrTaken) { // it was not found out
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strangers = err
}

// uncaptured says why a partition is not captured; nil: all are. The caller holds mu.
func (r *run) uncaptured() error {
	if r.unadopted != nil {
		return r.unadopted
	}
	return r.strangers
}
