package capture

import (
	"context"
	"fmt"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/position"
)

// starts are the first offsets that the archive covers or will cover.
func (p *planner) starts(ctx context.Context, tps []format.TopicPartition, logs map[format.TopicPartition]offsets) (map[format.TopicPartition]int64, error) {
	starts := map[format.TopicPartition]int64{}
	if p.stored != nil {
		for _, r := range p.stored.Partitions {
			starts[format.TopicPartition{Topic: r.Topic, Partition: r.Partition}] = r.Start
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(tps), func(tp format.TopicPartition) bool { _, ok := starts[tp]; return ok })
	from := p.settings.from
	if p.stored != nil && (from.Kind == position.End || from.Relative) {
		// The position was resolved when the archive began, before this partition was there: all of it came after.
		from = position.Position{}
	}
	found, err := p.resolve(ctx, from, fresh, logs)
	if err != nil {
		return nil, err
	}
	for tp, o := range found {
		if p.settings.Follow && o > logs[tp].high {
			return nil, fmt.Errorf("%s ends at offset %d: a follow capture cannot begin at %d", tp, logs[tp].high, o)
		}
		starts[tp] = o
	}
	return starts, nil
}

// ends are the first offsets that this capture leaves out. It may be before the start.
func (p *planner) ends(ctx context.Context, tps []format.TopicPartition, logs map[format.TopicPartition]offsets) (map[format.TopicPartition]int64, error) {
	if p.settings.Follow {
		ends := make(map[format.TopicPartition]int64, len(tps))
		for _, tp := range tps {
			ends[tp] = noEnd
		}
		return ends, nil
	}
	ends, err := p.resolve(ctx, p.settings.until, tps, logs)
	for tp, o := range ends {
		ends[tp] = min(o, logs[tp].end)
	}
	return ends, err
}

// resolve turns a position into an offset of each partition.
func (p *planner) resolve(ctx context.Context, at position.Position, tps []format.TopicPartition, logs map[format.TopicPartition]offsets) (map[format.TopicPartition]int64, error) {
	if len(tps) == 0 {
		return nil, nil
	}
	if at.Kind == position.Time {
		return p.cluster.offsetsAt(ctx, tps, at.Ms)
	}
	found := make(map[format.TopicPartition]int64, len(tps))
	for _, tp := range tps {
		switch at.Kind {
		case position.End:
			found[tp] = logs[tp].end
		case position.Offset:
			found[tp] = at.Offset
		default:
			found[tp] = logs[tp].start
		}
	}
	return found, nil
}
