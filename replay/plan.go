package replay

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/budget"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/replay/routing"
)

// Plan is what a replay is about to do. It is made from the documents of the segments, without decoding a record (but for a Limit).
type Plan struct {
	ArchiveID     string         `json:"archive_id"`
	SourceCluster string         `json:"source_cluster"` // cluster id; empty: unknown
	TargetCluster string         `json:"target_cluster"`
	Shard         routing.Shard  `json:"shard,omitzero"`
	Topics        []PlannedTopic `json:"topics"` // by name in the archive
	Total         Amount         `json:"total"`
	Earlier       int64          `json:"earlier"`             // records that the checkpoint says were acknowledged before; not part of Total
	ReplayID      string         `json:"replay_id,omitempty"` // of a replay that is exactly once
	// Duration is how long the schedule takes for Total, with all rounds, or one when it loops for ever; 0 at top speed. It is an upper
	// bound where Total is, and with a Schedule.MaxGap.
	Duration time.Duration `json:"duration_ns"`
	Findings []Finding     `json:"findings,omitempty"`
	// Compression is the codec of what is sent, and CompressionFrom why; CompressionOf are the topics of the archive that it was taken from, if it was.
	Compression     string            `json:"compression"`
	CompressionFrom CompressionReason `json:"compression_from"`
	CompressionOf   []string          `json:"compression_of,omitempty"`

	owners   owners
	sources  []string // all cluster ids that the segments name
	originMs *int64   // timestamp that is due at the start; nil: the first record's
	shiftMs  *int64   // that ShiftTimestamps adds; nil: it depends on the start
}

// PlannedTopic is a topic of the archive and where it goes.
type PlannedTopic struct {
	Topic            string             `json:"topic"`
	Target           string             `json:"target"`
	TargetPartitions int32              `json:"target_partitions"`
	Create           bool               `json:"create"` // the target does not have it yet
	Partitions       []PlannedPartition `json:"partitions"`
	Total            Amount             `json:"total"`

	source origin.Topic // as the archive describes it; only its name when it does not
	needs  int32        // partitions, when it is made: for the records of all shards
}

// PlannedPartition is a partition of the archive and where it goes.
type PlannedPartition struct {
	Partition int32  `json:"partition"`
	Target    int32  `json:"target"` // -1: it depends on each record
	Total     Amount `json:"total"`
	Earlier   int64  `json:"earlier"`

	window  format.Selection
	earlier checkpoint.Partition // of the checkpoint
	groups  groupSizes
}

// Amount counts records. Where a time or offset cuts through a row group, the count is that of the whole row group, an upper bound.
type Amount struct {
	Records        int64 `json:"records"`
	Bytes          int64 `json:"bytes"` // canonical bytes: keys, values, headers and about 30 bytes a record
	Exact          bool  `json:"exact"`
	MinTimestampMs int64 `json:"min_timestamp_ms"` // meaningless when Records is 0
	MaxTimestampMs int64 `json:"max_timestamp_ms"`

	span span
}

func (a *Amount) add(b Amount) {
	if !b.span.valid {
		b.span.widen(b.MinTimestampMs)
		b.span.widen(b.MaxTimestampMs)
	}
	switch {
	case b.Records == 0:
	case a.Records == 0:
		*a = Amount{Records: b.Records, Bytes: b.Bytes, Exact: a.Exact && b.Exact, MinTimestampMs: b.MinTimestampMs, MaxTimestampMs: b.MaxTimestampMs, span: b.span}
	default:
		if b.span.valid {
			a.span.widen(b.span.first)
			a.span.widen(b.span.last)
		}
		a.Records += b.Records
		a.Bytes += b.Bytes
		a.Exact = a.Exact && b.Exact
		a.MinTimestampMs = min(a.MinTimestampMs, b.MinTimestampMs)
		a.MaxTimestampMs = max(a.MaxTimestampMs, b.MaxTimestampMs)
	}
}

// groupSizes is what the row groups of a partition say about memory and about the largest record.
type groupSizes struct {
	bytes int64 // of the largest row group: no record is larger
	mean  int64 // the largest mean record size: some record is at least so large
	cost  int64 // the most memory that a decoded row group takes
}

func (g *groupSizes) add(group *format.RowGroup) {
	g.bytes = max(g.bytes, group.Bytes)
	g.mean = max(g.mean, group.Bytes/max(1, group.Records))
	g.cost = max(g.cost, group.Bytes+group.Records*budget.DecodedRecord)
}

// planner makes the plan of a replay.
type planner struct {
	*settings
	archive  *format.Archive
	selected chosen
	limited  map[format.TopicPartition]share // nil: there is no limit
	times    *format.GroupReader             // reads times that documents do not tell; nil: they are of no use
}

