package replay

import (
	"cmp"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/reshaping"
	"github.com/karchive/karchive/selection"
)

// The defaults of Options. Their documentation states them.
const (
	DefaultLanes              = 4
	defaultMemoryBytes        = 48 << 20
	defaultConnectTimeout     = 10 * time.Second
	defaultStallTimeout       = 2 * time.Minute
	defaultFlushTimeout       = 10 * time.Second
	defaultCheckpointInterval = time.Second
	defaultTransactionBytes   = 128 << 20
	defaultTransactionTimeout = time.Minute
)

// Timestamps says which timestamps replayed records have.
type Timestamps string

// The timestamps that a replay can give.
const (
	KeepTimestamps Timestamps = "keep" // those of the archive, also "none" (-1)
	NowTimestamps  Timestamps = "now"  // the moment of sending
	// ShiftTimestamps gives the first record the moment of its sending and all others the distances that they had. At top speed "first"
	// is the earliest timestamp of the row groups that are selected. A replay that goes on keeps the shift that it began with.
	ShiftTimestamps Timestamps = "shift"
)

// Acks says when a record counts as acknowledged. Only with AcksAll is the producer idempotent: then a lost answer never doubles a
// record. With fewer one request at a time is in flight, so that order still holds.
type Acks string

// What a producer can wait for.
const (
	AcksAll    Acks = "all"    // all replicas in sync have it
	AcksLeader Acks = "leader" // the leader has it
	AcksNone   Acks = "none"   // it was written to the connection
)

