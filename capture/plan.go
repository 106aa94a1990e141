package capture

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
)

// noEnd is the end of a partition in a follow capture.
const noEnd int64 = -1

// work is what this run takes of one partition: [from, end).
type work struct {
	tp     format.TopicPartition
	from   int64 // where the archive goes on
	end    int64 // noEnd in a follow capture
	epoch  int32 // leader epoch of what was captured last
	sure   int64 // first offset that was perhaps not of that epoch
	behind int64 // offsets between the last stable offset and the high watermark when the end was resolved
	source origin.Source
	tenure *tenure // nil: as long as the run
}

func (w *work) done() bool { return w.end != noEnd && w.from >= w.end }

// plan is what a capture is going to do. It is stored in the archive before the first fetch.
type plan struct {
	work     []work // by topic and partition
	resumed  bool   // it finishes a snapshot that was interrupted
	warnings []string
}

// planner makes a plan out of what the archive has, what the cluster has and what is asked for.
type planner struct {
	cluster  *cluster
	archive  *format.Archive
	settings *settings

	identity format.Identity
	stored   *origin.Plan // of the capture before; nil: there was none
	meta     *kafka.Metadata
	topics   []string
	next     map[format.TopicPartition]reached // what the archive has
}

// makePlan resolves what to capture and stores it. An interrupted snapshot is finished first: with its stored starts and ends, which
// is what makes it the same archive as one that was not interrupted, and with nothing beyond them. In every other case the
// archive is continued up to the end of now.
func makePlan(ctx context.Context, c *cluster, a *format.Archive, s *settings) (*plan, *kafka.Metadata, error) {
	p := &planner{cluster: c, archive: a, settings: s, identity: a.Identity(), next: map[format.TopicPartition]reached{}}
	p.stored, s.known = p.identity.Capture, p.identity.ArchiveID
	if p.stored != nil && p.stored.Rules != "" {
		s.known = p.stored.Rules
	}
	var err error
	if p.meta, p.topics, err = c.selected(ctx, s); err != nil {
		return nil, nil, err
	}
	if err := p.checkArchive(); err != nil {
		return nil, nil, err
	}
	if p.unfinished() {
		return p.finish(ctx)
	}
	return p.fresh(ctx)
}

