package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/selection"
)

// RestoreOptions say which groups RestoreGroups sets, and where.
type RestoreOptions struct {
	Select         []string        // names and globs of groups that the archive keeps; each must take one. Empty: all
	Topics         []string        // names and globs of topics of the archive; empty: all
	Mapping        routing.Mapping // renames topics
	DryRun         bool            // says where they would be, and sets nothing
	ConnectTimeout time.Duration   // bounds the first contact with the cluster; 0: 10 seconds
}

// RestoreGroups sets consumer groups in a cluster that has the records already, by another way than a replay. All that it goes by is time: a
// group goes on at the first record that is not older than the next one which it would have read. So no position is exact. When timestamps are
// not in order, or were given anew in the target, records may be read twice or missed. Where the archive lacks what the group would have read
// next, it goes on at the last record before that, or at the start of the log.
//
// Nothing is set when a group has members in the target: the error is then a *RefusedError. One that wraps ErrGroups says which groups
// could not be set; the positions say which were.
func RestoreGroups(ctx context.Context, connect []kgo.Opt, archive *format.Archive, o RestoreOptions) ([]GroupPosition, error) {
	options.Default(&o.ConnectTimeout, defaultConnectTimeout)
	if len(o.Select) == 0 {
		o.Select = []string{"*"}
	}
	groups, err := keptGroups(archive, o.Select, func(tp format.TopicPartition) bool {
		return len(o.Topics) == 0 || selection.MatchesAny(o.Topics, tp.Topic)
	})
	if err != nil {
		return nil, err
	}
	target, err := connectTo(ctx, connect, o.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	r := &restoration{archive: archive, target: target, options: &o, times: map[GroupSource]restoredAt{}}
	positions, err := r.positions(ctx, groups)
	if err != nil || o.DryRun {
		return positions, err
	}
	return positions, commitGroups(ctx, target.Cluster, positions, groups)
}

// restoration finds positions by time.
type restoration struct {
	archive *format.Archive
	target  *cluster
	options *RestoreOptions
	times   map[GroupSource]restoredAt
}

// positions are those of all groups, by group, topic and partition.
func (r *restoration) positions(ctx context.Context, groups []origin.Group) ([]GroupPosition, error) {
	if err := r.check(ctx, groups); err != nil {
		return nil, err
	}
	var all []GroupPosition
	for i := range groups {
		of, err := r.group(&groups[i])
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	if err := r.ask(ctx, all); err != nil {
		return nil, err
	}
	return all, noteBefore(ctx, r.target.Cluster, all, func(string) bool { return true })
}

// check refuses topics that are missing and groups that have members.
func (r *restoration) check(ctx context.Context, groups []origin.Group) error {
	var topics []string
	for i := range groups {
		for _, t := range groups[i].Topics {
			topics = append(topics, t.Topic)
		}
	}
	targets, err := r.options.Mapping.Topics(topics)
	if err != nil {
		return err
	}
	if err := r.target.lookUp(ctx, targets); err != nil {
		return err
	}
	missing := slices.DeleteFunc(targets, func(name string) bool { return r.target.topics[name].exists })
	if len(missing) > 0 {
		return &MissingTopicsError{Cluster: r.target.id, Topics: missing}
	}
	refusing, err := busyGroups(ctx, r.target.Cluster, groups)
	if len(refusing) > 0 {
		return &RefusedError{Findings: refusing, groups: true}
	}
	return err
}

func (r *restoration) group(g *origin.Group) ([]GroupPosition, error) {
	var out []GroupPosition
	placed := make(map[format.TopicPartition]bool)
	for at := range g.All {
		topic, err := r.options.Mapping.Topic(at.Topic)
		if err != nil {
			return nil, err
		}
		if n := r.target.topics[topic].partitions; at.Partition >= n {
			return nil, fmt.Errorf("group %s was in %s, and topic %s has %d partitions", g.ID, partitionOf(at), topic, n)
		}
		from := GroupSource{at.Topic, at.Partition, at.Offset}
		if err := r.time(from); err != nil {
			return nil, fmt.Errorf("group %s in %s: %w", g.ID, partitionOf(at), err)
		}
		to := GroupPosition{Group: g.ID, From: []GroupSource{from}, Topic: topic, Partition: from.Partition, Lacking: r.times[from].lacking}
		if placed[to.target()] {
			return nil, fmt.Errorf("group %s was in two topics that become %s: by time alone it cannot be in both", g.ID, topic)
		}
		placed[to.target()] = true
		out = append(out, to)
	}
	return out, nil
}

// ask asks the target for the offsets at the times.
func (r *restoration) ask(ctx context.Context, all []GroupPosition) error {
	byTime := make(map[kafka.Point][]format.TopicPartition)
	for i := range all {
		at := r.times[all[i].From[0]].at
		byTime[at] = append(byTime[at], format.TopicPartition{Topic: all[i].Topic, Partition: all[i].Partition})
	}
	found := make(map[kafka.Point]map[format.TopicPartition]int64)
	var ends []format.TopicPartition
	for _, at := range slices.Sorted(maps.Keys(byTime)) {
		tps := byTime[at]
		slices.SortFunc(tps, format.TopicPartition.Compare)
		tps = slices.Compact(tps)
		offsets, err := r.target.Offsets(ctx, tps, at)
		if err != nil {
			return err
		}
		found[at], ends = offsets, append(ends, tps...)
	}
	slices.SortFunc(ends, format.TopicPartition.Compare)
	end, err := r.target.Offsets(ctx, slices.Compact(ends), kafka.HighWatermark)
	for i := range all {
		tp := format.TopicPartition{Topic: all[i].Topic, Partition: all[i].Partition}
		if all[i].Offset = found[r.times[all[i].From[0]].at][tp]; all[i].Offset < 0 {
			all[i].Offset = end[tp]
		}
	}
	return err
}
