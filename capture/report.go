package capture

import (
	"time"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// StopReason says why a follow capture ended.
type StopReason string

// The reasons of a follow capture's end. A snapshot ends when it is complete and has none.
const (
	StoppedByContext  StopReason = "interrupted"
	StoppedByRecords  StopReason = "records"
	StoppedByBytes    StopReason = "bytes"
	StoppedByDuration StopReason = "duration"
)

// Report is what one run captured. What earlier runs put into the archive is not in it.
type Report struct {
	Follow   bool          `json:"follow"`
	Resumed  bool          `json:"resumed"`           // it finished a snapshot that was interrupted, up to the end that one had planned
	Stopped  StopReason    `json:"stopped,omitempty"` // why a follow capture ended
	Elapsed  time.Duration `json:"elapsed_ns"`
	Totals                 // over all partitions
	Topics   []TopicReport `json:"topics"` // sorted by name
	Warnings []string      `json:"warnings,omitempty"`
	// Overtaken is how many segments were dropped because another capture of the same archive had sealed them first; their records were
	// fetched twice, and are in the archive once.
	Overtaken int `json:"overtaken,omitempty"`
	// Dropped is how many records were fetched and not sealed: in those segments, in partitions that a Member lost, and at the end of a snapshot that
	// was interrupted. Whoever goes on fetches them again.
	Dropped int64 `json:"dropped,omitempty"`
	// Handed is what a Member got and gave up; nil: the capture was none.
	Handed *group.Handed `json:"handed,omitempty"`

	Groups       int                  `json:"groups,omitempty"`        // kept, with an offset in a captured partition
	UnreadGroups []origin.UnreadGroup `json:"unread_groups,omitempty"` // asked for and not kept

	requireHW bool
}

// Totals are sums over segments that were sealed.
type Totals struct {
	Records        int64         `json:"records"`
	Bytes          int64         `json:"bytes"`      // canonical bytes of the records
	DiskBytes      int64         `json:"disk_bytes"` // of the segment files
	Segments       int           `json:"segments"`
	Gaps           ledger.Ledger `json:"gaps"` // its ranges are those of one partition; sums have none
	MinTimestampMs int64         `json:"min_timestamp_ms"`
	MaxTimestampMs int64         `json:"max_timestamp_ms"` // both format.NoTimestamp when there is no record
	Behind         int64         `json:"behind"`           // offsets below the high watermark that open transactions held back
}

// TopicReport is the part of one topic.
type TopicReport struct {
	Topic string `json:"topic"`
	Totals
	Partitions []PartitionReport `json:"partitions"` // by number
}

// PartitionReport is the part of one partition: the offsets [Start, Next) are sealed.
type PartitionReport struct {
	Partition int32 `json:"partition"`
	Start     int64 `json:"start"`
	Next      int64 `json:"next"`
	End       int64 `json:"end"` // planned; -1 in a follow capture
	Totals
}

// Lost is the number of offsets whose records were gone before they were captured. They are in the archive as gaps.
func (r *Report) Lost() int64 { return r.Gaps.Lost() }

// Incomplete says that the capture finished, but something was lost, or left out that Options.RequireHW asks for, or a group is not kept that was
// asked for.
func (r *Report) Incomplete() bool {
	return r.Lost() > 0 || r.requireHW && r.Behind > 0 || len(r.UnreadGroups) > 0
}

// noTotals is the sum of nothing.
func noTotals() Totals {
	return Totals{MinTimestampMs: format.NoTimestamp, MaxTimestampMs: format.NoTimestamp}
}

// add counts a sealed segment.
func (r *PartitionReport) add(s format.Segment, d *format.Document) {
	r.Next = d.NextOffset
	gaps := d.Ledger()
	r.Gaps.Add(&gaps)
	t := noTotals()
	t.Records, t.Bytes, t.DiskBytes, t.Segments = d.Records, d.Bytes, s.Size, 1
	for i := range d.Groups {
		t.widen(d.Groups[i].MinTimestampMs, d.Groups[i].MaxTimestampMs, i == 0)
	}
	r.Totals.add(&t)
}

// widen makes the time range include [low, high].
func (t *Totals) widen(low, high int64, first bool) {
	if first {
		t.MinTimestampMs, t.MaxTimestampMs = low, high
		return
	}
	t.MinTimestampMs = min(t.MinTimestampMs, low)
	t.MaxTimestampMs = max(t.MaxTimestampMs, high)
}

func (t *Totals) add(o *Totals) {
	if o.Records > 0 {
		t.widen(o.MinTimestampMs, o.MaxTimestampMs, t.Records == 0)
	}
	t.Records += o.Records
	t.Bytes += o.Bytes
	t.DiskBytes += o.DiskBytes
	t.Segments += o.Segments
	t.Behind += o.Behind
	t.Gaps.AddCounts(&o.Gaps)
}

// addPartition puts a partition, the last one by topic and number so far, into the report.
func (r *Report) addPartition(topic string, p *PartitionReport) {
	if n := len(r.Topics); n == 0 || r.Topics[n-1].Topic != topic {
		r.Topics = append(r.Topics, TopicReport{Topic: topic, Totals: noTotals()})
	}
	t := &r.Topics[len(r.Topics)-1]
	t.Partitions = append(t.Partitions, *p)
	t.Totals.add(&p.Totals)
	r.Totals.add(&p.Totals)
}
