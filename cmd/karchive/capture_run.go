package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/selection"
)

func runCapture(c *cli.Context, e *env, o captureOptions) error {
	if err := o.complete(c, e); err != nil {
		return err
	}
	ctx := c.Context
	limitMemory(o.memory)
	rules, err := o.captureRules(ctx, e)
	if err != nil {
		return err
	}
	cfg, opts, err := o.open(ctx, e)
	if err != nil {
		return err
	}
	noteUnknown, err := o.captureSchemas(ctx, e, cfg)
	if err != nil {
		return err
	}
	defer noteUnknown()
	// The last thing before the capture: what is wrong above leaves no archive behind.
	a, end, err := o.openArchive(e)
	if err != nil {
		return ofPlace(o.archive, err)
	}
	closing := sync.OnceFunc(end)
	defer closing()
	report, err := o.run(ctx, e, opts, a)
	failed := captureHint(err, cfg.Explain(err))
	if failed != nil && !o.capture.Follow {
		e.noteKept(o.archive, a)
	}
	if failed != nil && report.Segments == 0 {
		return failed
	}
	closing() // what it asks of a bucket is in the report
	result := &captured{Archive: o.archive, Requests: e.storeRequests(o.archive), Report: &report, Reshaped: newReshaped(rules), invocation: e.invoked(cfg.Names())}
	return o.finish(e, a, result, failed)
}

// openArchive opens or makes the archive. Members of a group write to it together.
func (o *captureOptions) openArchive(e *env) (*format.Archive, func(), error) {
	if o.capture.Member.Group != "" && !bucketurl.Is(o.archive) {
		return openOrCreateShared(e, o.archive, o.encoding)
	}
	return openOrCreate(e, o.archive, o.encoding)
}

// finish says what was captured, and what is wrong with it.
func (o *captureOptions) finish(e *env, a *format.Archive, result *captured, failed error) error {
	result.judge(failed)
	if err := errors.Join(printCapture(e, *o, a, result), failed); err != nil {
		return err
	}
	if result.Report.Incomplete() {
		return errIncomplete
	}
	return result.Reshaped.incomplete()
}

// captureSchemas has the capture fetch schemas, if they are wanted, and returns what says at the end which are unknown.
func (o *captureOptions) captureSchemas(ctx context.Context, e *env, cfg *connect.Config) (noteUnknown func(), err error) {
	client, err := o.openRegistry(ctx, e, cfg, o.timeout)
	if client != nil {
		o.capture.Schemas = client
	}
	return func() { e.noteUnknown(client) }, err
}

// captureRules compiles the rules and hands them to the capture; nil when there are none.
func (o *captureOptions) captureRules(ctx context.Context, e *env) (*reshape.Pipeline, error) {
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return nil, err
	}
	if o.registry != "" {
		o.known = &schema.Set{}
	}
	if rules != nil {
		o.capture.Reshape = ruled{rules}
	}
	if err := o.load(ctx, e, rules, nil); err != nil {
		return nil, err
	}
	return rules, checkTypes(rules, slices.Concat(o.names(), o.topicsOfFiles()))
}

// topicsOfFiles are the topics, or globs of them, whose payloads --schema says how to read, as far as they are selected by name.
func (o *captureOptions) topicsOfFiles() (topics []string) {
	for _, text := range o.files {
		topic := schema.TopicOf(text)
		if selection.MatchesAny(o.names(), topic) {
			topics = append(topics, topic)
		}
	}
	return topics
}

// run captures, and shows and serves how it goes. What is sealed is said when it is interrupted, by a second signal too.
func (o *captureOptions) run(ctx context.Context, e *env, opts []kgo.Opt, a *format.Archive) (capture.Report, error) {
	defer e.noteStop(ctx, "ending the capture")()
	progress := newProgress(e, "capture")
	defer progress.done()
	o.capture.Now = e.now
	var last atomic.Pointer[capture.Progress]
	o.capture.OnProgress = func(p capture.Progress) {
		last.Store(&p)
		progress.set(p.Offsets, p.PlannedOffsets, captureProgress(p))
	}
	defer aside.OnLeave(func() { e.noteSealed(last.Load()) })()
	opts, end, err := e.captureMetrics(o.metrics, opts, &o.capture)
	if err != nil {
		return capture.Report{}, err
	}
	defer end()
	report, err := capture.Run(ctx, opts, a, o.capture)
	progress.done()
	if context.Cause(ctx) == errInterrupted {
		e.noteSealed(last.Load())
	}
	return report, err
}
