package main

import (
	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
)

type infoOptions struct {
	archive string
	format  string
}

func infoCommand(e *env) *cli.Command {
	var o infoOptions
	return &cli.Command{
		Name:      "info",
		Usage:     "say what an archive holds",
		ArgsUsage: "ARCHIVE [flags]",
		Description: `Reads footers only, so it is quick whatever the size.

Examples:
  karchive info run1
  karchive info run1 --format json`,
		Flags: []cli.Flag{formatFlag(&o.format)},
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			return runInfo(e, o)
		},
	}
}

func runInfo(e *env, o infoOptions) error {
	a, err := openArchive(o.archive)
	if err != nil {
		return err
	}
	defer a.Close()
	info, err := describe(a, o.archive)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return printJSON(e.stdout, info)
	}
	return info.print(e.text)
}

// archiveInfo is what info prints, and its JSON form.
type archiveInfo struct {
	Archive    string              `json:"archive"`
	Version    string              `json:"version"`
	ArchiveID  string              `json:"archive_id"`
	CreatedBy  string              `json:"created_by"`
	CreatedAt  string              `json:"created_at"`
	Encoding   format.Encoding     `json:"encoding"`
	ClusterID  string              `json:"cluster_id"`
	Capture    *format.CapturePlan `json:"capture,omitempty"`
	Topics     []format.Topic      `json:"topics"`
	Partitions []partitionInfo     `json:"partitions"`
	Total      amounts             `json:"total"`

	Completeness *completeness `json:"completeness"`
}

// partitionInfo is the coverage of one partition.
type partitionInfo struct {
	Topic      string `json:"topic"`
	Partition  int32  `json:"partition"`
	From       int64  `json:"from_offset"`
	Next       int64  `json:"next_offset"`
	PlannedEnd *int64 `json:"planned_end,omitempty"` // where the partition has not got there
	amounts
	Gaps []format.Gap `json:"gaps,omitempty"`
}

// amounts add up over partitions. The timestamps mean nothing without a record.
type amounts struct {
	Segments       int     `json:"segments"`
	Records        int64   `json:"records"`
	Bytes          int64   `json:"bytes"` // canonical
	DiskBytes      int64   `json:"disk_bytes"`
	Ratio          float64 `json:"ratio"` // bytes / disk bytes
	MinTimestampMs int64   `json:"min_timestamp_ms"`
	MaxTimestampMs int64   `json:"max_timestamp_ms"`
	format.Ledger          // without its ranges
}

func describe(a *format.Archive, name string) (*archiveInfo, error) {
	id := a.Identity()
	info := &archiveInfo{Archive: name, Version: id.Version, ArchiveID: id.ArchiveID, CreatedBy: id.CreatedBy, CreatedAt: id.CreatedAt,
		Encoding: id.Encoding, ClusterID: id.ClusterID, Capture: id.Capture, Topics: id.Topics,
		Partitions: []partitionInfo{}, Total: amounts{MinTimestampMs: format.NoTimestamp, MaxTimestampMs: format.NoTimestamp}}
	missing, err := a.Completeness(nil)
	if err != nil {
		return nil, err
	}
	info.Completeness = newCompleteness(missing)
	planned := plannedEnds(missing)
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		if err != nil {
			return nil, err
		}
		p := newPartitionInfo(tp, c)
		if s, ok := planned[tp]; ok && s.From == c.Next {
			p.PlannedEnd = &s.Until
		}
		info.Partitions = append(info.Partitions, p)
		info.Total.add(p.amounts)
	}
	return info, nil
}

// plannedEnds has the last range of each partition that is planned and not captured.
func plannedEnds(missing format.Completeness) map[format.TopicPartition]format.Shortfall {
	last := map[format.TopicPartition]format.Shortfall{}
	for _, s := range missing.Short {
		last[s.TopicPartition] = s
	}
	return last
}

func newPartitionInfo(tp format.TopicPartition, c format.Coverage) partitionInfo {
	counts := c.Ledger
	counts.Ranges = nil
	p := partitionInfo{Topic: tp.Topic, Partition: tp.Partition, From: c.From, Next: c.Next, Gaps: c.Ledger.Ranges, amounts: amounts{
		Segments: c.Segments, Records: c.Records, Bytes: c.Bytes, DiskBytes: c.DiskBytes, MinTimestampMs: c.MinTimestampMs, MaxTimestampMs: c.MaxTimestampMs,
		Ledger: counts}}
	p.setRatio()
	return p
}

func (p *amounts) setRatio() {
	if p.DiskBytes > 0 {
		p.Ratio = float64(p.Bytes) / float64(p.DiskBytes)
	}
}

// add makes p the sum of what it was and q.
func (p *amounts) add(q amounts) {
	if q.Records > 0 && (p.Records == 0 || q.MinTimestampMs < p.MinTimestampMs) {
		p.MinTimestampMs = q.MinTimestampMs
	}
	if q.Records > 0 && (p.Records == 0 || q.MaxTimestampMs > p.MaxTimestampMs) {
		p.MaxTimestampMs = q.MaxTimestampMs
	}
	p.Segments += q.Segments
	p.Records += q.Records
	p.Bytes += q.Bytes
	p.DiskBytes += q.DiskBytes
	p.AddCounts(&q.Ledger)
	p.setRatio()
}
