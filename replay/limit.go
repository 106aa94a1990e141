package replay

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"io"
	"math"

	"github.com/karchive/karchive/format"
)

// share is what a Limit leaves of a partition.
type share struct {
	window format.Window
	total  Amount
}

// shares says which records of the partitions are the first limit ones, merged by time. It is a function of the archive and the
// options alone, so that a replay that goes on chooses the same ones. Of a row group it keeps 24 bytes a record.
func (s *settings) shares(ctx context.Context, archive *format.Archive, partitions []format.TopicPartition) (map[format.TopicPartition]share, error) {
	if s.Limit == 0 {
		return nil, nil
	}
	merged := &merge{}
	defer merged.close()
	out := make(map[format.TopicPartition]share, len(partitions))
	for i, tp := range partitions {
		out[tp] = share{window: s.window, total: Amount{Exact: true}}
		h := &head{settings: s, tp: tp, rank: i, cursor: archive.Cursor(tp, s.window), due: math.MinInt64}
		merged.heads = append(merged.heads, h)
		if err := h.load(); err != nil && err != io.EOF {
			return nil, fmt.Errorf("limit: %s: %w", tp, err)
		}
	}
	merged.heads = merged.unfinished()
	heap.Init(merged)
	for n := int64(0); n < s.Limit && merged.Len() > 0; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := merged.take(out); err != nil {
			return nil, fmt.Errorf("limit: %w", err)
		}
	}
	return out, nil
}

// head is a partition in a merge, at the next record to take.
type head struct {
	settings *settings
	tp       format.TopicPartition
	rank     int // of the partition, to break ties
	cursor   *format.Cursor
	rows     []row
	due      int64 // timestamp by which rows[0] is merged: never before an earlier record of the partition
}

// row is all that the merge needs of a record.
type row struct{ offset, timestampMs, size int64 }

// load makes sure that there is a row, or returns io.EOF.
func (h *head) load() error {
	for len(h.rows) == 0 {
		records, err := h.cursor.Next()
		if err != nil {
			return err
		}
		if records, err = h.settings.reshape(h.tp, records, true); err != nil {
			return err
		}
		h.rows = make([]row, len(records))
		for i := range records {
			h.rows[i] = row{records[i].Offset, records[i].TimestampMs, format.CanonicalSize(&records[i])}
		}
	}
	h.due = max(h.due, h.rows[0].timestampMs)
	return nil
}

// merge is a heap of heads by due time and rank.
type merge struct{ heads []*head }

func (m *merge) Len() int { return len(m.heads) }

func (m *merge) Less(i, j int) bool {
	a, b := m.heads[i], m.heads[j]
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.rank, b.rank)) < 0
}

func (m *merge) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }

func (m *merge) Push(x any) { m.heads = append(m.heads, x.(*head)) }

func (m *merge) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}

// take counts the next record for its partition and moves on.
func (m *merge) take(out map[format.TopicPartition]share) error {
	h := m.heads[0]
	r := h.rows[0]
	h.rows = h.rows[1:]
	taken := out[h.tp]
	taken.window.UntilOffset = r.offset + 1
	taken.total.add(Amount{Records: 1, Bytes: r.size, Exact: true, MinTimestampMs: r.timestampMs, MaxTimestampMs: r.timestampMs})
	out[h.tp] = taken
	switch err := h.load(); err {
	case nil:
		heap.Fix(m, 0)
		return nil
	case io.EOF:
		return heap.Pop(m).(*head).cursor.Close()
	default:
		return fmt.Errorf("%s: %w", h.tp, err)
	}
}

// unfinished closes and drops the heads that have no row.
func (m *merge) unfinished() []*head {
	var rest []*head
	for _, h := range m.heads {
		if len(h.rows) > 0 {
			rest = append(rest, h)
			continue
		}
		h.cursor.Close()
	}
	return rest
}

func (m *merge) close() {
	for _, h := range m.heads {
		h.cursor.Close()
	}
}
