package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

func (info *archiveInfo) print(w io.Writer, byTopic bool) error {
	t := newTable(w)
	printable.Fprintf(t, "archive\t%s\nid\t%s\nformat\t%s, %s\ncluster\t%s\ncreated\t%s by %s\n",
		info.Archive, info.ArchiveID, info.Version, info.Encoding, orNone(info.ClusterID), info.CreatedAt, info.CreatedBy)
	if p := info.Capture; p != nil {
		printable.Fprintf(t, "capture\t%s, %s, from %s%s\n", p.Mode, p.Isolation, p.From, untilText(p))
	}
	if text := info.sourceCodecs().String(); text != "" {
		printable.Fprintf(t, "batches\t%s\n", text)
	}
	if n := len(info.Schemas); n > 0 {
		printable.Fprintf(t, "schemas\t%s\n", units.Count(int64(n)))
	}
	printable.Fprintf(t, "state\t%s\n", info.Completeness.verdict())
	if err := t.Flush(); err != nil {
		return err
	}
	if byTopic {
		info.topicTable(t)
	} else {
		info.partitionTable(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return info.Completeness.print(w)
}

var amountsTitles = printable.Cells{"RECORDS", "BYTES", "ON DISK", "RATIO", "FIRST", "LAST", "WITHOUT A RECORD"}

func (info *archiveInfo) partitionTable(t io.Writer) {
	printable.Fprintf(t, "\nTOPIC\tPARTITION\tOFFSETS\t%s\n", amountsTitles)
	for _, p := range info.Partitions {
		printable.Fprintf(t, "%s\t%d\t%d..%d\t%s\n", p.Topic, p.Partition, p.From, p.Next, p.columns())
	}
	printable.Fprintf(t, "total\t%d\t\t%s\n", len(info.Partitions), info.Total.columns())
}

func (info *archiveInfo) topicTable(t io.Writer) {
	known := info.sourceCodecs().Total() > 0 // else there is no column for it
	row := func(codecs string, cells printable.Cells) {
		if known {
			cells = append(cells, codecs)
		}
		printable.Fprintf(t, "%s\n", cells)
	}
	printable.Fprintf(t, "\n")
	row("BATCHES", append(printable.Cells{"TOPIC", "PARTITIONS"}, amountsTitles...))
	for _, p := range info.ByTopic {
		row(cmp.Or(info.topicCodecs(p.Topic).String(), "-"), append(printable.Cells{p.Topic, strconv.Itoa(p.Partitions)}, p.columns()...))
	}
	row(info.sourceCodecs().String(), append(printable.Cells{"total", strconv.Itoa(len(info.Partitions))}, info.Total.columns()...))
}

func untilText(p *origin.Plan) string {
	switch {
	case p.Mode == origin.ModeFollow:
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

func (p *amounts) columns() printable.Cells {
	first, last, ratio := "-", "-", "-"
	if p.Records > 0 {
		first, last, ratio = timeText(p.MinTimestampMs), timeText(p.MaxTimestampMs), fmt.Sprintf("%.2f", p.Ratio)
	}
	return printable.Cells{units.Count(p.Records), units.Size(p.Bytes), units.Size(p.DiskBytes), ratio, first, last, p.missing()}
}

func timeText(ms int64) string {
	if ms == format.NoTimestamp {
		return "none"
	}
	return units.Time(ms)
}

// missing counts the offsets without a record, by reason.
func (p *amounts) missing() string {
	var out []string
	for reason, n := range p.All() {
		if n > 0 {
			out = append(out, units.Count(n)+" "+string(reason))
		}
	}
	if out == nil {
		return "-"
	}
	return strings.Join(out, ", ")
}

func printJSON(w io.Writer, v any) error { return encodeJSON(w, v, "  ") }

// printJSONLine prints v on a line of its own.
func printJSONLine(w io.Writer, v any) error { return encodeJSON(w, v, "") }

func encodeJSON(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	j := json.NewEncoder(&b)
	j.SetIndent("", indent)
	j.SetEscapeHTML(false)
	if err := j.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(printable.AppendJSON(nil, b.Bytes()))
	return err
}
