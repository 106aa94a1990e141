package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
)

// discover looks for partitions that came into being after the capture began: a follow capture takes them, from their beginning, a
// snapshot only says so. It is called with every fresh look at the cluster, never twice at once.
func (r *run) discover(m *kafka.Metadata) {
	fresh := r.unknown(m)
	if len(fresh) == 0 {
		return
	}
	if !r.settings.Follow {
		for _, tp := range fresh {
			r.warn(tp, "was added while the snapshot was taken, and is not in it")
		}
		return
	}
	// Its leader may not be there yet, and the next look tries again. Meanwhile nothing of it is lost.
	err := r.adopt(r.fetching, m, fresh)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unadopted = err
}

// unknown lists the selected partitions that are in no lane's plan.
func (r *run) unknown(m *kafka.Metadata) []format.TopicPartition {
	var topics []string
	for name, t := range m.Topics {
		chosen := func(pattern string) bool { return selects(pattern, name, &t) }
		if t.Err == nil && slices.ContainsFunc(r.settings.Topics, chosen) {
			topics = append(topics, name)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(partitionsOf(topics, m, r.settings), func(tp format.TopicPartition) bool {
		_, known := r.reports[tp]
		return known
	})
}

// adopt adds partitions to the stored plan, durable first, and begins to capture them.
func (r *run) adopt(ctx context.Context, m *kafka.Metadata, fresh []format.TopicPartition) error {
	logs, err := r.cluster.within(briefly).logOffsets(ctx, fresh, false)
	if err != nil {
		return err
	}
	configs, _ := r.cluster.topicConfigs(ctx, topicsOf(fresh)) // not being allowed to see them was told at the start
	r.identity.Lock()
	defer r.identity.Unlock()
	id := r.archive.Identity()
	var all []work
	for _, tp := range fresh {
		w := work{tp: tp, from: logs[tp].start, end: noEnd, epoch: format.NoLeaderEpoch, source: r.settings.source(m, tp.Topic)}
		if start, ok := plannedStart(id.Capture, tp); ok { // by another capture of the archive, which may have begun with it
			if w, err = r.joined(w, start); err != nil {
				return err
			}
		} else {
			id.Capture.Partitions = append(id.Capture.Partitions, origin.PlanRange{Topic: tp.Topic, Partition: tp.Partition, Start: w.from, End: noEnd})
		}
		all = append(all, w)
	}
	id.Topics = mergeTopics(id.Topics, topicsOf(fresh), m, configs)
	err = r.archive.SetIdentity(id)
	if errors.Is(err, format.ErrChanged) {
		return errors.Join(err, r.archive.RefreshIdentity()) // and the next look finds what the other one planned
	}
	if err != nil {
		r.fail(fmt.Errorf("store the plan: %w", err))
		return nil
	}
	r.start(all)
	return nil
}

func (r *run) warn(tp format.TopicPartition, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := tp.String() + " " + what; !slices.Contains(r.warnings, w) {
		r.warnings = append(r.warnings, w)
	}
}

// lookAgain looks for new partitions a last time, which a short snapshot would not have noticed. Failing to is no failure of it.
func (r *run) lookAgain() {
	ctx, cancel := context.WithTimeout(r.fetching, r.settings.ConnectTimeout)
	defer cancel()
	r.mu.Lock()
	topics := topicsOf(sortedPartitions(r.reports))
	r.mu.Unlock()
	if m, err := r.cluster.Describe(ctx, topics); err == nil {
		r.discover(m)
	}
}
