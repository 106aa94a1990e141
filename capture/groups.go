package capture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/selection"
)

// groups asks how far the selected consumer groups are in tps; nil when none are selected. Ends are asked for afterwards, so that no group is
// ahead of them but by a commit of what does not exist.
func (c *cluster) groups(ctx context.Context, tps []format.TopicPartition, s *settings) (*origin.Groups, error) {
	if len(s.Groups) == 0 {
		return nil, nil
	}
	listed, err := c.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(slices.Collect(maps.Keys(listed)), func(id string) bool { return !selection.MatchesAnyGroup(s.Groups, id) })
	names = append(names, slices.DeleteFunc(slices.Clone(s.Groups), selection.IsGlob)...)
	slices.Sort(names)
	names = slices.Compact(names)
	tps = slices.SortedFunc(slices.Values(tps), format.TopicPartition.Compare)
	kept := &origin.Groups{TakenAt: s.Now().UTC().Format(time.RFC3339)}
	groups, errs := make([]origin.Group, len(names)), make([]error, len(names))
	err = kafka.EachGroup(ctx, len(names), func(i int) { groups[i], errs[i] = c.group(ctx, names[i], listed, tps) })
	if err != nil {
		return nil, err
	}
	ends, err := c.Offsets(ctx, tps, kafka.HighWatermark)
	if err != nil {
		return nil, err
	}
	for _, tp := range tps {
		kept.AddEnd(origin.End{Topic: tp.Topic, Partition: tp.Partition, Offset: ends[tp]})
	}
	for i, id := range names {
		_, there := listed[id]
		keepGroup(kept, groups[i], there, errs[i])
	}
	return kept, nil
}

// group asks about one group, and keeps what it is told in columns: there may be a thousand groups with a thousand offsets each.
func (c *cluster) group(ctx context.Context, id string, listed map[string]kafka.ListedGroup, tps []format.TopicPartition) (origin.Group, error) {
	g := origin.Group{ID: utf8Text(id), State: utf8Text(listed[id].State), ProtocolType: utf8Text(listed[id].ProtocolType)}
	found, err := c.Committed(ctx, id, tps)
	for _, tp := range tps {
		if o, ok := found[tp]; ok {
			g.Add(origin.GroupOffset{Topic: tp.Topic, Partition: tp.Partition, Offset: o.Offset, LeaderEpoch: max(o.LeaderEpoch, format.NoLeaderEpoch), Metadata: utf8Text(o.Metadata)})
		}
	}
	return g, err
}

// keepGroup adds a group, unless it has no offset. One that was named and is not there, or that cannot be read, is noted.
func keepGroup(kept *origin.Groups, g origin.Group, there bool, err error) {
	switch {
	case err != nil:
		kept.Unread = append(kept.Unread, origin.UnreadGroup{ID: g.ID, Reason: utf8Text(err.Error())})
	case len(g.Topics) > 0:
		kept.Groups = append(kept.Groups, g)
	case !there:
		kept.Unread = append(kept.Unread, origin.UnreadGroup{ID: g.ID, Reason: "the cluster does not list it"})
	}
}

// utf8Text is text that JSON can hold. Kafka's own is always UTF-8.
func utf8Text(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// noteGroups makes groups the archive's, in the place of those that it had. Nil leaves them.
func noteGroups(a *format.Archive, groups *origin.Groups) error {
	if groups == nil {
		return nil
	}
	err := amend(a, func(id *format.Identity) error {
		id.Groups = groups
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the groups: %w", err)
	}
	return nil
}

// takeGroupsAgain asks once more at the end of a follow capture: what counts is where the groups are in the end. Those of the start stay when that
// does not work out.
func (r *run) takeGroupsAgain(ctx context.Context) {
	if !r.settings.Follow || len(r.settings.Groups) == 0 {
		return
	}
	// The context of a follow capture has usually ended when it is at its end.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.settings.ConnectTimeout)
	defer cancel()
	groups, err := r.cluster.within(r.settings.ConnectTimeout).groups(limited, r.planned(), r.settings)
	if err == nil {
		err = noteGroups(r.archive, groups)
	}
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.warnings = append(r.warnings, fmt.Sprintf("groups are those of the start of the capture, and not of its end: %v", err))
	}
}

// planned are all partitions that are captured, by this run or by others, and of which the cluster has told.
func (r *run) planned() []format.TopicPartition {
	starts := plannedStarts(r.archive.Identity().Capture)
	return slices.DeleteFunc(sortedPartitions(starts), func(tp format.TopicPartition) bool { return !r.source.knows(tp) })
}

// reportGroups says what the archive has of groups now, if this run asked for them.
func (r *run) reportGroups(sum *Report) {
	groups := r.archive.Identity().Groups
	if len(r.settings.Groups) == 0 || groups == nil {
		return
	}
	sum.Groups, sum.UnreadGroups = len(groups.Groups), groups.Unread
	for _, u := range groups.Unread {
		sum.Warnings = append(sum.Warnings, fmt.Sprintf("group %s is not kept: %s", u.ID, u.Reason))
	}
}
