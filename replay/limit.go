package replay

import (
	"context"
	"fmt"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/merge"
)

// share is what a Limit leaves of a partition.
type share struct {
	window format.Selection
	total  Amount
}

// shares says which records of the partitions are the first limit ones, merged by time. It is a function of the archive and the
// options alone, so that a replay that goes on chooses the same ones.
func (p *planner) shares(ctx context.Context) (map[format.TopicPartition]share, error) {
	if p.Limit == 0 {
		return nil, nil
	}
	partitions := p.selected.all
	out := make(map[format.TopicPartition]share, len(partitions))
	var tracks []merge.Track
	for _, tp := range partitions {
		out[tp] = share{window: p.window, total: Amount{Exact: true}}
		tracks = append(tracks, p.rules.track(p.archive, tp, p.window, 1, nil))
	}
	sequence := merge.New(ctx, tracks, p.merging())
	defer sequence.Close()
	for n := int64(0); n < p.Limit && ctx.Err() == nil; n++ {
		next, err := sequence.Next()
		if err == io.EOF || ctx.Err() != nil {
			break
		}
		tp := partitions[next.Partition]
		if err != nil {
			return nil, fmt.Errorf("limit: %s: %w", tp, err)
		}
		out[tp] = out[tp].with(taken(next))
	}
	return out, ctx.Err()
}

// taken returns the record of a pick, and gives a run back with its last one.
func taken(p merge.Pick) *format.Record {
	if n := len(p.Run.Records); p.Index == n-1 {
		p.Run.Done(n)
	}
	return p.Record()
}

// with is the share and the next record of its partition.
func (s share) with(r *format.Record) share {
	s.window.UntilOffset = r.Offset + 1
	s.total.add(Amount{Records: 1, Bytes: format.CanonicalSize(r), Exact: true, MinTimestampMs: r.TimestampMs, MaxTimestampMs: r.TimestampMs})
	return s
}
