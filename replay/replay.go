package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/selection"
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
	s.rules = rules{o.Reshape, archive.Identity().ArchiveID}
	j := &job{settings: &s, connect: connect, archive: archive, identity: newIdentity(&s.Options, s.rules)}
	// What the archive alone tells comes first: a wrong name must not wait for a cluster.
	if j.selected, err = s.choose(archive); err != nil {
		return Report{}, err
	}
	if j.moves, err = newGroupMoves(archive, &s.Options, j.selected); err != nil {
		return Report{}, err
	}
	j.identity.groups = j.moves.name()
	if s.window, err = selection.Window(s.From, s.Until, s.Clock.Now(), archive); err != nil {
		return Report{}, err
	}
	if j.target, err = connectTo(ctx, connect, s.ConnectTimeout); err != nil {
		return Report{}, err
	}
	defer j.target.Close()
	j.keepInTarget()
	for overtaken := false; ; {
		report, err := j.attempt(ctx)
		first := errors.Is(err, errOvertaken) && !overtaken
		if !first && !errors.Is(err, errMoved) {
			return report, err
		}
		overtaken = overtaken || first
		s.OnPlan = nil // what it was told is out of date, but it is called once
	}
}

// job is a replay from its options to its report.
type job struct {
	*settings
	connect  []kgo.Opt
	archive  *format.Archive
	identity identity
	named    string // the replay id that was given, of all shards; empty: none was
	selected chosen
	target   *cluster
	moves    *groupMoves // nil: no groups
}

// keepInTarget makes the checkpoint of a replay that is exactly once.
func (j *job) keepInTarget() {
	if !j.ExactlyOnce {
		return
	}
	j.named = j.ReplayID
	j.ReplayID = j.idIn(j.Shard)
	topic := checkpoint.NewTopic(j.target.Cluster, j.ReplayID)
	topic.Restart, topic.Patience, topic.Related = j.Restart, j.StallTimeout, j.dividedOtherwise
	j.topic = &checkpointTopic{topic, j.target}
	j.progress = j.topic
}

// attempt plans and runs. The error is errMoved when another replay made progress in between that this one must know of, and wraps errOvertaken
// when another began. Topics are made when nothing refuses the plan any more, and before the player, which asks how many partitions they have.
func (j *job) attempt(ctx context.Context) (Report, error) {
	plan, err := j.prepare(ctx)
	report := Report{Plan: plan, DryRun: j.DryRun, Topics: []TopicReport{}}
	if err == nil && j.DryRun && j.moves != nil {
		report.Groups, err = j.groupPositions(ctx, plan, nil)
	}
	if err != nil || j.DryRun {
		return report, err
	}
	if err := j.target.create(ctx, plan.newTopics(&j.Options), j.ReplicationFactor, false); err != nil {
		return report, err
	}
	err = j.run(ctx, &report)
	return report, err
}

// prepare plans the replay and checks that the target fits it. It changes nothing. The checkpoint is read before the plan is made, as it says
// which moment a position such as -2h was; and what it holds is taken out before anything is summed up, scheduled or compared.
func (j *job) prepare(ctx context.Context) (*Plan, error) {
	names, err := j.Mapping.Topics(j.selected.topics)
	if err != nil {
		return nil, err
	}
	if err := j.target.lookUp(ctx, names); err != nil {
		return nil, err
	}
	saved, err := j.restore(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := (&planner{settings: j.settings, archive: j.archive, selected: j.selected}).plan(ctx)
	if err != nil {
		return nil, err
	}
	plan.noteOwners(j)
	plan.resume(saved)
	plan.sum()
	plan.chooseCompression(j.Compression)
	if err := plan.time(j.settings, j.archive, saved); err != nil {
		return nil, err
	}
	return plan, j.fit(ctx, plan)
}

// restore loads the checkpoint, checks that it is this replay's, and takes over the window that the replay first had: -2h is meant to
// stay the same moment. It returns nil when there is nothing to go on from.
func (j *job) restore(ctx context.Context) (*checkpoint.State, error) {
	if j.progress == nil {
		return nil, nil
	}
	saved, err := j.progress.Load(ctx)
	if err == nil && saved == nil {
		err = j.checkDivision()
	}
	if err != nil || saved == nil {
		return nil, err
	}
	if different := j.identity.differs(saved, j.target); different != nil {
		different.ReplayID = j.ReplayID
		return nil, different
	}
	j.window, err = savedWindow(saved)
	return saved, err
}

// fit compares the plan with the target. Topics that would be made are tried first, so that the preflight sees them as they will be; and
// OnPlan hears of what refuses before it does.
func (j *job) fit(ctx context.Context, plan *Plan) error {
	plan.TargetCluster = j.target.id
	if j.ExactlyOnce {
		plan.ReplayID = j.ReplayID
	}
	if err := plan.noteMissing(j.target, j.CreateTopics); err != nil {
		return err
	}
	if err := j.target.describe(ctx); err != nil {
		return err
	}
	if err := j.target.create(ctx, plan.newTopics(&j.Options), j.ReplicationFactor, true); err != nil {
		return err
	}
	if err := j.topic.create(ctx, j.ReplicationFactor, true); err != nil {
		return err
	}
	if j.Shard.Divides() {
		plan.assumeRetention(j.target)
	}
	for i := range plan.Topics {
		plan.Topics[i].TargetPartitions = j.target.topics[plan.Topics[i].Target].partitions
	}
	return j.preflight(ctx, plan)
}

// preflight looks for what would be lost, and ends a replay that is certain to lose something.
func (j *job) preflight(ctx context.Context, plan *Plan) error {
	held, err := j.target.lookInto(ctx, plan)
	if err != nil && !kafka.Denied(err) {
		return err
	}
	plan.Findings = (&preflight{options: &j.Options, plan: plan, target: j.target, held: held, now: j.Clock.Now(), newest: j.newestOf}).look()
	busy, err := j.moves.fit(ctx, j, plan)
	if err != nil {
		return err
	}
	plan.Findings = append(plan.Findings, busy...)
	if j.OnPlan != nil {
		j.OnPlan(plan)
	}
	if refusing := plan.Refusing(j.Force); len(refusing) > 0 {
		return &RefusedError{Findings: refusing}
	}
	return nil
}

// run sends the plan. What is saved is saved last, when no record can be acknowledged any more.
func (j *job) run(ctx context.Context, report *Report) error {
	p, err := newPlayer(j, report.Plan)
	if err != nil {
		return err
	}
	// Before the first record: a checkpoint that cannot be kept, or a transaction that is not ours, must not be found out with records sent.
	if err := p.open(ctx); err != nil {
		p.close()
		return err
	}
	stopped := p.perform(ctx, report)
	err = outcome(ctx, stopped, report)
	// Also when ctx has ended: what was acknowledged must not be sent again.
	if failed := p.save(context.WithoutCancel(ctx), true); err == nil {
		err = failed
	} else if failed != nil && !errors.Is(err, failed) {
		err = fmt.Errorf("%w (and its progress was not saved: %w)", err, failed)
	}
	if err != nil {
		return err
	}
	return j.setGroups(ctx, p, report)
}

// perform plays, and reports. It returns why it was stopped, if it was. What watches begins before what it watches, and nothing is reported
// while a record can still be acknowledged.
func (p *player) perform(ctx context.Context, report *Report) error {
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
	if tell := p.settings.OnProgress; tell != nil {
		last := p.progress()
		last.Done = true
		tell(last)
	}
	return stopped
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
