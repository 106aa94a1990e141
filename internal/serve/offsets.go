package serve

import (
	"context"
	"io"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/saturating"
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
	others.Topics = answerServed(c, m.Topics, func(rt *kmsg.ListOffsetsRequestTopic) string { return rt.Topic },
		func(t *topic, rt *kmsg.ListOffsetsRequestTopic) {
			st := kmsg.NewListOffsetsResponseTopic()
			st.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				st.Partitions = append(st.Partitions, c.listed(ctx, t.partition(rp.Partition), &rp, m.Version))
			}
			response.Topics = append(response.Topics, st)
		})
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
	if p != nil && version == 0 { // offsets of segments, newest first
		sp.OldStyleOffsets = []int64{p.watermark()}
		if rp.Timestamp == earliest {
			sp.OldStyleOffsets[0] = p.first()
		}
		return sp
	}
	found, code := c.find(p, rp.CurrentLeaderEpoch, func() (point, error) { return c.offset(ctx, p, rp.Timestamp) })
	sp.ErrorCode, sp.Offset, sp.Timestamp, sp.LeaderEpoch = code, found.offset, found.ms, found.epoch
	return sp
}

// answerServed has answer called with what is asked of topics that are served, and returns the others, which the embedded broker knows.
func answerServed[T any](c *conn, asked []T, name func(*T) string, answer func(*topic, *T)) (others []T) {
	for i := range asked {
		if t := c.topics.byName[name(&asked[i])]; t != nil {
			answer(t, &asked[i])
		} else {
			others = append(others, asked[i])
		}
	}
	return others
}

// find is what look finds in a partition, of which a client knows an epoch; nil is one that is not served. With an error code it is nowhere.
func (c *conn) find(p *partition, known int32, look func() (point, error)) (point, int16) {
	if p == nil {
		return nowhere, kerr.UnknownTopicOrPartition.Code
	}
	if code := p.refuse(p.first(), known); code != 0 {
		return nowhere, code
	}
	found, err := following(p, look)
	if err != nil {
		c.cache.failed(&block{partition: p, lo: p.first()}, err)
		return nowhere, readError(err)
	}
	return found, 0
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
		return point{p.watermark(), unknownTime, p.epoch}, nil
	case timestamp == earliest || timestamp == earliestLocal:
		return point{p.first(), unknownTime, p.epoch}, nil
	case timestamp == latestTime:
		return c.newest(ctx, p)
	case timestamp < firstTimestamp:
		return nowhere, nil
	}
	return c.since(ctx, p, timestamp)
}

// since is the first record that can be read whose timestamp is not before one.
func (c *conn) since(ctx context.Context, p *partition, timestamp int64) (found point, err error) {
	from, err := p.roundOf(timestamp)
	if err != nil {
		return nowhere, err
	}
	found = nowhere
	p.rounds(from, func(s stretch) bool {
		asked := timestamp - s.shiftMs()
		err = c.scan(ctx, s, func(g *format.RowGroup) bool { return g.MaxTimestampMs >= asked }, func(r *format.Record) bool {
			if r.TimestampMs >= asked {
				found = s.point(r)
			}
			return found == nowhere
		})
		return found == nowhere && err == nil
	})
	return found, err
}

// roundOf is the first round that may have a record whose timestamp is not before one.
func (p *partition) roundOf(timestamp int64) (int64, error) {
	last := p.lastRound()
	if last == 0 {
		return 0, nil
	}
	latest := int64(unknownTime)
	err := p.groups(func(g *format.Place) (bool, error) {
		latest = max(latest, g.Group().MaxTimestampMs)
		return true, nil
	})
	behind := saturating.Distance(latest, timestamp)
	return min(behind/max(p.shiftMs.Load(), 1), last), err
}

// newest is the first of the records with the highest timestamp that can be read.
func (c *conn) newest(ctx context.Context, p *partition) (found point, err error) {
	found = nowhere
	p.rounds(max(p.lastRound()-1, 0), func(s stretch) bool {
		highest := found.ms - s.shiftMs()
		err = c.scan(ctx, s, func(g *format.RowGroup) bool { return g.MaxTimestampMs > highest }, func(r *format.Record) bool {
			if r.TimestampMs > highest {
				highest, found = r.TimestampMs, s.point(r)
			}
			return true
		})
		return err == nil
	})
	return found, err
}

// point is where a record is, as it is served.
func (s *stretch) point(r *format.Record) point {
	if s.round == 0 {
		return point{r.Offset, r.TimestampMs, r.LeaderEpoch}
	}
	return point{s.served(r.Offset), saturating.Add(r.TimestampMs, s.shiftMs()), s.partition.epoch}
}

// groups calls do with the row groups of what is served of a partition until it returns false.
func (p *partition) groups(do func(*format.Place) (bool, error)) error {
	window := p.source.Window
	window.FromOffset = p.first()
	walk := p.source.Archive.Walk(p.tp, window)
	for {
		at, err := walk.Next()
		if err == io.EOF || err == nil && at.Group().FirstOffset >= p.end {
			return nil
		}
		if err != nil {
			return err
		}
		if more, err := do(&at); err != nil || !more {
			return err
		}
	}
}

// scan calls do with the records of a stretch until it returns false, and decodes only row groups that may have what is looked for.
func (c *conn) scan(ctx context.Context, s stretch, may func(*format.RowGroup) bool, do func(*format.Record) bool) error {
	return s.partition.groups(func(at *format.Place) (bool, error) {
		switch g := at.Group(); {
		case g.FirstOffset >= s.until:
			return false, nil
		case !may(g):
			return true, nil
		}
		return c.look(ctx, s.partition, at, s.until, do)
	})
}

func (c *conn) look(ctx context.Context, p *partition, at *format.Place, until int64, do func(*format.Record) bool) (more bool, err error) {
	var d *decoder
	select {
	case d = <-c.cache.decoders:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	defer func() { c.cache.decoders <- d }()
	records, err := p.read(&place{Place: *at}, d)
	for i := range records {
		if records[i].Offset >= until || !do(&records[i]) {
			return false, nil
		}
	}
	return true, err
}
