package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/selecting"
)

// Run replays archive into the cluster that the connection options name. The archive is only read.
//
// The error is nil when every selected record was acknowledged or, with Options.Force, left out. When something was sent the Report is
// complete also with an error: one that wraps ErrIncomplete when partitions stopped, ctx's when it ended, one that wraps ErrStalled, or that of a
// checkpoint. Before that it is one of the types of this package, or of what it met, and nothing was sent.
//
// When ctx ends, what is in flight has Options.FlushTimeout to be acknowledged.
func Run(ctx context.Context, connect []kgo.Opt, archive *format.Archive, o Options) (Report, error) {
	s, err := o.normalize()
	if err != nil {
		return Report{}, err
	}
	s.archiveID = archive.Identity().ArchiveID
	selected, err := s.choose(archive)
	if err != nil {
		return Report{}, err
	}
	if s.window, err = selecting.Window(s.From, s.Until, s.Clock.Now(), archive); err != nil {
		return Report{}, err
	}
	target, err := connectTo(ctx, connect, &s)
	if err != nil {
		return Report{}, err
	}
	defer target.Close()
	s.keepInTarget(archive, target)
	for {
		report, err := s.attempt(ctx, connect, archive, selected, target)
		if !errors.Is(err, errMoved) {
			return report, err
		}
		s.OnPlan = nil // what it was told is out of date, but it is called once
	}
}

// attempt plans and runs. The error is errMoved when another replay with the same id made progress in between.
func (s *settings) attempt(ctx context.Context, connect []kgo.Opt, archive *format.Archive, selected chosen, target *cluster) (Report, error) {
	plan, err := s.prepare(ctx, archive, selected, target)
	report := Report{Plan: plan, DryRun: s.DryRun, Topics: []TopicReport{}}
	if err != nil || s.DryRun {
		return report, err
	}
	if err := target.create(ctx, s.newTopics(plan), s.ReplicationFactor, false); err != nil {
		return report, err
	}
	err = s.run(ctx, connect, archive, target, &report)
	return report, err
}

// prepare plans the replay and checks that the target fits it. It changes nothing.
func (s *settings) prepare(ctx context.Context, archive *format.Archive, selected chosen, target *cluster) (*Plan, error) {
	names, err := s.targets(selected)
	if err != nil {
		return nil, err
	}
	if err := target.lookUp(ctx, names); err != nil {
		return nil, err
	}
	saved, err := s.restore(ctx, archive.Identity().ArchiveID, target)
	if err != nil {
		return nil, err
	}
	shares, err := s.shares(ctx, archive, selected.partitions)
	if err != nil {
		return nil, err
	}
	plan, err := s.newPlan(archive, selected, shares)
	if err != nil {
		return nil, err
	}
	plan.resume(saved)
	plan.sum()
	s.chooseCompression(plan)
	if err := s.time(plan, archive, saved); err != nil {
		return nil, err
	}
	return plan, s.fit(ctx, plan, target)
}

// targets are the names of the topics in the target.
func (s *settings) targets(selected chosen) ([]string, error) {
	var names []string
	for _, topic := range selected.topics {
		name, err := s.Mapping.Topic(topic)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// fit compares the plan with the target.
func (s *settings) fit(ctx context.Context, plan *Plan, target *cluster) error {
	plan.TargetCluster = target.id
	if s.ExactlyOnce {
		plan.ReplayID = s.ReplayID
	}
	if err := s.noteMissing(plan, target); err != nil {
		return err
	}
	if err := target.describe(ctx); err != nil {
		return err
	}
	if err := target.create(ctx, s.newTopics(plan), s.ReplicationFactor, true); err != nil {
		return err
	}
	if err := s.topic.create(ctx, s.ReplicationFactor, true); err != nil {
		return err
	}
	for i := range plan.Topics {
		plan.Topics[i].TargetPartitions = target.topics[plan.Topics[i].Target].partitions
	}
	holds, err := target.lookInto(ctx, plan)
	if err != nil && !kafka.Denied(err) {
		return err
	}
	plan.Findings = s.preflight(plan, target, holds)
	if s.OnPlan != nil {
		s.OnPlan(plan)
	}
	if refusing := plan.Refusing(s.Force); len(refusing) > 0 {
		return &RefusedError{Findings: refusing}
	}
	return nil
}

// noteMissing marks the topics to make. A topic without records needs no target unless all are made.
func (s *settings) noteMissing(plan *Plan, target *cluster) error {
	var missing []string
	for i := range plan.Topics {
		t := &plan.Topics[i]
		switch {
		case target.topics[t.Target].exists:
		case s.CreateTopics:
			t.Create = true
		case t.Total.Records > 0:
			missing = append(missing, t.Target)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &MissingTopicsError{Cluster: target.id, Topics: slices.Compact(missing)}
}

// run sends the plan. The order of its steps matters: what watches begins before what it watches, and nothing is reported or saved for good
// while a record can still be acknowledged.
func (s *settings) run(ctx context.Context, connect []kgo.Opt, archive *format.Archive, target *cluster, report *Report) error {
	p, err := s.newPlayer(connect, archive, target, report.Plan)
	if err != nil {
		return err
	}
	// Before the first record: a checkpoint that cannot be kept, or a transaction that is not ours, must not be found out with records sent.
	if err := p.open(ctx); err != nil {
		p.client.Close()
		return err
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// The watcher ends a replay that stalls, so it looks on from the first record to the last answer.
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(running, stop)
	}()
	if p.transactions != nil {
		p.transactions.start(running, stop)
	}
	if err := p.play(running); err != nil && running.Err() == nil {
		stop(err)
	}
	p.finish(running) // waits for every answer: only then are the ledgers final
	p.report(report)
	stopped := context.Cause(running) // before stop(nil), which would hide why
	stop(nil)
	<-watched // so that OnProgress and Save are not called twice at once
	if s.OnProgress != nil {
		last := p.progress()
		last.Done = true
		s.OnProgress(last)
	}
	err = outcome(ctx, stopped, report)
	// Also when ctx has ended: what was acknowledged must not be sent again.
	if failed := p.save(context.WithoutCancel(ctx), true); err == nil {
		err = failed
	} else if failed != nil && !errors.Is(err, failed) {
		err = fmt.Errorf("%w (and its progress was not saved: %w)", err, failed)
	}
	return err
}

// outcome is the error of a replay that sent something: why it was stopped, or what is missing.
func outcome(ctx context.Context, stopped error, report *Report) error {
	switch {
	case report.Missing == 0 && len(report.Failures) == 0:
		return nil
	case ctx.Err() != nil:
		report.Stopped = true
		return context.Cause(ctx)
	case stopped != nil:
		return stopped
	}
	first := report.Failures[0]
	return fmt.Errorf("%w: %s/%d stopped at offset %d: %w", ErrIncomplete, first.Topic, first.Partition, first.Offset, first.err)
}
