package capture

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
)

// positionsAtOnce is how many partitions are looked up in an archive at once.
const positionsAtOnce = 16

// positions says where the archive goes on with planned partitions. What Kafka has of a group does not count: a segment is sealed, or it is not
// there. It fails where a log no longer holds what the archive has of it.
func (r *run) positions(ctx context.Context, m *kafka.Metadata, tps []format.TopicPartition) ([]work, error) {
	starts := plannedStarts(r.archive.Identity().Capture)
	all := make([]work, len(tps))
	var looking errgroup.Group
	looking.SetLimit(positionsAtOnce)
	for i, tp := range tps {
		looking.Go(func() (err error) {
			all[i], err = r.position(work{tp: tp, from: starts[tp], end: noEnd, epoch: format.NoLeaderEpoch, source: r.settings.source(m, tp.Topic)})
			return err
		})
	}
	if err := looking.Wait(); err != nil {
		return nil, err
	}
	return all, r.checkPositions(ctx, all, starts)
}

// position is w, planned from a start on, from where captures have got to. An archive that is not shared has nothing of a partition that was planned
// just now.
func (r *run) position(w work) (work, error) {
	if !r.archive.Shared() {
		return w, nil
	}
	if err := r.archive.Refresh(w.tp); err != nil {
		return w, err
	}
	if len(r.archive.Segments(w.tp)) == 0 {
		return w, nil
	}
	return r.goOn(w)
}

func (r *run) checkPositions(ctx context.Context, all []work, starts map[format.TopicPartition]int64) error {
	captured := map[format.TopicPartition]reached{}
	for _, w := range all {
		if w.from > starts[w.tp] {
			captured[w.tp] = reached{next: w.from, epoch: w.epoch, sure: w.sure}
		}
	}
	if len(captured) == 0 {
		return nil
	}
	c := r.cluster.within(briefly)
	highs, err := c.Offsets(ctx, sortedPartitions(captured), kafka.HighWatermark)
	if err != nil {
		return err
	}
	return c.checkReached(ctx, captured, highs)
}

// plannedStarts is where a plan has partitions begin.
func plannedStarts(p *origin.Plan) map[format.TopicPartition]int64 {
	starts := make(map[format.TopicPartition]int64, len(p.Partitions))
	for _, r := range p.Partitions {
		starts[format.TopicPartition{Topic: r.Topic, Partition: r.Partition}] = r.Start
	}
	return starts
}
