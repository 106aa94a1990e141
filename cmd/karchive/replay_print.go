package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/selection"
)

// notePlan prints what the preflight found: all of it, so that one look at the target is enough.
func (e *env) notePlan(p *replay.Plan, force bool) {
	if p.Compression != "none" && len(p.CompressionOf) > 0 {
		e.notef("compressing with %s, %s", p.Compression, compressionWhy(p))
	}
	refusing := p.Refusing(force)
	for _, f := range p.Findings {
		what := f.What
		if f.Topic != "" && !strings.Contains(what, f.Topic) {
			what = f.Topic + ": " + what
		}
		if !slices.Contains(refusing, f) {
			e.warnf("%s: %s; %s", what, f.Consequence, f.Fix)
		} else if len(refusing) > 1 {
			e.line(fmt.Sprintf("%s: %s; %s", what, f.Consequence, f.Fix))
		}
	}
}

// compressionWhys say why a codec was chosen.
var compressionWhys = map[replay.CompressionReason]string{
	replay.CompressionAsked:   "as asked for",
	replay.CompressionConfigs: "the compression.type of the source's ",
	replay.CompressionBatches: "as most of the source's batches of ",
	replay.CompressionBoth:    "by compression.type or the batches of the source's ",
	replay.CompressionUnknown: "because the archive does not tell what the source compressed with",
}

func compressionWhy(p *replay.Plan) string {
	return compressionWhys[p.CompressionFrom] + topicList(p.CompressionOf)
}

// topicList names a few topics, and how many more there are.
func topicList(topics []string) string {
	const most = 5
	if len(topics) <= most {
		return strings.Join(topics, ", ")
	}
	return strings.Join(topics[:most], ", ") + " and " + units.Of(int64(len(topics)-most), "other")
}

func replayProgress(p replay.Progress, timed bool) string {
	text := ""
	if timed {
		text = timedProgress(p)
	} else {
		text = topSpeedProgress(p)
	}
	if p.Failed > 0 {
		text += ", " + units.Of(int64(p.Failed), "partition") + " stopped"
	}
	return text
}

func topSpeedProgress(p replay.Progress) string {
	text := fmt.Sprintf("%s of %s records, %s, %s/s", units.Count(p.Acknowledged), units.Count(p.Planned), units.Size(p.Bytes), units.Count(int64(p.Rate)))
	if p.LeftOut > 0 {
		text += ", " + units.Count(p.LeftOut) + " left out"
	}
	if p.Paused {
		text += ", paused"
	}
	return text
}

func replayHint(err error, otherwise string) error {
	if errors.As(err, new(*selection.MissingTopicError)) || errors.As(err, new(hinter)) || replayErrorHint(err) != "" {
		return err
	}
	return withHint(err, otherwise)
}

func printReplay(e *env, r *replay.Report) error {
	err := writeReplay(e, r)
	if len(r.Groups) == 0 || err != nil {
		return err
	}
	printable.Fprintf(e.text, "\n")
	return writePositions(e.text, r.Groups)
}

func writeReplay(e *env, r *replay.Report) error {
	t := newTable(e.text)
	if r.DryRun {
		writePlan(t, r.Plan)
		return t.Flush()
	}
	printable.Fprintf(t, "TOPIC\tINTO\tPLANNED\tSENT\tACKNOWLEDGED\tBYTES\n")
	for _, topic := range r.Topics {
		printable.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", topic.Topic, topic.Target, units.Count(topic.Planned), units.Count(topic.Sent), units.Count(topic.Acknowledged), units.Size(topic.Bytes))
	}
	for _, f := range r.Failures {
		printable.Fprintf(t, "stopped: %s-%d at offset %d: %s\n", f.Topic, f.Partition, f.Offset, f.Reason)
	}
	for _, fate := range []struct {
		what   string
		counts map[string]int64
	}{{"left out", r.LeftOutFor}, {"sent and not acknowledged", r.RefusedFor}} {
		for _, why := range slices.Sorted(maps.Keys(fate.counts)) {
			printable.Fprintf(t, "%s: %s: %s\n", fate.what, units.Of(fate.counts[why], "record"), why)
		}
	}
	printable.Fprintf(t, "replayed %s, %s, into cluster %s in %s (%s/s)%s%s\n", units.Of(r.Acknowledged, "record"), units.Size(r.Bytes), orNone(r.Plan.TargetCluster),
		units.Duration(r.Elapsed), units.Count(int64(r.Rate)), committedText(r), leftText(r)+shardText(r.Plan))
	if r.Timing != nil {
		writeTiming(t, r.Timing)
	}
	return t.Flush()
}

func committedText(r *replay.Report) string {
	if r.Plan.ReplayID == "" {
		return ""
	}
	return ", exactly once in " + units.Of(r.Transactions, "transaction")
}

func shardText(p *replay.Plan) string {
	if p.Shard.Count == 0 {
		return ""
	}
	return ", shard " + p.Shard.String()
}

func leftText(r *replay.Report) string {
	var text string
	if r.Plan.Earlier > 0 {
		text += ", " + units.Count(r.Plan.Earlier) + " earlier"
	}
	if r.LeftOut > 0 {
		text += ", " + units.Count(r.LeftOut) + " left out"
	}
	if r.NotSent > 0 {
		text += ", " + units.Count(r.NotSent) + " not sent"
	}
	if n := r.Missing - r.NotSent; n > 0 {
		text += ", " + units.Count(n) + " not acknowledged"
	}
	return text
}

func writePlan(t io.Writer, p *replay.Plan) {
	printable.Fprintf(t, "TOPIC\tINTO\tPARTITIONS\tRECORDS\tBYTES\tFIRST\tLAST\n")
	for _, topic := range p.Topics {
		target := topic.Target
		if topic.Create {
			target += " (to be made)"
		}
		printable.Fprintf(t, "%s\t%s\t%d into %d\t%s\n", topic.Topic, target, len(topic.Partitions), topic.TargetPartitions, amountRow(topic.Total))
	}
	printable.Fprintf(t, "total\tcluster %s\t\t%s\n", orNone(p.TargetCluster)+shardText(p), amountRow(p.Total))
	printable.Fprintf(t, "compression: %s, %s\n", p.Compression, compressionWhy(p))
}

func amountRow(a replay.Amount) printable.Cells {
	first, last, most := "-", "-", ""
	if a.Records > 0 {
		first, last = timeText(a.MinTimestampMs), timeText(a.MaxTimestampMs)
	}
	if !a.Exact {
		most = "at most "
	}
	return printable.Cells{most + units.Count(a.Records), most + units.Size(a.Bytes), first, last}
}
