package main

import (
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/selection"
)

// shownGroupsFlag names groups, or stands alone for all of them.
func shownGroupsFlag(to *[]string) cli.Flag {
	set := func(s string) error {
		if *to = append(*to, units.SplitList(s)...); s == "" {
			*to = []string{"*"}
		}
		return selection.CheckGroupGlobs(*to)
	}
	return &cli.GenericFlag{Name: "groups", Usage: "also where consumer groups were, if capture kept them, and their lag then: all, or =GROUPS or a glob such as `'shop-*'`",
		Value: optionalValue{&value{set: set}, selection.IsGlob}}
}

// groupsInfo is what an archive keeps of consumer groups in some of its partitions.
type groupsInfo struct {
	TakenAt string               `json:"taken_at"`
	Offsets []groupOffset        `json:"offsets"`
	Unread  []origin.UnreadGroup `json:"unread"`
}

// groupOffset is where a group was in a partition.
type groupOffset struct {
	Group        string `json:"group"`
	State        string `json:"state"`
	ProtocolType string `json:"protocol_type"`
	Topic        string `json:"topic"`
	Partition    int32  `json:"partition"`
	Offset       int64  `json:"offset"`
	End          int64  `json:"end"` // of the partition at that time
	Lag          int64  `json:"lag"`
	LeaderEpoch  int32  `json:"leader_epoch"`
	Metadata     string `json:"metadata"`
}

// newGroupsInfo is nil for an archive that keeps no groups.
func newGroupsInfo(groups *origin.Groups, partitions []format.TopicPartition, patterns []string) *groupsInfo {
	if groups == nil {
		return nil
	}
	info := &groupsInfo{TakenAt: groups.TakenAt, Offsets: []groupOffset{}, Unread: slices.Concat([]origin.UnreadGroup{}, groups.Unread)}
	shown := map[format.TopicPartition]bool{}
	for _, tp := range partitions {
		shown[tp] = true
	}
	ends := map[format.TopicPartition]int64{}
	for e := range groups.AllEnds {
		ends[format.TopicPartition{Topic: e.Topic, Partition: e.Partition}] = e.Offset
	}
	for i := range groups.Groups {
		g := &groups.Groups[i]
		if !slices.ContainsFunc(patterns, func(p string) bool { return selection.MatchesGroup(p, g.ID) }) {
			continue
		}
		for o := range g.All {
			if tp := (format.TopicPartition{Topic: o.Topic, Partition: o.Partition}); shown[tp] {
				end := ends[tp]
				info.Offsets = append(info.Offsets, groupOffset{g.ID, g.State, g.ProtocolType, o.Topic, o.Partition,
					o.Offset, end, max(0, end-o.Offset), o.LeaderEpoch, o.Metadata})
			}
		}
	}
	return info
}

func (g *groupsInfo) print(w io.Writer) error {
	if g == nil {
		_, err := printable.Fprintf(w, "\nno consumer groups: the archive was captured without --groups\n")
		return err
	}
	printable.Fprintf(w, "\nconsumer groups as of %s\n", g.TakenAt)
	t := newTable(w)
	printable.Fprintf(t, "GROUP\tSTATE\tTOPIC\tPARTITION\tCOMMITTED\tEND\tLAG\n")
	for _, o := range g.Offsets {
		printable.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", o.Group, orNone(o.State), o.Topic, o.Partition, o.Offset, o.End, units.Count(o.Lag))
	}
	for _, u := range g.Unread {
		printable.Fprintf(t, "not kept: group %s: %s\n", u.ID, u.Reason)
	}
	return t.Flush()
}
