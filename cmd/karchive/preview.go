package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/reshape"
)

// previewed is a record before and after the rules, as cat prints it, and what becomes of it.
type previewed struct {
	Verdict string          `json:"verdict"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after,omitempty"` // absent: it does not go on, or it is not changed
}

const (
	previewRecords = 1000 // of each topic that rules are tried on
	previewShown   = 3    // of each topic and verdict that are shown
)

// preview tries rules on the first records of each topic that a dry run selects. What it counts is in the pipeline's report.
type preview struct {
	worker *reshape.Worker
	topic  string
	looked int            // at records of the topic
	shown  map[string]int // of the topic, by verdict
	all    []previewed
}

func newPreview(ctx context.Context, e *env, a *format.Archive, s *selection, rules *reshape.Pipeline) ([]previewed, error) {
	if rules == nil {
		return nil, nil
	}
	window, err := s.window(e)
	if err != nil {
		return nil, err
	}
	partitions, err := choose(a, s.names(), s.partitions)
	if err != nil {
		return nil, err
	}
	p := &preview{worker: rules.Worker()}
	defer p.worker.Close()
	for _, tp := range partitions {
		if err := p.partition(ctx, a, tp, window); err != nil {
			return nil, err
		}
	}
	return p.all, nil
}

func (p *preview) partition(ctx context.Context, a *format.Archive, tp format.TopicPartition, w format.Window) error {
	if p.topic != tp.Topic {
		p.topic, p.looked, p.shown = tp.Topic, 0, map[string]int{}
	}
	c := a.Cursor(tp, w)
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
			if err := p.record(tp, &records[i]); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

func (p *preview) record(tp format.TopicPartition, r *format.Record) error {
	p.looked++
	before := jsonl.Append(nil, tp, r)
	one := reshape.Record{Record: *r, Topic: tp.Topic, Partition: tp.Partition}
	verdict, err := p.worker.Apply(&one)
	if err != nil {
		return err
	}
	shown := previewed{Verdict: verdict.String(), Before: bytes.TrimSpace(before)}
	if verdict == reshape.Pass {
		after := jsonl.Append(nil, tp, &one.Record)
		if bytes.Equal(after, before) {
			return nil
		}
		shown.After = bytes.TrimSpace(after)
	}
	if p.shown[shown.Verdict] < previewShown {
		p.shown[shown.Verdict]++
		p.all = append(p.all, shown)
	}
	return nil
}

// writePreview prints records before and after the rules.
func writePreview(w io.Writer, all []previewed) error {
	for _, r := range all {
		text := fmt.Sprintf("%s:\n  - %s\n", r.Verdict, r.Before)
		if r.After != nil {
			text = fmt.Sprintf("changed:\n  - %s\n  + %s\n", r.Before, r.After)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}
