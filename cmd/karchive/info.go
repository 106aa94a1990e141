package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/units"
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
	return info.print(e.stdout)
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
	Total      partitionInfo       `json:"total"`
}

// partitionInfo is the coverage of one partition; in a total, Topic is empty and the offsets are 0.
type partitionInfo struct {
	Topic          string       `json:"topic,omitempty"`
	Partition      int32        `json:"partition"`
	From           int64        `json:"from_offset"`
	Next           int64        `json:"next_offset"`
	PlannedEnd     *int64       `json:"planned_end,omitempty"` // of a snapshot that has not got there
	Segments       int          `json:"segments"`
	Records        int64        `json:"records"`
	Bytes          int64        `json:"bytes"` // canonical
	DiskBytes      int64        `json:"disk_bytes"`
	Ratio          float64      `json:"ratio"` // bytes / disk bytes
	MinTimestampMs int64        `json:"min_timestamp_ms"`
	MaxTimestampMs int64        `json:"max_timestamp_ms"`
	Retention      int64        `json:"retention"` // offsets without a record, by reason
	Corrupt        int64        `json:"corrupt"`
	Control        int64        `json:"control"`
	Filtered       int64        `json:"filtered"`
	Absent         int64        `json:"absent"`
	Gaps           []format.Gap `json:"gaps,omitempty"`
}

func describe(a *format.Archive, name string) (*archiveInfo, error) {
	id := a.Identity()
	info := &archiveInfo{Archive: name, Version: id.Version, ArchiveID: id.ArchiveID, CreatedBy: id.CreatedBy, CreatedAt: id.CreatedAt,
		Encoding: id.Encoding, ClusterID: id.ClusterID, Capture: id.Capture, Topics: id.Topics,
		Total: partitionInfo{MinTimestampMs: format.NoTimestamp, MaxTimestampMs: format.NoTimestamp}}
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		if err != nil {
			return nil, err
		}
		p := newPartitionInfo(tp, c, id.Capture)
		info.Partitions = append(info.Partitions, p)
		info.Total.add(p)
	}
	return info, nil
}

func newPartitionInfo(tp format.TopicPartition, c format.Coverage, plan *format.CapturePlan) partitionInfo {
	p := partitionInfo{Topic: tp.Topic, Partition: tp.Partition, From: c.From, Next: c.Next, Segments: c.Segments, Records: c.Records,
		Bytes: c.Bytes, DiskBytes: c.DiskBytes, MinTimestampMs: c.MinTimestampMs, MaxTimestampMs: c.MaxTimestampMs,
		Retention: c.Ledger.Retention, Corrupt: c.Ledger.Corrupt, Control: c.Ledger.Control, Filtered: c.Ledger.Filtered, Absent: c.Ledger.Absent,
		Gaps: c.Ledger.Ranges}
	p.setRatio()
	if plan == nil {
		return p
	}
	for _, r := range plan.Partitions {
		if r.Topic == tp.Topic && r.Partition == tp.Partition && r.End > c.Next {
			p.PlannedEnd = &r.End
		}
	}
	return p
}

func (p *partitionInfo) setRatio() {
	if p.DiskBytes > 0 {
		p.Ratio = float64(p.Bytes) / float64(p.DiskBytes)
	}
}

// add makes p the sum of what it was and q.
func (p *partitionInfo) add(q partitionInfo) {
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
	p.Retention += q.Retention
	p.Corrupt += q.Corrupt
	p.Control += q.Control
	p.Filtered += q.Filtered
	p.Absent += q.Absent
	p.setRatio()
}

func (info *archiveInfo) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "archive\t%s\nid\t%s\nformat\t%s, %s\ncluster\t%s\ncreated\t%s by %s\n",
		info.Archive, info.ArchiveID, info.Version, info.Encoding, orNone(info.ClusterID), info.CreatedAt, info.CreatedBy)
	if p := info.Capture; p != nil {
		fmt.Fprintf(t, "capture\t%s, %s, from %s%s\n", p.Mode, p.Isolation, p.From, untilText(p))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "\nTOPIC\tPARTITION\tOFFSETS\tRECORDS\tBYTES\tON DISK\tRATIO\tFIRST\tLAST\tWITHOUT A RECORD")
	for _, p := range info.Partitions {
		fmt.Fprintf(t, "%s\t%d\t%d..%d\t%s\n", p.Topic, p.Partition, p.From, p.Next, p.columns())
	}
	fmt.Fprintf(t, "total\t%d\t\t%s\n", len(info.Partitions), info.Total.columns())
	if err := t.Flush(); err != nil {
		return err
	}
	return info.printGaps(w)
}

func untilText(p *format.CapturePlan) string {
	switch {
	case p.Mode == "follow":
		return ", until stopped"
	case p.Until == "":
		return " until end"
	}
	return " until " + p.Until
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (p *partitionInfo) columns() string {
	first, last, ratio := "-", "-", "-"
	if p.Records > 0 {
		first, last, ratio = timeText(p.MinTimestampMs), timeText(p.MaxTimestampMs), fmt.Sprintf("%.2f", p.Ratio)
	}
	return strings.Join([]string{units.Count(p.Records), units.Size(p.Bytes), units.Size(p.DiskBytes), ratio, first, last, p.missing()}, "\t")
}

func timeText(ms int64) string {
	if ms == format.NoTimestamp {
		return "none"
	}
	return units.Time(ms)
}

// missing counts the offsets without a record, by reason.
func (p *partitionInfo) missing() string {
	var out []string
	for _, m := range []struct {
		n      int64
		reason format.Reason
	}{{p.Retention, format.GapRetention}, {p.Corrupt, format.GapCorrupt}, {p.Control, format.GapControl}, {p.Filtered, format.GapFiltered}, {p.Absent, format.GapAbsent}} {
		if m.n > 0 {
			out = append(out, units.Count(m.n)+" "+string(m.reason))
		}
	}
	if out == nil {
		return "-"
	}
	return strings.Join(out, ", ")
}

// printGaps names what is lost, and what an unfinished snapshot has still to get.
func (info *archiveInfo) printGaps(w io.Writer) error {
	for _, p := range info.Partitions {
		for _, g := range p.Gaps {
			if _, err := fmt.Fprintf(w, "lost: %s-%d offsets %d..%d (%s)\n", p.Topic, p.Partition, g.From, g.Until, g.Reason); err != nil {
				return err
			}
		}
		if p.PlannedEnd != nil {
			if _, err := fmt.Fprintf(w, "not finished: %s-%d ends at %d, the snapshot at %d\n", p.Topic, p.Partition, p.Next, *p.PlannedEnd); err != nil {
				return err
			}
		}
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	j := json.NewEncoder(w)
	j.SetIndent("", "  ")
	j.SetEscapeHTML(false)
	return j.Encode(v)
}
