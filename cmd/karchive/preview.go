package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/reshaping"
)

// previewed is what becomes of a record, and how cat prints it after the rules.
type previewed struct {
	Verdict   string          `json:"verdict"`
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Before    json.RawMessage `json:"before,omitempty"` // absent unless originals are asked for: nobody has masked it
	After     json.RawMessage `json:"after,omitempty"`  // absent: it does not go on
}

func (p *previewed) write(w io.Writer) error {
	verdict := p.Verdict
	if p.After != nil {
		verdict = "changed"
	}
	_, err := printable.Fprintf(w, "%s: %s-%d offset %d\n", verdict, p.Topic, p.Partition, p.Offset)
	before, after := diff.Excerpts(string(p.Before), string(p.After), previewLines*widthFor(w))
	for _, side := range []struct{ sign, record string }{{"-", before}, {"+", after}} {
		if side.record != "" && err == nil {
			_, err = printable.Fprintf(w, "  %s %s\n", side.sign, side.record)
		}
	}
	return err
}

const (
	previewRecords = 1000 // of each topic that rules are tried on
	previewShown   = 3    // of each topic and verdict that are shown
	previewLines   = 4    // that a record may take where people look at it
)

// preview tries rules on the first records of each topic that a dry run selects. What it counts is in the pipeline's report.
type preview struct {
	worker    *reshape.Worker
	reader    schema.Reader
	originals bool // are shown too
	topic     string
	looked    int            // at records of the topic
	shown     map[string]int // of the topic, by verdict
	all       []previewed
}

// tableRules shows what it makes of the first rows.
type tableRules struct {
	ruled
	preview *preview
}

// Begin is that of the rules.
func (t tableRules) Begin(reshaping.Use) (apply applyFunc, end func()) {
	t.preview.worker, t.preview.reader.Set = t.Worker(), t.Schemas()
	return func(tp format.TopicPartition, r *format.Record) (bool, error) {
		t.preview.begin(tp.Topic)
		return t.preview.apply(tp, r)
	}, t.preview.worker.Close
}

// sample is what becomes of some records.
func (s *source) sample(ctx context.Context, e *env, o replayOptions, rules *reshape.Pipeline) ([]previewed, error) {
	if s.preview != nil {
		return s.preview.all, nil
	}
	return newPreview(ctx, e, s.Archive, &o.selected, rules, o.originals)
}

func newPreview(ctx context.Context, e *env, a *format.Archive, s *selected, rules *reshape.Pipeline, originals bool) ([]previewed, error) {
	if rules == nil {
		return nil, nil
	}
	partitions, window, err := s.chosen(e, a)
	if err != nil {
		return nil, err
	}
	p := &preview{worker: rules.Worker(), reader: schema.Reader{Set: rules.Schemas()}, originals: originals}
	defer p.worker.Close()
	for _, tp := range partitions {
		if err := p.partition(ctx, a, tp, window); err != nil {
			return nil, err
		}
	}
	return p.all, nil
}

func (p *preview) partition(ctx context.Context, a *format.Archive, tp format.TopicPartition, w format.Selection) error {
	p.begin(tp.Topic)
	c := scan.NewCursor(a, tp, w)
	defer c.Close()
	for p.looked < previewRecords && ctx.Err() == nil {
		records, err := c.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range records {
			if p.looked == previewRecords {
				return nil
			}
			if _, err := p.apply(tp, &records[i]); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

func (p *preview) begin(topic string) {
	if p.topic != topic || p.shown == nil {
		p.topic, p.looked, p.shown = topic, 0, map[string]int{}
	}
}

// apply runs the rules on a record, and keeps how it looks then when it is one of the first.
func (p *preview) apply(tp format.TopicPartition, r *format.Record) (bool, error) {
	var before []byte
	looks := p.looked < previewRecords
	if p.looked++; looks {
		before = p.line(tp, r)
	}
	one := reshape.Record{Record: *r, Topic: tp.Topic, Partition: tp.Partition}
	verdict, err := p.worker.Apply(&one)
	if err != nil {
		return false, strictError(err)
	}
	*r = one.Record
	if looks {
		p.look(tp, r, verdict, before)
	}
	return verdict == reshape.Pass, nil
}

func (p *preview) look(tp format.TopicPartition, r *format.Record, verdict reshape.Verdict, before []byte) {
	shown := previewed{Verdict: verdict.String(), Topic: tp.Topic, Partition: tp.Partition, Offset: r.Offset}
	if p.originals {
		shown.Before = bytes.TrimSpace(before)
	}
	if verdict == reshape.Pass {
		after := p.line(tp, r)
		if bytes.Equal(after, before) {
			return
		}
		shown.After = bytes.TrimSpace(after)
	}
	if p.shown[shown.Verdict] < previewShown {
		p.shown[shown.Verdict]++
		p.all = append(p.all, shown)
	}
}

// line is a record as cat prints it.
func (p *preview) line(tp format.TopicPartition, r *format.Record) []byte {
	key, value := p.reader.Read(tp.Topic, r)
	return jsonl.AppendRead(nil, tp, r, key, value)
}

// writePreview prints records after the rules, and before them where they are kept.
func writePreview(w io.Writer, all []previewed) error {
	for _, r := range all {
		if err := r.write(w); err != nil {
			return err
		}
	}
	return nil
}