// Options says what to replay and how. The zero value sends the whole archive, at top speed, to topics of the same names and partitions
// of the same numbers, with the same timestamps.
type Options struct {
	// Topics are names and globs (*, ?, [a-z]) of topics in the archive. A name that the archive does not have is an error. Empty: all.
	// Globs and empty leave out internal topics, which begin with two underscores.
	Topics []string
	// Partitions selects partitions of the archive in every topic; empty: all.
	Partitions []int32
	// Shard selects of those the ones of one replay among several, which play the archive between them. Limit, StartAt and the making of topics
	// go by the partitions of all of them; the pace of a Schedule is each one's own.
	Shard routing.Shard
	// From and Until select records by their timestamp or offset. From is inclusive, and the beginning when it is not given. Until is exclusive,
	// and the end when it is not given.
	From, Until selection.Position
	// Limit is the most records to send, over all partitions; 0: no limit. They are the first ones when the partitions are merged by
	// time, with a record never before an earlier one of its partition; ties go by topic and partition. They are chosen before the
	// first is sent, which decodes them twice.
	Limit int64

	// Mapping renames topics.
	Mapping routing.Mapping
	// Partitioner chooses the partition of each record.
	Partitioner routing.Partitioner
	// Timestamps is KeepTimestamps when empty.
	Timestamps Timestamps

	// Reshape, if set, leaves records out and changes them before they are sent. Limit counts what it leaves, and Plan what there is.
	Reshape reshaping.Reshaper

	// CreateTopics makes topics that the target does not have, with the partition count and the overridden configs that the archive
	// has of them. Without it a missing topic is a MissingTopicsError.
	CreateTopics bool
	// TopicConfigs are given to topics that are made, over the configs of the archive. NoTopicConfigs leaves those of the archive out. One of
	// the archive that the target does not have is left out with a Finding; one of TopicConfigs is an error.
	TopicConfigs   map[string]string
	NoTopicConfigs bool
	// ReplicationFactor is that of topics that are made; 0 and -1: the target's default.
	ReplicationFactor int16
	// AllowSourceCluster lets a replay go into the cluster that the archive was captured from.
	AllowSourceCluster bool
	// Force goes on where the preflight is certain that something is lost. Records that the target cannot take are then left out, and
	// counted, where without Force the partition stops at the first of them.
	Force bool

	// Acks is AcksAll when empty.
	Acks Acks
	// Compression of the batches that are sent: none, gzip, snappy, lz4, zstd, or source, which empty is too: what most of the bytes were
	// compressed with in the topics of the source, by their compression.type or else by the batches that were captured, as far as the archive
	// knows it, else none. (A topic's compression.type may override it
	// in the log.) A record that is larger than the target's limit only before compression is sent.
	Compression string

	// Lanes is the number of partitions that are sent at once; 0: DefaultLanes.
	Lanes int
	// MemoryBytes bounds the records in memory, decoded and not yet acknowledged, with what they cost beyond their bytes. One row group
	// a replay may pass it, when it alone is larger. 0: 48 MiB.
	MemoryBytes int64

	// ConnectTimeout bounds the first contact with the cluster; 0: 10 seconds.
	ConnectTimeout time.Duration
	// StallTimeout ends the replay with an error that wraps ErrStalled when records are under way and none was acknowledged for so long; 0:
	// 2 minutes.
	StallTimeout time.Duration
	// FlushTimeout bounds the wait for what is in flight when the context ends; 0: 10 seconds.
	FlushTimeout time.Duration

	// Schedule says when records are due. The zero value is top speed: partitions in parallel, and order only within each. Any other
	// sends the records of all partitions in one order, by time.
	Schedule timeline.Schedule
	// Pacing says how the replay keeps to a schedule.
	Pacing Pacing
	// Control pauses the replay; nil: nobody does.
	Control *Control
	// TempDir is where a timed replay, or one with a Limit, keeps what is decoded and finds no room in memory; empty: the system's place for
	// temporary files.
	TempDir string
	// Hooks are added to the clients that send, and to no other. There is a second one for records that are larger than the target's limit
	// only before compression.
	Hooks []kgo.Hook

	// Checkpoint keeps what is acknowledged; the same replay goes on from it. Nil: nothing is kept.
	Checkpoint Checkpoint
	// CheckpointInterval is the time between two saves; 0: a second.
	CheckpointInterval time.Duration

	// Groups sets consumer groups in the target to where they were. A replay that goes on must have begun with the same ones.
	Groups Groups

	// ExactlyOnce sends in transactions that carry the progress, in CheckpointTopic of the target. A replay that is killed at any moment
	// and started again goes on so that for readers with read_committed no record is lost or doubled. They see records when their
	// transaction is committed: every CheckpointInterval, or after TransactionBytes. It needs AcksAll and takes no Checkpoint.
	ExactlyOnce bool
	// ReplayID names a replay that is exactly once. Of two at a time with the same id the target lets the one go on that began last.
	// Empty: an id that the archive and the options which shape what is sent determine.
	ReplayID string
	// Restart makes an exactly-once replay begin again whatever the target has of its progress, and of its records.
	Restart bool
	// TransactionBytes bounds the canonical bytes of a transaction, but for one record; 0: 128 MiB.
	TransactionBytes int64
	// TransactionTimeout is when the target ends a transaction that nobody commits; 0: a minute. Its readers with
	// read_committed wait that long when a replay is killed and not started again.
	TransactionTimeout time.Duration

	// DryRun plans and looks at the target, and sends and makes nothing. It fails where the replay itself would, before sending.
	DryRun bool
	// Clock is the time that the replay goes by; nil: the system's.
	Clock Clock
	// OnPlan, if set, is called once with the plan and its findings, before anything is made or sent.
	OnPlan func(*Plan)
	// OnProgress, if set, is called about every 200 ms, never twice at once, and a last time at the end. It must return quickly.
	OnProgress func(Progress)
}

// settings are Options with everything filled in, and what one run of them makes of it. It is a value: what is done with it belongs to others.
type settings struct {
	Options
	rules    rules
	window   format.Selection
	progress checkpoint.Store // nil: nothing is kept
	topic    *checkpointTopic // the same; nil: the replay is not exactly once
	precise  bool             // sleeps end with precision

	startPassed bool   // Pacing.StartAt had passed when the replay was asked for
	note        string // why they do not, although they should
}

