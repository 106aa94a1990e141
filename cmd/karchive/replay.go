package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

type replayOptions struct {
	archive string
	connection
	recordOptions
	restoring
	pacing
	groups       cli.StringSlice
	topicConfigs cli.StringSlice
	timestamps   string
	acks         string
	compression  string
	replication  int
	progress     string
	reports      cli.StringSlice
	metrics      string
	originals    bool
	incomplete   bool
	memory       int64
	table        tableReplay
	given        func(flag string) bool
	replay       replay.Options
	format       string
}

func replayCommand(e *env) *cli.Command {
	o := replayOptions{memory: defaultMemory}
	return &cli.Command{
		Name:        "replay",
		Usage:       "send the records of an archive, or of a CSV file, to a cluster",
		ArgsUsage:   "ARCHIVE|FILE.csv -b BROKERS [flags]",
		Description: replayDescription,
		Flags:       o.flags(e),
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE or a CSV file"); err != nil {
				return err
			}
			o.given = c.IsSet
			return runReplay(c.Context, e, o)
		},
	}
}

const replayDescription = `Sends at top speed, keeping the order within each partition, or in time: with --speed 1 all partitions together, by one clock, as they
were recorded; with --rate and --bandwidth steadily, in the same order. A timed replay pauses and goes on at SIGUSR1, and on a terminal
at the space bar. With --progress the same command goes on after an interruption.

Before the first record it compares the target with the archive: what may be lost is a warning, what is certain to be lost is refused
unless --force is given. Replaying into the cluster that was captured is refused unless --allow-source-cluster is given. Rules (--filter,
--mask and the like) leave out and change records on the way; --dry-run shows the first records of each topic as the rules leave them.
Exit code 3: it finished, but something was left out, or withheld because it could not be masked, or the capture of the archive did not
get to its end. The last is said before the first record, and --allow-incomplete makes its exit code 0.

A CSV file (or - for stdin) is read as a whole before anything is sent, into a temporary archive in TMPDIR, which is removed at the end.
A row is a record of --topic, in the order of the file; its value is the first column that is named for nothing else. Without
--partitioner, a row goes where Kafka's producers put its key, or without a key to all partitions in turn. Without --timestamp-column,
its timestamp says when it was sent.

With --exactly-once it sends in transactions that carry its progress, kept in topic __karchive_checkpoints of the target. Killed at any
moment, the same command goes on where the last commit was, and with its schedule; consumers with read_committed miss nothing and see
nothing twice. They see records in bursts, when a transaction is committed: at least every second, whatever the timing. Another archive,
or other options that shape what is sent, make another replay.

With --shard I/N, N processes with the same options play the archive between them, each its partitions; --start-at gives them one clock. In
a pod of an indexed Kubernetes Job, auto/N is the shard of JOB_COMPLETION_INDEX. Each keeps a replay id, and names files of --progress and
--report, of its own. Keep N for as long as a replay goes on. --rate is of each process.

With --groups, consumer groups that the archive keeps go on in the target with the record that they would have read next: exactly, also
through rules, maps and gaps, and with nothing missed where partitions are joined. A group with members there is refused before anything
is sent. Exit code 1: a group is not where it belongs.

Examples:
  karchive replay run1 -b localhost:9093 --create-topics
  karchive replay run1 -b test:9092 -t orders --map 'orders:=test.orders' --limit 10000
  karchive replay run1 -b test:9092 --map '*:=copy.*' --partitioner key --timestamps now
  karchive replay run1 -b test:9092 --from 2026-03-01 --until 2026-03-02 --dry-run
  karchive replay run1 -b test:9092 --sample 10% --sample-by value.user.id --rules mask.yaml --dry-run
  karchive replay run1 -b test:9092 --speed 1 --max-gap 5s --report run1.html
  karchive replay run1 -b test:9092 --rate 800/s --ramp 10s --loop --timestamps now --metrics 9100
  karchive replay run1 -b test:9092 --progress run1.progress
  karchive replay run1 -b new:9092 --create-topics --groups 'billing,shop-*'
  karchive replay run1 -b prod:9092 --create-topics --exactly-once
  karchive replay s3://backup/run1 -b test:9092 --create-topics --speed 1 --start-at 2026-12-01T09:00:00Z --shard auto/8`

