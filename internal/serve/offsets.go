package serve

import (
	"context"
	"io"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// Timestamps of ListOffsets that stand for something else.
const (
	latest         = -1
	earliest       = -2
	latestTime     = -3
	earliestLocal  = -4
	latestTiered   = -5
	unknownOffset  = -1
	unknownTime    = -1
	firstTimestamp = 0
)

func (c *conn) listOffsets(ctx context.Context, r *request, m *kmsg.ListOffsetsRequest) error {
	response := m.ResponseKind().(*kmsg.ListOffsetsResponse)
	others := *m
	others.Topics = nil
	for _, rt := range m.Topics {
		t := c.topics.byName[rt.Topic]
		if t == nil {
			others.Topics = append(others.Topics, rt)
			continue
		}
		st := kmsg.NewListOffsetsResponseTopic()
		st.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			st.Partitions = append(st.Partitions, c.listed(ctx, t.partition(rp.Partition), &rp, m.Version))
		}
		response.Topics = append(response.Topics, st)
	}
	if len(others.Topics) > 0 {
		answered, err := c.ask(ctx, &others)
		if err != nil {
			return err
		}
		response.Topics = append(response.Topics, answered.(*kmsg.ListOffsetsResponse).Topics...)
	}
	return c.reply(r, response)
}

func (c *conn) listed(ctx context.Context, p *partition, rp *kmsg.ListOffsetsRequestTopicPartition, version int16) kmsg.ListOffsetsResponseTopicPartition {
	sp := kmsg.NewListOffsetsResponseTopicPartition()
	sp.Partition = rp.Partition
	switch {
	case p == nil:
		sp.ErrorCode = kerr.UnknownTopicOrPartition.Code
		return sp
	case version == 0: // offsets of segments, newest first
		sp.OldStyleOffsets = []int64{p.end}
		if rp.Timestamp == earliest {
			sp.OldStyleOffsets[0] = p.start
		}
		return sp
	}
	if sp.ErrorCode = p.refuse(p.start, rp.CurrentLeaderEpoch); sp.ErrorCode != 0 {
		return sp
	}
	found, err := c.offset(ctx, p, rp.Timestamp)
	if err != nil {
		c.cache.failed(&block{partition: p, lo: p.start}, err)
		sp.ErrorCode = readError(err)
		return sp
	}
	sp.Offset, sp.Timestamp, sp.LeaderEpoch = found.offset, found.ms, found.epoch
	return sp
}

// point is where a timestamp leads.
type point struct {
	offset, ms int64
	epoch      int32
}

var nowhere = point{unknownOffset, unknownTime, format.NoLeaderEpoch}

func (c *conn) offset(ctx context.Context, p *partition, timestamp int64) (point, error) {
	switch {
	case timestamp == latest:
		return point{p.end, unknownTime, p.epoch}, nil
	case timestamp == earliest || timestamp == earliestLocal:
		return point{p.start, unknownTime, p.epoch}, nil
	case timestamp == latestTime:
		return c.newest(ctx, p)
	case timestamp < firstTimestamp:
		return nowhere, nil
	}
	return c.first(ctx, p, func(g *format.RowGroup) bool { return g.MaxTimestampMs >= timestamp }, func(r *format.Record) bool { return r.TimestampMs >= timestamp })
}

// first is the first visible record for which is holds. Row groups for which may does not hold have none.
func (c *conn) first(ctx context.Context, p *partition, may func(*format.RowGroup) bool, is func(*format.Record) bool) (point, error) {
	found := nowhere
	err := c.scan(ctx, p, may, func(r *format.Record) bool {
		if !is(r) {
			return true
		}
		found = point{r.Offset, r.TimestampMs, r.LeaderEpoch}
		return false
	})
	return found, err
}

// newest is the first of the records with the highest timestamp.
func (c *conn) newest(ctx context.Context, p *partition) (point, error) {
	found := nowhere
	err := c.scan(ctx, p, func(g *format.RowGroup) bool { return g.MaxTimestampMs > found.ms }, func(r *format.Record) bool {
		if r.TimestampMs > found.ms {
			found = point{r.Offset, r.TimestampMs, r.LeaderEpoch}
		}
		return true
	})
	return found, err
}

// scan calls do with visible records until it returns false, and decodes only row groups that may have what is looked for.
func (c *conn) scan(ctx context.Context, p *partition, may func(*format.RowGroup) bool, do func(*format.Record) bool) error {
	visible := p.end
	window := p.source.Window
	window.FromOffset = p.start
	walk := p.source.Archive.Walk(p.tp, window)
	for p.start < visible {
		at, err := walk.Next()
		if err == io.EOF || err == nil && at.Group().FirstOffset >= visible {
			return nil
		}
		if err != nil {
			return err
		}
		if !may(at.Group()) {
			continue
		}
		more, err := c.look(ctx, p, &at, visible, do)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (c *conn) look(ctx context.Context, p *partition, at *format.Place, visible int64, do func(*format.Record) bool) (more bool, err error) {
	var d *decoder
	select {
	case d = <-c.cache.decoders:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	defer func() { c.cache.decoders <- d }()
	records, err := p.read(&place{Place: *at}, d)
	for i := range records {
		if records[i].Offset >= visible || !do(&records[i]) {
			return false, nil
		}
	}
	return true, err
}
