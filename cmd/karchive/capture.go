package main

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/units"
)

type captureOptions struct {
	archive string
	connection
	selected
	reshapeFlags
	isolation   string
	metrics     string
	memory      int64
	encoding    format.Encoding // empty: the archive's, of a new one the default
	compression format.Compression
	groups      cli.StringSlice
	protocol    string
	capture     capture.Options
	format      string
}

func captureCommand(e *env) *cli.Command {
	o := captureOptions{memory: defaultMemory}
	return &cli.Command{
		Name:      "capture",
		Usage:     "copy topics of a cluster into an archive",
		ArgsUsage: "-b BROKERS -t TOPICS -o DIR [flags]",
		Description: `Takes what there is now and ends (a snapshot), or goes on until it is stopped with --follow. The same command again on the same
archive continues it, however it ended before: after Ctrl-C or a kill it completes the snapshot that was begun, after that it takes what is new.
Nothing is committed to Kafka and no consumer group is used, unless --group shares the work. Exit code 3: it finished, but the cluster
had deleted records before they could be read, which the archive names, or records were withheld because they could not be masked, or a group of
--groups is not kept.

With --groups the archive also keeps how far consumer groups were in what is captured, as they are when it begins; with --follow as they are when
it ends. karchive info --groups shows them, and karchive replay --groups sets them in another cluster.

With --follow --group NAME any number of these commands, started on any machines, share the partitions through Kafka's group protocol and fill one
archive, in a bucket or in a directory of one machine. They may come, end and be killed at any time. The group must be of this archive alone.

Rules (--filter, --mask and the like) leave out and change records before they are written. What is left out is counted in the archive as
filtered; the archive is bound to the rules and goes on with the same ones only.

Examples:
  karchive capture -b localhost:9092 -t orders -o run1
  karchive capture -b localhost:9092 -t orders --groups 'billing,shop-*' -o run1
  karchive capture -b broker:9092 -t 'orders,payments-*' --from -2h -o run1
  karchive capture -b broker:9092 -t orders --follow --stop-after duration=1h -o run1
  karchive capture -b broker:9092 -t 'orders,payments-*' --follow --group archive-orders -o s3://backup/orders
  karchive capture -b broker:9092 -t orders -o run1 --encoding arrow
  karchive capture -b broker:9092 -t orders -o run1 --rules mask.yaml --sample 10%
  karchive capture --config client.properties -t orders --partitions 0,3-5 -o run1 --format json`,
		Flags:  o.flags(e),
		Action: func(c *cli.Context) error { return runCapture(c, e, o) },
	}
}

