package serve

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

func (c *conn) leaderEpochs(ctx context.Context, r *request, m *kmsg.OffsetForLeaderEpochRequest) error {
	response := m.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	others := *m
	others.Topics = answerServed(c, m.Topics, func(rt *kmsg.OffsetForLeaderEpochRequestTopic) string { return rt.Topic },
		func(t *topic, rt *kmsg.OffsetForLeaderEpochRequestTopic) {
			st := kmsg.NewOffsetForLeaderEpochResponseTopic()
			st.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				st.Partitions = append(st.Partitions, c.epochEnd(ctx, t.partition(rp.Partition), &rp))
			}
			response.Topics = append(response.Topics, st)
		})
	if len(others.Topics) > 0 {
		answered, err := c.ask(ctx, &others)
		if err != nil {
			return err
		}
		response.Topics = append(response.Topics, answered.(*kmsg.OffsetForLeaderEpochResponse).Topics...)
	}
	return c.reply(r, response)
}

func (c *conn) epochEnd(ctx context.Context, p *partition, rp *kmsg.OffsetForLeaderEpochRequestTopicPartition) kmsg.OffsetForLeaderEpochResponseTopicPartition {
	sp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
	found, code := c.find(p, rp.CurrentLeaderEpoch, func() (point, error) { return c.endOf(ctx, p, rp.LeaderEpoch) })
	sp.Partition, sp.ErrorCode, sp.LeaderEpoch, sp.EndOffset = rp.Partition, code, found.epoch, found.offset
	return sp
}

// endOf is the largest epoch of the partition that is not above the one asked for, and the offset at which the next one begins.
func (c *conn) endOf(ctx context.Context, p *partition, asked int32) (point, error) {
	switch {
	case asked < 0 || p.epoch < 0 || asked > p.epoch:
		return nowhere, nil
	case asked == p.epoch:
		return point{offset: p.watermark(), epoch: p.epoch}, nil
	}
	from, before, err := p.lastSegmentUpTo(asked)
	if err != nil {
		return nowhere, err
	}
	all := stretch{partition: p, at: p.first(), until: min(p.watermark(), p.end)} // later rounds have the last epoch
	found := point{offset: all.until, epoch: before}
	err = c.scan(ctx, all, func(g *format.RowGroup) bool { return g.LastOffset >= from }, func(r *format.Record) bool {
		if r.LeaderEpoch <= asked {
			found.epoch = max(found.epoch, r.LeaderEpoch)
			return true
		}
		found.offset = r.Offset
		return false
	})
	if found.epoch < 0 {
		found = point{offset: p.first(), epoch: asked}
	}
	return found, err
}

// lastSegmentUpTo is the offset behind the segments that end with the epoch asked for or one below, and the epoch that they end with.
func (p *partition) lastSegmentUpTo(asked int32) (from int64, epoch int32, err error) {
	a := p.source.Archive
	from, epoch = p.first(), format.NoLeaderEpoch
	segments := slices.DeleteFunc(a.Segments(p.tp), func(s format.Segment) bool { return s.Base < p.pruned.Load() })
	_, _ = slices.BinarySearchFunc(segments, asked, func(s format.Segment, asked int32) int {
		d, problem := a.Document(s)
		switch {
		case problem != nil:
			err = problem
			return 1
		case d.LastLeaderEpoch > asked:
			return 1
		}
		if d.NextOffset >= from {
			from, epoch = d.NextOffset, d.LastLeaderEpoch
		}
		return -1
	})
	return from, epoch, err
}
