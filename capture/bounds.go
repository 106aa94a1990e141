package capture

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/selection"
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
	from := p.settings.From
	if p.stored != nil && from.IsRelative() {
		// The position was resolved when the archive began, before this partition was there: all of it came after.
		from = selection.Beginning
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
	ends, err := p.resolve(ctx, p.settings.Until.Or(selection.End), tps, logs)
	for tp, o := range ends {
		ends[tp] = min(o, logs[tp].end)
	}
	return ends, err
}

// resolve turns a position into an offset of each partition.
func (p *planner) resolve(ctx context.Context, at selection.Position, tps []format.TopicPartition, logs map[format.TopicPartition]offsets) (map[format.TopicPartition]int64, error) {
	if len(tps) == 0 {
		return nil, nil
	}
	if back, ok := at.BeforeEnd(); ok {
		newest, err := p.newest(ctx, slices.Collect(maps.Keys(logs)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		at = selection.AtTime(newest.Add(-back))
	}
	if ms, ok := at.TimestampMs(p.settings.Now()); ok {
		return p.cluster.offsetsAt(ctx, tps, ms)
	}
	found := make(map[format.TopicPartition]int64, len(tps))
	for _, tp := range tps {
		found[tp] = logs[tp].start
		if n, ok := at.Offset(); ok {
			found[tp] = n
		}
		if at.IsEnd() {
			found[tp] = logs[tp].end
		}
	}
	return found, nil
}

// newest is the latest timestamp of any of the partitions.
func (p *planner) newest(ctx context.Context, tps []format.TopicPartition) (time.Time, error) {
	newest, err := p.cluster.Newest(ctx, tps)
	if err != nil {
		return time.Time{}, err
	}
	latest := int64(format.NoTimestamp)
	for _, ms := range newest {
		latest = max(latest, ms)
	}
	if latest == format.NoTimestamp {
		return time.Time{}, errors.New("there is no record with a timestamp that it could count back from")
	}
	return time.UnixMilli(latest), nil
}
