package main

import (
	"errors"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/reshaping"
)

// ruled is a pipeline as a reshaping.Reshaper.
type ruled struct{ *reshape.Pipeline }

// Rules identifies the rules.
func (r ruled) Rules(known string) string {
	rules := r.Pipeline.Rules()
	return rules.Identify(known)
}

// Steps says what they do.
func (r ruled) Steps() string {
	rules := r.Pipeline.Rules()
	return rules.Steps()
}

// Begin returns what one goroutine applies to records, and how it ends that.
func (r ruled) Begin(how reshaping.Use) (apply applyFunc, end func()) {
	switch {
	case how.Trial:
		return applying(r.Trial()), func() {}
	case how.Keep:
		w := r.KeepingWorker()
		return applying(w), w.Close
	}
	w := r.Worker()
	return applying(w), w.Close
}

// applyFunc says whether a record stays, and changes it.
type applyFunc = func(tp format.TopicPartition, r *format.Record) (bool, error)

// afterRules begins rules, or none, and has step change the records that they leave.
func afterRules(rules reshaping.Reshaper, how reshaping.Use, step func(format.TopicPartition, *format.Record) error) (apply applyFunc, end func()) {
	inner, end := applyFunc(func(format.TopicPartition, *format.Record) (bool, error) { return true, nil }), func() {}
	if rules != nil {
		inner, end = rules.Begin(how)
	}
	return func(tp format.TopicPartition, r *format.Record) (bool, error) {
		stays, err := inner(tp, r)
		if err != nil || !stays {
			return stays, err
		}
		return true, step(tp, r)
	}, end
}

// strictError says of an error of a record why there is one at all.
func strictError(err error) error { return fmt.Errorf("%w (--strict)", errors.Unwrap(err)) }

func applying(w *reshape.Worker) applyFunc {
	var one reshape.Record
	return func(tp format.TopicPartition, r *format.Record) (bool, error) {
		one = reshape.Record{Record: *r, Topic: tp.Topic, Partition: tp.Partition}
		verdict, err := w.Apply(&one)
		if err != nil {
			return false, strictError(err)
		}
		if verdict == reshape.Pass {
			*r = one.Record
		}
		return verdict == reshape.Pass, nil
	}
}