func (o *captureOptions) flags(e *env) []cli.Flag {
	c := &o.capture
	flags := append([]cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the archive's `DIR`, or its place in a bucket, made when it is not there", Destination: &o.archive},
		spoolFlag(e),
		sizeFlag("spool-size", "of a follow capture into a bucket: let at most so much wait for upload, as `SIZE`", "4GiB", &c.SpoolBytes),
	}, o.selected.flags()...)
	flags = append(flags,
		&cli.BoolFlag{Name: "follow", Usage: "go on until Ctrl-C, SIGTERM, SIGHUP or --stop-after", Destination: &c.Follow},
		parsed("stop-after", "end a follow capture at `LIMIT`: records=N, bytes=SIZE or duration=D, in a comma list", "", &c.StopAfter, parseStopAfter),
		&cli.StringFlag{Name: "group", Usage: "of a follow capture: share the partitions with the other members of this consumer group, `NAME`", Destination: &c.Member.Group},
		&cli.StringFlag{Name: "group-instance-id", Usage: "be a static member, `ID`, which keeps its partitions while it is restarted", Destination: &c.Member.InstanceID},
		choiceFlag("group-protocol", "`cooperative`, eager, or consumer (KIP-848, Kafka 4.0), the same for all members", &o.protocol, string(group.Cooperative), string(group.Eager), string(group.Consumer)),
		durationFlag("group-session-timeout", "give the partitions of a silent member to others after `DURATION`", "45s", &c.Member.SessionTimeout),
		groupsFlag("also keep the committed offsets of these `GROUPS`: names and globs such as shop-*, in a comma list or repeated", &o.groups),
		choiceFlag("isolation", "`read_committed` or read_uncommitted", &o.isolation, string(origin.ReadCommitted), string(origin.ReadUncommitted)),
		encodingFlag("of segments: `parquet` or arrow", "that of the archive, parquet of a new one", &o.encoding),
		parsed("compression", "of segments, as `CODEC`: zstd, zstd:LEVEL (1 to 22) or none", "zstd:1", &o.compression, format.ParseCompression),
		sizeFlag("rotate-size", "begin a new segment at this `SIZE` of records", "256MiB", &c.RotateBytes),
		countFlag("rotate-records", "begin a new segment at `N` records", "no limit", &c.RotateRecords),
		durationFlag("rotate-interval", "of a follow capture: seal a segment at this `AGE`", "5m", &c.RotateInterval),
		numberFlag("lanes", "`N` partitions of a snapshot at once", strconv.Itoa(capture.DefaultLanes), &c.Lanes, 1, maxLanes),
		sizeFlag("memory", "the most memory to take, as `SIZE`", "256MiB", &o.memory),
		&cli.BoolFlag{Name: "require-hw", Usage: "exit with 3 when open transactions keep a snapshot behind the high watermark", Destination: &c.RequireHW},
		o.registryFlag("keep the schemas that records name, fetched from"),
		&cli.BoolFlag{Name: "skip-corrupt", Usage: "record batches that cannot be read as gaps, and go on (exit code 3)", Destination: &c.SkipCorrupt},
		metricsFlag(&o.metrics),
		durationFlag("stall-timeout", "give up on a partition without progress after `DURATION`", "1m", &c.StallTimeout),
		formatFlag(&o.format), logFlag(e), quietFlag(e))
	return slices.Concat(flags, o.reshapeFlags.flags(), o.connection.flags())
}

// groupNames are the values of a flag of groups.
func groupNames(given *cli.StringSlice) []string {
	return units.SplitList(strings.Join(given.Value(), ","))
}

func parseStopAfter(s string) (capture.StopAfter, error) {
	const never = "until it is stopped"
	var stop capture.StopAfter
	for _, part := range units.SplitList(s) {
		what, limit, _ := strings.Cut(part, "=")
		var err error
		switch what {
		case "records":
			stop.Records, err = positive(units.ParseCount, never)(limit)
		case "bytes":
			stop.Bytes, err = positive(units.ParseSize, never)(limit)
		case "duration":
			stop.Duration, err = positive(units.ParseDuration, never)(limit)
		default:
			err = errors.New("not a limit: use records=N, bytes=SIZE or duration=D")
		}
		if err != nil {
			return stop, err
		}
	}
	return stop, nil
}

// complete checks what only the whole command line can tell, and fills in the library's options.
func (o *captureOptions) complete(c *cli.Context, e *env) error {
	err := cmp.Or(noArguments(c), checkDirectory(o.archive))
	if err != nil {
		return err
	}
	if o.capture.From, o.capture.Until, err = o.positions(); err != nil {
		return err
	}
	o.capture.Topics, o.capture.Partitions = o.names(), o.partitions
	o.capture.Groups = groupNames(&o.groups)
	o.capture.Isolation, o.capture.Compression = origin.Isolation(o.isolation), o.compression
	if o.capture.Member.Group != "" || c.IsSet("group-protocol") {
		o.capture.Member.Protocol = group.Protocol(o.protocol)
	}
	o.capture.MemoryBytes = int64(float64(o.memory) * recordShare)
	o.capture.ConnectTimeout = o.timeout
	if o.archive == "" {
		return &usageError{"no archive given", "give -o DIR"}
	}
	return optionUsage(o.capture.Check())
}
