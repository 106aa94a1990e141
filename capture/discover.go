package capture

import (
	"context"
	"fmt"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
)

// unknown lists the selected partitions that are in no lane's plan.
func (r *run) unknown(m *kafka.Metadata) []format.TopicPartition {
	topics := r.selectedTopics(m)
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(partitionsOf(topics, m, r.settings), func(tp format.TopicPartition) bool {
		_, known := r.reports[tp]
		return known
	})
}

// selectedTopics are those that the capture takes, of all right now, in no order.
func (r *run) selectedTopics(m *kafka.Metadata) (topics []string) {
	for name, t := range m.Topics {
		chosen := func(pattern string) bool { return selects(pattern, name, &t) }
		if t.Err == nil && slices.ContainsFunc(r.settings.Topics, chosen) {
			topics = append(topics, name)
		}
	}
	return topics
}

// unadopt notes why partitions that are to be captured are not yet; nil: they are.
func (r *run) unadopt(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unadopted = err
}

// adopt adds partitions to the stored plan that are not in it, durable first, and says where to begin with each.
func (r *run) adopt(ctx context.Context, m *kafka.Metadata, tps []format.TopicPartition) ([]work, error) {
	if err := r.planAlso(ctx, m, tps); err != nil {
		return nil, err
	}
	return r.positions(ctx, m, tps)
}

// planAlso plans partitions from their beginning on, if no capture of the archive has.
func (r *run) planAlso(ctx context.Context, m *kafka.Metadata, tps []format.TopicPartition) error {
	id := r.archive.Identity()
	if err := checkTopics(id.Topics, m); err != nil {
		return err
	}
	fresh := unplanned(id.Capture, tps)
	if len(fresh) == 0 {
		return nil
	}
	logs, err := r.cluster.within(briefly).logOffsets(ctx, fresh, false)
	if err != nil {
		return err
	}
	configs, _ := r.cluster.topicConfigs(ctx, topicsOf(fresh)) // not being allowed to see them was told at the start
	r.identity.Lock()
	defer r.identity.Unlock()
	err = amend(r.archive, func(id *format.Identity) error { // in which another capture may have planned some meanwhile
		for _, tp := range unplanned(id.Capture, fresh) {
			id.Capture.Partitions = append(id.Capture.Partitions, origin.PlanRange{Topic: tp.Topic, Partition: tp.Partition, Start: logs[tp].start, End: noEnd})
		}
		id.Topics = mergeTopics(id.Topics, topicsOf(fresh), m, configs)
		return nil
	})
	if err != nil {
		err = fmt.Errorf("store the plan: %w", err)
		r.fail(err)
	}
	return err
}

// unplanned are those of tps that a plan does not have.
func unplanned(plan *origin.Plan, tps []format.TopicPartition) []format.TopicPartition {
	starts := plannedStarts(plan)
	return slices.DeleteFunc(slices.Clone(tps), func(tp format.TopicPartition) bool { _, ok := starts[tp]; return ok })
}

// warnf adds a warning to the report, once.
func (r *run) warnf(text string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := fmt.Sprintf(text, args...); !slices.Contains(r.warnings, w) {
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
		r.assignment.look(m)
	}
}
