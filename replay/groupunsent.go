package replay

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// unsent finds an offset of a group before what the replay sends of its partition. A topic that is made has no records there.
func (m *groupMoves) unsent(g *origin.Group, j *job, plan *Plan) (*Finding, error) {
	for at := range g.All {
		t, tp := plan.topic(at.Topic), partitionOf(at)
		if t == nil || t.Create {
			continue
		}
		first, err := firstSent(j.archive, tp, t)
		if err != nil {
			return nil, err
		}
		if at.Offset >= first {
			continue
		}
		nothing, err := nothingFrom(j.archive, tp, at.Offset, first)
		if err != nil {
			return nil, err
		}
		if nothing {
			continue
		}
		return &Finding{
			Code: "group-unsent", Severity: warn, Topic: t.Target,
			What:        fmt.Sprintf("group %s had read %s up to offset %d, and what is sent begins at %d", g.ID, tp, at.Offset, first),
			Consequence: "it misses what lies between, if the target has that already",
			Fix:         "replay from the group's offset on",
		}, nil
	}
	return nil, nil
}

// firstSent is the offset of the first record of a partition that is sent, or of its row group where the selection is by time; where nothing is
// sent, the end that the partition had.
func firstSent(archive *format.Archive, tp format.TopicPartition, t *PlannedTopic) (int64, error) {
	i := slices.IndexFunc(t.Partitions, func(p PlannedPartition) bool { return p.Partition == tp.Partition })
	if i < 0 {
		return endOf(archive, tp), nil
	}
	window := t.Partitions[i].window
	p, err := archive.Walk(tp, window).Next()
	if err == io.EOF {
		return endOf(archive, tp), nil
	}
	if err != nil {
		return 0, err
	}
	return max(p.Group().FirstOffset, window.FromOffset), nil
}

// nothingFrom says that the source had no record from an offset up to another: the archive answers for all of them, and has none.
func nothingFrom(archive *format.Archive, tp format.TopicPartition, from, until int64) (bool, error) {
	c, err := archive.Coverage(tp)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !answers(&c, from, until) {
		return false, err
	}
	at, _, err := firstRecord(archive, tp, from)
	if err == io.EOF {
		return true, nil
	}
	return err == nil && at >= until, err
}
