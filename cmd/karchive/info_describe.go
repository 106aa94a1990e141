package main

import (
	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// archiveInfo is what info prints, and its JSON form.
type archiveInfo struct {
	Archive    string          `json:"archive"`
	Version    string          `json:"version"`
	ArchiveID  string          `json:"archive_id"`
	CreatedBy  string          `json:"created_by"`
	CreatedAt  string          `json:"created_at"`
	Encoding   format.Encoding `json:"encoding"`
	ClusterID  string          `json:"cluster_id"`
	Capture    *origin.Plan    `json:"capture,omitempty"`
	Topics     []origin.Topic  `json:"topics"`
	Partitions []partitionInfo `json:"partitions"`
	ByTopic    []topicInfo     `json:"by_topic"`
	Total      amounts         `json:"total"`
	Schemas    []schemaInfo    `json:"schemas,omitempty"` // those that the archive has; with --schemas also those that records name

	Completeness *completeness    `json:"completeness"`
	Groups       *groupsInfo      `json:"groups,omitempty"`
	Requests     *bucket.Requests `json:"requests,omitempty"` // of an archive in a bucket
}

// partitionInfo is the coverage of one partition.
type partitionInfo struct {
	Topic      string `json:"topic"`
	Partition  int32  `json:"partition"`
	From       int64  `json:"from_offset"`
	Next       int64  `json:"next_offset"`
	PlannedEnd *int64 `json:"planned_end,omitempty"` // where the partition has not got there
	amounts
	Gaps []ledger.Gap `json:"gaps,omitempty"`
}

// topicInfo adds up the partitions of a topic.
type topicInfo struct {
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"`
	amounts
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
	ledger.Ledger          // without its ranges
}

// describe says what an archive holds of partitions, which come by topic.
func describe(a *format.Archive, name string, partitions []format.TopicPartition) (*archiveInfo, error) {
	id := a.Identity()
	info := &archiveInfo{Archive: name, Version: id.Version, ArchiveID: id.ArchiveID, CreatedBy: id.CreatedBy, CreatedAt: id.CreatedAt,
		Encoding: id.Encoding, ClusterID: id.ClusterID, Capture: id.Capture, Topics: id.Topics,
		Partitions: []partitionInfo{}, ByTopic: []topicInfo{}, Total: noAmounts}
	for _, s := range id.Schemas {
		info.Schemas = append(info.Schemas, *newSchemaInfo(s))
	}
	missing, err := a.Completeness(format.Selection{})
	if err != nil {
		return nil, err
	}
	info.Completeness = newCompleteness(missing)
	planned := plannedEnds(missing)
	for _, tp := range partitions {
		c, err := a.Coverage(tp)
		if err != nil {
			return nil, err
		}
		p := newPartitionInfo(tp, c)
		if s, ok := planned[tp]; ok && s.From == c.Next {
			p.PlannedEnd = &s.Until
		}
		info.add(p)
	}
	return info, nil
}

// noAmounts is the sum of nothing.
var noAmounts = amounts{MinTimestampMs: format.NoTimestamp, MaxTimestampMs: format.NoTimestamp}

func (info *archiveInfo) add(p partitionInfo) {
	info.Partitions = append(info.Partitions, p)
	info.Total.add(p.amounts)
	last := len(info.ByTopic) - 1
	if last < 0 || info.ByTopic[last].Topic != p.Topic {
		info.ByTopic = append(info.ByTopic, topicInfo{Topic: p.Topic, amounts: noAmounts})
		last++
	}
	info.ByTopic[last].Partitions++
	info.ByTopic[last].add(p.amounts)
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
