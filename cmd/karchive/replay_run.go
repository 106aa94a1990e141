package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/replay"
)

func runReplay(ctx context.Context, e *env, o replayOptions) error {
	if err := o.complete(ctx, e); err != nil {
		return err
	}
	rules, err := o.replayRules(ctx, e)
	if err != nil {
		return err
	}
	limitMemory(o.memory)
	if o.replay.Schedule.Pace.Timed() {
		spare()
	}
	a, err := o.openSource(ctx, e, rules)
	if err != nil {
		return err
	}
	defer a.end()
	cfg, opts, err := o.prepare(ctx, e, rules, a)
	if err != nil {
		return err
	}
	missing, err := o.missingOf(e, a.Archive)
	if err != nil {
		return err
	}
	result := &replayed{Archive: o.archive, Completeness: missing, invocation: e.invoked(cfg.Names()), rules: rules, damaged: a.damaged != nil}
	report, err := o.run(ctx, e, opts, a.Archive, result)
	sent := len(report.Topics) > 0
	if sent || report.Plan != nil && o.replay.DryRun {
		if err := result.print(ctx, e, a, o); err != nil {
			return err
		}
	}
	if err != nil {
		return o.hinted(err, sent, cfg)
	}
	return o.lacks(&report, a.damaged, result, missing)
}

// prepare loads the schemas of the records, which the rules need, reads the settings of the connection, takes the rest of a source that is a table,
// and registers the schemas.
func (o *replayOptions) prepare(ctx context.Context, e *env, rules *reshape.Pipeline, a *source) (*connect.Config, []kgo.Opt, error) {
	if rules != nil || o.registry == "" { // which is given the schemas
		if err := o.load(ctx, e, rules, o.takes, a.archives()...); err != nil {
			return nil, nil, err
		}
	}
	cfg, opts, err := o.connection.open(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	if err := a.complete(ctx, e); err != nil {
		return nil, nil, err
	}
	e.warnUnused(o.replay.Mapping, a.archives()...)
	return cfg, opts, o.restoreSchemas(ctx, e, cfg, a.archives())
}

// hinted says of an error what to do about it: when records were sent, how the rest of them is sent.
func (o *replayOptions) hinted(err error, sent bool, cfg *connect.Config) error {
	if sent {
		return replayHint(err, o.goOn())
	}
	return replayHint(err, cfg.Explain(err))
}

// lacks is the error of a replay that finished although something is missing.
func (o *replayOptions) lacks(report *replay.Report, damaged error, result *replayed, missing *completeness) error {
	if report.LeftOut > 0 {
		return errIncomplete
	}
	return cmp.Or(damaged, result.Reshaped.incomplete(), missing.accept(o.incomplete))
}

// missingOf says what the archive lacks of what is to be replayed.
func (o *replayOptions) missingOf(e *env, a *format.Archive) (*completeness, error) {
	c, err := o.completenessOf(e, a)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.archive, err)
	}
	e.warnMissing(o.archive, c)
	return c, nil
}

// run replays, and shows, serves and writes down how it goes.
func (o *replayOptions) run(ctx context.Context, e *env, opts []kgo.Opt, a *format.Archive, result *replayed) (report replay.Report, err error) {
	progress := newProgress(e, "replay")
	defer progress.done()
	r := &o.replay
	r.OnPlan = func(p *replay.Plan) {
		nameFixes(p, r)
		e.noteShard(p)
		e.notePlan(p, r.Force)
		e.noteSchedule(p, r)
		e.noteExactlyOnce(p, r.Restart)
	}
	r.OnProgress = func(p replay.Progress) {
		progress.set(p.Acknowledged+p.LeftOut, p.Planned, replayProgress(p, r.Schedule.Pace.Timed()))
	}
	end, err := e.replayMetrics(o.metrics, r)
	if err != nil {
		return report, err
	}
	defer end()
	files, err := openReports(o.reportNames())
	defer func() {
		result.finish(&report, o)
		err = errors.Join(err, writeReports(files, result, &e.hidden))
	}()
	if err != nil {
		return report, err
	}
	if !r.DryRun {
		r.Control = &replay.Control{}
		defer e.pauses(r.Control)()
		defer e.noteStop(ctx, "waiting for what is on its way")()
	}
	return replay.Run(ctx, opts, a, *r)
}

// replayRules compiles the rules and hands them to the replay; nil when there are none.
func (o *replayOptions) replayRules(ctx context.Context, e *env) (*reshape.Pipeline, error) {
	p, err := o.pipeline(ctx, e)
	if err != nil || p == nil {
		return nil, err
	}
	if p.MovesTimestamps() {
		return nil, &usageError{"a mask of timestamp is not for replay, whose schedule goes by it", "give --timestamps"}
	}
	o.replay.Reshape = ruled{p}
	return p, nil
}

// goOn says how to send what was not acknowledged.
func (o *replayOptions) goOn() string {
	switch {
	case o.progress != "":
		return "the same command goes on from " + o.progress
	case o.replay.Restart:
		return "the same command without --restart goes on from the last commit"
	case o.replay.ExactlyOnce:
		return "the same command goes on from the last commit"
	}
	return "with --progress FILE the same command would go on where it stopped"
}