// checkArchive refuses an archive of another source or of other options, and learns where it goes on.
func (p *planner) checkArchive() error {
	if p.stored == nil && len(p.archive.Partitions()) > 0 {
		return errors.New("the archive holds segments that no capture planned: capture into another one")
	}
	if err := p.checkSource(); err != nil {
		return err
	}
	if p.stored == nil {
		return nil
	}
	if err := p.checkOptions(); err != nil {
		return err
	}
	for _, r := range p.stored.Partitions {
		tp := format.TopicPartition{Topic: r.Topic, Partition: r.Partition}
		if p.settings.Member.Group != "" && p.there(tp) {
			continue // whoever gets it looks then
		}
		if err := p.resume(tp); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) checkSource() error {
	if have := p.identity.ClusterID; have != p.meta.ClusterID && (have != "" || p.stored != nil) {
		return &MismatchError{"cluster id", have, p.meta.ClusterID, false}
	}
	return checkTopics(p.identity.Topics, p.meta)
}

// checkTopics refuses topics that are others now.
func checkTopics(known []origin.Topic, m *kafka.Metadata) error {
	for _, t := range known {
		now, ok := m.Topics[t.Name]
		if ok && now.Err == nil && now.IDString() != t.ID {
			return &RecreatedTopicError{Topic: t.Name, Archive: t.ID, Cluster: now.IDString()}
		}
	}
	return nil
}

// checkOptions compares what shapes the content, besides the mode: a snapshot may be continued by a follow capture and the other
// way round. A finished snapshot may be continued to another end.
func (p *planner) checkOptions() error {
	now := p.describe()
	differ := func(what, have, want string) error {
		if have == want {
			return nil
		}
		return &MismatchError{what, have, want, true}
	}
	err := errors.Join(
		differ("isolation", string(p.stored.Isolation), string(now.Isolation)),
		differ("rules", p.stored.Rules, now.Rules),
		differ("from", p.stored.From, now.From),
	)
	for _, option := range slices.Sorted(maps.Keys(now.Options)) {
		err = errors.Join(err, differ(option, p.stored.Options[option], now.Options[option]))
	}
	return err
}

func (p *planner) resume(tp format.TopicPartition) error {
	point, ok, err := p.archive.Resume(tp)
	if err != nil || !ok {
		return err
	}
	if want := p.source(tp.Topic); point.Source != want && p.meta.Topics[tp.Topic].Err == nil && p.exists(tp.Topic) {
		return &MismatchError{"source of " + tp.String(), fmt.Sprint(point.Source), fmt.Sprint(want), false}
	}
	sure, err := vouched(p.archive, tp)
	p.next[tp] = reached{next: point.Next, sure: sure, epoch: point.LeaderEpoch}
	return err
}

// vouched is the offset below which the leader epoch of an archive's resume point was seen: what lies between it and the end of the
// last segment, compacted records say, may have been of a later epoch.
func vouched(a *format.Archive, tp format.TopicPartition) (int64, error) {
	segments := a.Segments(tp)
	doc, err := a.Document(segments[len(segments)-1])
	if err != nil {
		return 0, err
	}
	if n := len(doc.Groups); n > 0 {
		return doc.Groups[n-1].LastOffset + 1, nil
	}
	return doc.BaseOffset, nil
}

func (p *planner) exists(topic string) bool {
	t, ok := p.meta.Topics[topic]
	return ok && t.Err == nil
}

func (p *planner) source(topic string) origin.Source {
	return p.settings.source(p.meta, topic)
}

// source is where the records of topic come from.
func (s *settings) source(m *kafka.Metadata, topic string) origin.Source {
	t := m.Topics[topic]
	return origin.Source{ClusterID: m.ClusterID, TopicID: t.IDString(), Isolation: s.Isolation, Rules: s.rules()}
}

// describe is the plan of this capture, without its partitions.
func (p *planner) describe() *origin.Plan {
	s := p.settings
	mode := origin.ModeSnapshot
	if s.Follow {
		mode = origin.ModeFollow
	}
	next := &origin.Plan{Mode: mode, Isolation: s.Isolation, From: s.From.String(), Until: s.Until.String(), Rules: s.rules(), Options: map[string]string{
		"topics":         joined(s.Topics),
		"partitions":     joined(s.Partitions),
		"rotate bytes":   fmt.Sprint(s.RotateBytes),
		"rotate records": fmt.Sprint(s.RotateRecords),
		"compression":    string(s.Compression),
	}}
	if s.Reshape != nil {
		next.Options["steps"] = s.Reshape.Steps()
	}
	return next
}

// unfinished says whether the archive's plan is a snapshot with partitions that are not at their end, to be finished by a snapshot.
func (p *planner) unfinished() bool {
	if p.stored == nil || p.stored.Mode != origin.ModeSnapshot || p.settings.Follow {
		return false
	}
	return slices.ContainsFunc(p.stored.Partitions, func(r origin.PlanRange) bool {
		return p.position(r) < r.End
	})
}

// position is where a planned partition goes on.
func (p *planner) position(r origin.PlanRange) int64 {
	if at, ok := p.next[format.TopicPartition{Topic: r.Topic, Partition: r.Partition}]; ok {
		return at.next
	}
	return r.Start
}

// finish plans what is left of an interrupted snapshot.
func (p *planner) finish(ctx context.Context) (*plan, *kafka.Metadata, error) {
	if until := p.settings.Until.String(); p.stored.Until != until {
		return nil, nil, &MismatchError{"until", p.stored.Until, until, true}
	}
	made := &plan{resumed: true}
	for _, r := range p.stored.Partitions {
		w := p.workOf(r, offsets{})
		if !w.done() && !p.exists(r.Topic) {
			return nil, nil, missingTopic(r.Topic)
		}
		made.work = append(made.work, w)
	}
	groups, err := p.cluster.groups(ctx, p.still(made.work), p.settings)
	if err != nil {
		return nil, nil, err
	}
	logs, err := p.cluster.logOffsets(ctx, p.captured(made.work), false)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkLogs(ctx, made.work, logs); err != nil {
		return nil, nil, err
	}
	return made, p.meta, noteGroups(p.archive, groups)
}

func (p *planner) workOf(r origin.PlanRange, o offsets) work {
	tp := format.TopicPartition{Topic: r.Topic, Partition: r.Partition}
	w := work{tp: tp, from: p.position(r), end: r.End, epoch: format.NoLeaderEpoch, source: p.source(r.Topic)}
	if at, ok := p.next[tp]; ok {
		w.epoch, w.sure = at.epoch, at.sure
	}
	if p.settings.Isolation == origin.ReadCommitted && r.End == o.end {
		w.behind = o.high - o.end
	}
	return w
}

// there says whether a partition exists.
func (p *planner) there(tp format.TopicPartition) bool {
	_, ok := p.meta.Topics[tp.Topic].Partitions[tp.Partition]
	return ok && p.exists(tp.Topic)
}

// still lists the partitions of topics that still exist.
func (p *planner) still(all []work) []format.TopicPartition {
	var tps []format.TopicPartition
	for _, w := range all {
		if p.exists(w.tp.Topic) {
			tps = append(tps, w.tp)
		}
	}
	return tps
}

// captured lists the partitions of all that the archive has something of and that are still there.
func (p *planner) captured(all []work) []format.TopicPartition {
	var tps []format.TopicPartition
	for _, w := range all {
		if _, ok := p.next[w.tp]; ok && p.exists(w.tp.Topic) {
			tps = append(tps, w.tp)
		}
	}
	return tps
}

// checkLogs refuses to go on where a log no longer holds what the archive has of it.
func (p *planner) checkLogs(ctx context.Context, all []work, logs map[format.TopicPartition]offsets) error {
	captured, highs := map[format.TopicPartition]reached{}, map[format.TopicPartition]int64{}
	for _, tp := range p.captured(all) {
		captured[tp], highs[tp] = p.next[tp], logs[tp].high
	}
	return p.cluster.checkReached(ctx, captured, highs)
}

// fresh plans up to the end of now, and stores the plan.
func (p *planner) fresh(ctx context.Context) (*plan, *kafka.Metadata, error) {
	tps := partitionsOf(p.topics, p.meta, p.settings)
	if err := checkPartitions(tps, p.settings); err != nil {
		return nil, nil, err
	}
	groups, err := p.cluster.groups(ctx, tps, p.settings)
	if err != nil {
		return nil, nil, err
	}
	logs, err := p.cluster.logOffsets(ctx, tps, p.settings.Isolation == origin.ReadCommitted)
	if err != nil {
		return nil, nil, err
	}
	starts, err := p.starts(ctx, tps, logs)
	if err != nil {
		return nil, nil, err
	}
	ends, err := p.ends(ctx, tps, logs)
	if err != nil {
		return nil, nil, err
	}
	made := &plan{}
	ranges := make([]origin.PlanRange, 0, len(tps))
	for _, tp := range tps {
		r := origin.PlanRange{Topic: tp.Topic, Partition: tp.Partition, Start: starts[tp], End: ends[tp]}
		if r.End != noEnd {
			r.End = max(r.End, p.position(r))
		}
		ranges = append(ranges, r)
		made.work = append(made.work, p.workOf(r, logs[tp]))
	}
	if err := p.checkLogs(ctx, made.work, logs); err != nil {
		return nil, nil, err
	}
	if p.settings.Member.Group != "" {
		a := &admission{p.cluster, p.archive, &p.settings.Member}
		if err := a.check(ctx, tps); err != nil {
			return nil, nil, err
		}
	}
	return made, p.meta, p.store(ctx, made, ranges, groups)
}

// store makes the plan durable, with what the topics are now. Partitions and topics that are no longer there stay listed: the archive
// has them.
func (p *planner) store(ctx context.Context, made *plan, ranges []origin.PlanRange, groups *origin.Groups) error {
	next := p.describe()
	next.Partitions = p.merge(made, ranges)
	configs, err := p.cluster.topicConfigs(ctx, p.topics)
	if err != nil {
		made.warnings = append(made.warnings, fmt.Sprintf("topic configs are not stored: %v", err))
	}
	id := p.identity
	id.ClusterID = p.meta.ClusterID
	id.Topics = mergeTopics(id.Topics, p.topics, p.meta, configs)
	id.Capture = next
	if groups != nil {
		id.Groups = groups
	}
	if err := p.archive.SetIdentity(id); err != nil {
		return fmt.Errorf("store the plan: %w", err)
	}
	return nil
}

// merge adds the partitions planned before that are no longer there to ranges. Nothing more is wanted of them.
func (p *planner) merge(made *plan, ranges []origin.PlanRange) []origin.PlanRange {
	if p.stored == nil {
		return ranges
	}
	planned := map[format.TopicPartition]bool{}
	for _, r := range ranges {
		planned[format.TopicPartition{Topic: r.Topic, Partition: r.Partition}] = true
	}
	for _, old := range p.stored.Partitions {
		tp := format.TopicPartition{Topic: old.Topic, Partition: old.Partition}
		if planned[tp] {
			continue
		}
		made.warnings = append(made.warnings, tp.String()+" is no longer in the cluster: what the archive has of it stays as it is")
		old.End = p.position(old)
		ranges = append(ranges, old)
	}
	return ranges
}