// plan plans the selected partitions, each with its window. Targets are named, but nothing is known of them yet.
func (p *planner) plan(ctx context.Context) (*Plan, error) {
	var err error
	if p.limited, err = p.shares(ctx); err != nil {
		return nil, err
	}
	if p.Schedule.Pace.Timed() || p.Schedule.Loops() {
		p.times = p.archive.NewGroupReader(1)
		defer p.times.Close()
	}
	id := p.archive.Identity()
	out := &Plan{ArchiveID: id.ArchiveID, SourceCluster: id.ClusterID, Shard: p.Shard, Total: Amount{Exact: true}, Topics: []PlannedTopic{}}
	out.addSource(id.ClusterID)
	for _, name := range p.selected.topics {
		target, err := p.Mapping.Topic(name)
		if err != nil {
			return nil, err
		}
		out.Topics = append(out.Topics, PlannedTopic{Topic: name, Target: target, Total: Amount{Exact: true}, source: describedTopic(id, name)})
	}
	for _, tp := range p.selected.all {
		t := out.topic(tp.Topic)
		to, _ := p.Partitioner.Fixed(tp.Partition)
		t.needs = max(t.needs, tp.Partition+1, to+1)
	}
	for _, tp := range p.selected.partitions {
		if err := p.partition(out, tp); err != nil {
			return nil, fmt.Errorf("plan %s: %w", tp, err)
		}
	}
	return out, nil
}

func describedTopic(id format.Identity, name string) origin.Topic {
	i, ok := slices.BinarySearchFunc(id.Topics, name, func(t origin.Topic, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return origin.Topic{Name: name}
	}
	return id.Topics[i]
}

func (p *planner) partition(plan *Plan, tp format.TopicPartition) error {
	part := PlannedPartition{Partition: tp.Partition, Target: -1, Total: Amount{Exact: true}, window: p.window}
	if to, ok := p.Partitioner.Fixed(tp.Partition); ok {
		part.Target = to
	}
	for walk := p.archive.Walk(tp, p.window); ; {
		place, err := walk.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		plan.addSource(place.Document.Source.ClusterID)
		part.add(&place, p.times)
	}
	part.cut()
	part.Total.Exact = part.Total.Exact && p.Reshape == nil
	if l, ok := p.limited[tp]; ok {
		part.window, part.Total = l.window, l.total
	}
	i, _ := slices.BinarySearchFunc(plan.Topics, tp.Topic, func(t PlannedTopic, name string) int { return strings.Compare(t.Topic, name) })
	plan.Topics[i].Partitions = append(plan.Topics[i].Partitions, part)
	return nil
}

func (p *Plan) addSource(clusterID string) {
	if clusterID != "" && !slices.Contains(p.sources, clusterID) {
		p.sources = append(p.sources, clusterID)
	}
}

// add adds a row group.
func (p *PlannedPartition) add(place *format.Place, times *format.GroupReader) {
	g := place.Group()
	p.groups.add(g)
	a := Amount{Records: g.Records, Bytes: g.Bytes, Exact: place.Whole(), MinTimestampMs: g.MinTimestampMs, MaxTimestampMs: g.MaxTimestampMs}
	a.span.add(place, times)
	p.Total.add(a)
}

// cut takes out of the total what row groups reach beyond the window in time.
func (p *PlannedPartition) cut() {
	if from := p.window.From; !from.IsZero() {
		p.Total.MinTimestampMs = max(p.Total.MinTimestampMs, from.UnixMilli())
		p.Total.span.first = max(p.Total.span.first, from.UnixMilli())
	}
	if until := p.window.Until; !until.IsZero() {
		p.Total.MaxTimestampMs = min(p.Total.MaxTimestampMs, until.UnixMilli()-1)
		p.Total.span.last = min(p.Total.span.last, until.UnixMilli()-1)
	}
}

// resume takes out of the plan what a checkpoint says is acknowledged.
func (p *Plan) resume(saved *checkpoint.State) {
	if saved == nil {
		return
	}
	states := make(map[format.TopicPartition]checkpoint.Partition)
	for _, state := range saved.Partitions {
		states[format.TopicPartition{Topic: state.Topic, Partition: state.Partition}] = state
	}
	for i := range p.Topics {
		topic := &p.Topics[i]
		for j := range topic.Partitions {
			part := &topic.Partitions[j]
			if state, ok := states[format.TopicPartition{Topic: topic.Topic, Partition: part.Partition}]; ok {
				part.resume(state)
			}
		}
	}
}

func (p *PlannedPartition) resume(state checkpoint.Partition) {
	p.earlier = state
	p.window.FromOffset = max(p.window.FromOffset, state.Next)
	p.Earlier = state.Records
	bytes := state.Bytes
	for _, r := range state.Beyond {
		p.Earlier += r.Records
		bytes += r.Bytes
	}
	p.Total.Records = max(0, p.Total.Records-p.Earlier-state.LeftOut)
	p.Total.Bytes = max(0, p.Total.Bytes-bytes)
}

// sum fills in the totals of topics and plan.
func (p *Plan) sum() {
	for i := range p.Topics {
		topic := &p.Topics[i]
		for _, part := range topic.Partitions {
			topic.Total.add(part.Total)
			p.Earlier += part.Earlier
		}
		p.Total.add(topic.Total)
	}
}

// partitionsNeeded is how many partitions the target topic needs for the records that do not choose by themselves.
func (t *PlannedTopic) partitionsNeeded() int32 {
	needed := int32(1)
	for _, p := range t.Partitions {
		needed = max(needed, p.Target+1)
	}
	return needed
}

// largestRecord bounds the largest record of the topic, in canonical bytes.
func (t *PlannedTopic) largestRecord() int64 {
	var n int64
	for _, p := range t.Partitions {
		n = max(n, p.groups.bytes)
	}
	return n
}
