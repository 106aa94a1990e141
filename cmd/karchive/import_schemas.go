package main

import (
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/reshaping"
)

// written are rules, or none, whose records are then written by schemas: their payloads are JSON until then.
type written struct {
	rules   reshaping.Reshaper // nil: none
	schemas *schema.Set
}

// Rules identifies the rules.
func (w written) Rules(known string) string {
	if w.rules == nil {
		return ""
	}
	return w.rules.Rules(known)
}

// Steps says what they do.
func (w written) Steps() string {
	if w.rules == nil {
		return ""
	}
	return w.rules.Steps()
}

// Begin returns what one goroutine applies to records, and how it ends that.
func (w written) Begin(how reshaping.Use) (apply applyFunc, end func()) {
	return afterRules(w.rules, how, func(tp format.TopicPartition, r *format.Record) (err error) {
		if r.Key, err = w.payload(tp, schema.Key, r.Key); err == nil {
			r.Value, err = w.payload(tp, schema.Value, r.Value)
		}
		return err
	})
}

func (w written) payload(tp format.TopicPartition, part schema.Part, document []byte) ([]byte, error) {
	out, err := w.schemas.AppendFor(nil, tp.Topic, part, document)
	if err != nil {
		return nil, fmt.Errorf("the %s: %w", part, err)
	}
	return out, nil
}