func (o Options) normalize() (settings, error) {
	if err := o.Check(); err != nil {
		return settings{}, err
	}
	o.fillDefaults()
	s := settings{Options: o}
	if o.Checkpoint != nil {
		s.progress = checkpoint.Documents(o.Checkpoint)
	}
	s.precise, s.note = precise(o)
	s.startPassed = !s.Pacing.StartAt.IsZero() && s.Pacing.StartAt.Before(s.Clock.Now())
	if s.startPassed && s.Checkpoint == nil && !s.ExactlyOnce {
		return s, s.Pacing.tooLate()
	}
	return s, nil
}

func (o *Options) fillDefaults() {
	o.From, o.Until = o.From.Or(selection.Beginning), o.Until.Or(selection.End)
	options.Default(&o.Timestamps, KeepTimestamps)
	options.Default(&o.ReplicationFactor, -1)
	options.Default(&o.Acks, AcksAll)
	options.Default(&o.Compression, sourceCompression)
	options.Default(&o.Lanes, DefaultLanes)
	options.Default(&o.MemoryBytes, defaultMemoryBytes)
	options.Default(&o.ConnectTimeout, defaultConnectTimeout)
	options.Default(&o.StallTimeout, defaultStallTimeout)
	options.Default(&o.FlushTimeout, defaultFlushTimeout)
	options.Default(&o.CheckpointInterval, defaultCheckpointInterval)
	options.Default(&o.TransactionBytes, defaultTransactionBytes)
	options.Default(&o.TransactionTimeout, defaultTransactionTimeout)
	o.Pacing.fillDefaults()
	if o.Control == nil {
		o.Control = &Control{}
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
}

// Check says what of the options cannot be, or does not go together, with an error that wraps ErrOptions. Run does the same, but it is
// sometimes good to know before an archive is opened.
func (o Options) Check() error {
	pacing := o.Pacing
	o.fillDefaults()
	if err := o.checkValues(); err != nil {
		return err
	}
	return cmp.Or(o.checkProgress(), o.Schedule.Check(), o.checkShard(), o.checkExactlyOnce(), o.checkGroups(), pacing.check(o.Schedule.Pace))
}

// checkValues looks at each option alone.
func (o *Options) checkValues() error {
	_, known := codecs[o.Compression]
	switch {
	case !known && o.Compression != sourceCompression:
		return options.New("", "compression %q is none of source, none, gzip, snappy, lz4 and zstd", o.Compression)
	case o.Timestamps != KeepTimestamps && o.Timestamps != NowTimestamps && o.Timestamps != ShiftTimestamps:
		return options.New("", "timestamps %q is none of %s, %s and %s", o.Timestamps, KeepTimestamps, NowTimestamps, ShiftTimestamps)
	case o.Acks != AcksAll && o.Acks != AcksLeader && o.Acks != AcksNone:
		return options.New("", "acks %q is none of %s, %s and %s", o.Acks, AcksAll, AcksLeader, AcksNone)
	case o.ReplicationFactor < -1:
		return options.New("", "replication factor %d is below 1", o.ReplicationFactor)
	case o.Limit < 0 || o.Lanes < 0 || o.MemoryBytes < 0 || o.ConnectTimeout < 0 || o.StallTimeout < 0 || o.FlushTimeout < 0 ||
		o.CheckpointInterval < 0 || o.TransactionBytes < 0 || o.TransactionTimeout < 0:
		return options.New("", "limits must not be negative")
	}
	return cmp.Or(selection.CheckGlobs(o.Topics), selection.CheckWindow(o.From, o.Until))
}

// checkProgress refuses to keep the progress of rounds.
func (o *Options) checkProgress() error {
	const why = "a replay that goes on cannot tell rounds apart"
	switch {
	case o.Checkpoint != nil && o.Schedule.Loops():
		return options.New(why, "{Checkpoint} and {Loop} exclude each other")
	case o.ExactlyOnce && o.Schedule.Loop != 0:
		return options.New(why, "{ExactlyOnce} and {Loop} exclude each other")
	}
	return nil
}