func (o *replayOptions) flags(e *env) []cli.Flag {
	r := &o.replay
	flags := []cli.Flag{
		countFlag("limit", "at most `N` records, the first by time", "no limit", &r.Limit),
		mapFlag("rename topics, as `OLD:=NEW`, * standing for anything", (*[]routing.Rule)(&o.replay.Mapping), routing.ParseRule),
		parsed("partitioner", "where records go, as `HOW`: keep, key (as Kafka's producers), round-robin, or a map such as 0=3,1=0", "keep", &r.Partitioner, routing.ParsePartitioner),
		choiceFlag("timestamps", "`keep` those of the archive, now, or shift: the first is now and the distances stay", &o.timestamps,
			string(replay.KeepTimestamps), string(replay.NowTimestamps), string(replay.ShiftTimestamps)),
		&cli.BoolFlag{Name: "create-topics", Usage: "make topics that the target lacks, as the archive describes them", Destination: &r.CreateTopics},
		&cli.StringSliceFlag{Name: "topic-config", Usage: "set a config of topics that are made, as `NAME=VALUE`, over that of the archive; repeatable", Destination: &o.topicConfigs},
		&cli.BoolFlag{Name: "no-topic-configs", Usage: "make topics without the configs that the archive has", Destination: &r.NoTopicConfigs},
		numberFlag("replication-factor", "of topics that are made, as `N`", "the target's", &o.replication, 1, 1<<15-1),
		choiceFlag("acks", "when a record counts as sent: `all`, 1 or 0", &o.acks, "all", "1", "0"),
		choiceFlag("compression", "of what is sent: that of the `source`'s topics or batches if the archive knows it, none, gzip, snappy, lz4 or zstd", &o.compression, "source", "none", "gzip", "snappy", "lz4", "zstd"),
		groupsFlag("when all is acknowledged, let these consumer `GROUPS` go on at the same record: names and globs of what the archive keeps", &o.groups),
		&cli.BoolFlag{Name: "groups-dry-run", Usage: "print where the groups of --groups belong, and set nothing", Destination: &r.Groups.OnlyReport},
		&cli.StringFlag{Name: "progress", Usage: "`FILE` to keep what is acknowledged, so that the same command goes on", Destination: &o.progress},
		&cli.StringSliceFlag{Name: "report", Usage: "write the report to `FILE`, which ends in .json or .html; repeatable", Destination: &o.reports},
		metricsFlag(&o.metrics),
		&cli.BoolFlag{Name: "dry-run", Usage: "print the plan and what the target would do to it, and send nothing", Destination: &r.DryRun},
		&cli.BoolFlag{Name: "show-originals", Usage: "in a dry run, show records also before the rules, unmasked", Destination: &o.originals},
		&cli.BoolFlag{Name: "force", Usage: "go on where something is certain to be lost", Destination: &r.Force},
		o.registryFlag("register the schemas that records name at"), o.restoring.flag(),
		allowIncompleteFlag(&o.incomplete),
		&cli.BoolFlag{Name: "allow-source-cluster", Usage: "replay into the cluster that was captured", Destination: &r.AllowSourceCluster},
		shardFlag(e, &o.shard),
		numberFlag("lanes", "`N` partitions at once", strconv.Itoa(replay.DefaultLanes), &r.Lanes, 1, maxLanes),
		sizeFlag("memory", "the most memory to take, as `SIZE`", "256MiB", &o.memory),
		durationFlag("stall-timeout", "give up when nothing is acknowledged for `DURATION`", "2m", &r.StallTimeout),
		identityFlag(e), formatFlag(&o.format), logFlag(e), quietFlag(e),
	}
	return append(o.recordOptions.flags(slices.Concat(flags, exactlyOnceFlags(r), o.pacing.flags(), o.table.flags())...), o.connection.flags()...)
}

// acks are what a producer can wait for, as Kafka spells it.
var acks = map[string]replay.Acks{"all": replay.AcksAll, "1": replay.AcksLeader, "0": replay.AcksNone}

// complete fills in the library's options.
func (o *replayOptions) complete(ctx context.Context, e *env) (err error) {
	r := &o.replay
	r.Groups.Select = groupNames(&o.groups)
	if r.TopicConfigs, err = parseTopicConfigs(o.topicConfigs.Value()); err != nil {
		return err
	}
	if err := o.checkWindow(); err != nil {
		return err
	}
	if err := o.completeShard(e); err != nil {
		return err
	}
	if err := o.completeProgress(ctx); err != nil {
		return err
	}
	o.convert() // the name of the progress is that of the shard now, and the pace asks whether there is one
	for _, name := range o.reports.Value() {
		if err := checkReportName(name); err != nil {
			return err
		}
	}
	if err := o.pacing.complete(e.now(), r); err != nil {
		return err
	}
	return optionUsage(r.Check())
}

// convert hands over what the library spells otherwise.
func (o *replayOptions) convert() {
	r := &o.replay
	r.Topics, r.Partitions = o.names(), o.partitions
	r.From, r.Until, _ = o.positions()
	r.Timestamps, r.Acks, r.Compression = replay.Timestamps(o.timestamps), acks[o.acks], o.compression
	r.ReplicationFactor = int16(o.replication)
	r.MemoryBytes = int64(float64(o.memory) * recordShare)
	r.ConnectTimeout = o.timeout
	if o.progress != "" {
		r.Checkpoint = replay.NewProgressFile(o.progress)
	}
}

// parseTopicConfigs reads what --topic-config takes. Of one name the last counts.
func parseTopicConfigs(texts []string) (map[string]string, error) {
	configs := make(map[string]string)
	for _, text := range texts {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usage("--topic-config: not NAME=VALUE") // the text may be a secret that went astray
		}
		configs[name] = value
	}
	return configs, nil
}
