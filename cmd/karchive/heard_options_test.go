package main

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/extract"
	"github.com/karchive/karchive/internal/imports"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
)

// asked is a command's flags, and what makes of them the options of the package that does the work.
type asked[O any] struct {
	flags   []cli.Flag
	options func(c *cli.Context, e *env) (O, error)
}

// setting is flags, and what an option is by them and not without.
type setting[O any] struct {
	flags  string
	option func(o O) any
	want   any
}

// heed holds options to the flags that set them. What the options do is for the tests of their package.
func heed[O any](t *testing.T, ask func(e *env) asked[O], base []string, settings []setting[O]) {
	t.Helper()
	plain := optionsBy(t, ask, base)
	for _, s := range settings {
		if got := s.option(optionsBy(t, ask, slices.Concat(base, strings.Fields(s.flags)))); !reflect.DeepEqual(got, s.want) {
			t.Errorf("%s: got %v, want %v", s.flags, got, s.want)
		}
		if got := s.option(plain); reflect.DeepEqual(got, s.want) {
			t.Errorf("without %s: got %v, too", s.flags, got)
		}
	}
}

// optionsBy reads a command line as the program does.
func optionsBy[O any](t *testing.T, ask func(e *env) asked[O], args []string) (options O) {
	t.Helper()
	e := newEnv(strings.NewReader(""), io.Discard, io.Discard)
	e.environ = nil
	a := ask(e)
	command := &cli.Command{Name: "asked", HideHelp: true, Flags: a.flags, Action: func(c *cli.Context) (err error) {
		options, err = a.options(c, e)
		return err
	}}
	line, err := arrange([]*cli.Command{command}, append([]string{command.Name}, args...))
	if err == nil {
		app := &cli.App{Name: "karchive", Commands: []*cli.Command{command}, HideHelp: true, DisableSliceFlagSeparator: true, ExitErrHandler: func(*cli.Context, error) {}}
		err = app.RunContext(t.Context(), append([]string{app.Name}, line.args...))
	}
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return options
}

func TestTheOptionsOfACaptureAreThoseOfItsFlags(t *testing.T) {
	type options = capture.Options
	ask := func(e *env) asked[options] {
		o := &captureOptions{memory: defaultMemory}
		return asked[options]{o.flags(e), func(c *cli.Context, e *env) (options, error) {
			err := o.complete(c, e)
			return o.capture, err
		}}
	}
	heed(t, ask, []string{"-o", "new", "-t", "orders"}, []setting[options]{
		{"--follow --spool-size 3GiB", func(o options) any { return o.SpoolBytes }, int64(3 << 30)},
		{"--require-hw", func(o options) any { return o.RequireHW }, true},
		{"--skip-corrupt", func(o options) any { return o.SkipCorrupt }, true},
		{"--lanes 3", func(o options) any { return o.Lanes }, 3},
		{"--stall-timeout 7s", func(o options) any { return o.StallTimeout }, 7 * time.Second},
		{"--connect-timeout 7s", func(o options) any { return o.ConnectTimeout }, 7 * time.Second},
		{"--memory 64MiB", func(o options) any { return o.MemoryBytes }, int64(16 << 20)},
		{"--rotate-size 3MiB", func(o options) any { return o.RotateBytes }, int64(3 << 20)},
		{"--rotate-records 3", func(o options) any { return o.RotateRecords }, int64(3)},
		{"--follow --rotate-interval 7s", func(o options) any { return o.RotateInterval }, 7 * time.Second},
		{"--isolation read_uncommitted", func(o options) any { return o.Isolation }, origin.ReadUncommitted},
		{"--compression zstd:7", func(o options) any { return o.Compression }, format.Compression("zstd:7")},
		{"--partitions 1", func(o options) any { return o.Partitions }, []int32{1}},
		{"--groups billing,shop", func(o options) any { return o.Groups }, []string{"billing", "shop"}},
		{"--follow --stop-after records=3,bytes=2MiB,duration=7s", func(o options) any { return o.StopAfter },
			capture.StopAfter{Records: 3, Bytes: 2 << 20, Duration: 7 * time.Second}},
		{"--follow --group all --group-instance-id one --group-protocol eager --group-session-timeout 7s", func(o options) any { return o.Member },
			group.Member{Group: "all", InstanceID: "one", Protocol: group.Eager, SessionTimeout: 7 * time.Second}},
	})
}

func TestTheOptionsOfAReplayAreThoseOfItsFlags(t *testing.T) {
	type options = replay.Options
	ask := func(e *env) asked[options] {
		o := &replayOptions{memory: defaultMemory}
		return asked[options]{o.flags(e), func(c *cli.Context, e *env) (options, error) {
			o.given = c.IsSet
			err := o.complete(c.Context, e)
			return o.replay, err
		}}
	}
	heed(t, ask, nil, []setting[options]{
		{"--create-topics --no-topic-configs", func(o options) any { return o.NoTopicConfigs }, true},
		{"--create-topics --topic-config retention.ms=1", func(o options) any { return o.TopicConfigs }, map[string]string{"retention.ms": "1"}},
		{"--create-topics --replication-factor 3", func(o options) any { return o.ReplicationFactor }, int16(3)},
		{"--create-topics", func(o options) any { return o.CreateTopics }, true},
		{"--lanes 3", func(o options) any { return o.Lanes }, 3},
		{"--stall-timeout 7s", func(o options) any { return o.StallTimeout }, 7 * time.Second},
		{"--connect-timeout 7s", func(o options) any { return o.ConnectTimeout }, 7 * time.Second},
		{"--memory 64MiB", func(o options) any { return o.MemoryBytes }, int64(16 << 20)},
		{"--rate 8/s --warmup 7s", func(o options) any { return o.Pacing.Warmup }, 7 * time.Second},
		{"--rate 8/s --on-late shift", func(o options) any { return o.Pacing.OnLate }, replay.ShiftLate},
		{"--rate 8/s --on-late drop", func(o options) any { return o.Pacing.OnLate }, replay.DropLate},
		{"--rate 8/s --max-catchup 7s", func(o options) any { return o.Pacing.MaxCatchUp }, 7 * time.Second},
		{"--rate 8/s --max-catchup 0s", func(o options) any { return o.Pacing.MaxCatchUp }, time.Nanosecond},
		{"--rate 8/s --precision high", func(o options) any { return o.Pacing.Precision }, replay.HighPrecision},
		{"--speed 1 --max-gap 7s", func(o options) any { return o.Schedule.MaxGap }, 7 * time.Second},
		{"--limit 3", func(o options) any { return o.Limit }, int64(3)},
		{"--partitioner key", func(o options) any { return o.Partitioner }, routing.ByKey},
		{"--timestamps shift", func(o options) any { return o.Timestamps }, replay.ShiftTimestamps},
		{"--acks 1", func(o options) any { return o.Acks }, replay.AcksLeader},
		{"--groups billing --groups-dry-run", func(o options) any { return o.Groups.OnlyReport }, true},
		{"--dry-run", func(o options) any { return o.DryRun }, true},
		{"--force", func(o options) any { return o.Force }, true},
		{"--allow-source-cluster", func(o options) any { return o.AllowSourceCluster }, true},
		{"--exactly-once --replay-id one", func(o options) any { return o.ReplayID }, "one"},
		{"--exactly-once --restart", func(o options) any { return o.Restart }, true},
	})
}

// howTablesAreRead are the settings of all commands that take CSV.
var howTablesAreRead = []setting[imports.OpenOptions]{
	{"--timestamp-column at --time-unit s", func(o imports.OpenOptions) any { return o.Mapping.TimeUnit }, imports.TimeUnit("s")},
	{"--timestamp-column at", func(o imports.OpenOptions) any { return o.Mapping.Timestamp }, "at"},
	{"--column v", func(o imports.OpenOptions) any { return o.Mapping.Value.Name }, "v"},
	{"--key-column k", func(o imports.OpenOptions) any { return o.Mapping.Key.Name }, "k"},
	{"--delimiter tab", func(o imports.OpenOptions) any { return o.CSV.Comma }, byte('\t')},
	{"--no-header", func(o imports.OpenOptions) any { return o.CSV.NoHeader }, true},
	{"--null NULL", func(o imports.OpenOptions) any { return o.CSV.Null }, "NULL"},
	{"--max-row 3MiB", func(o imports.OpenOptions) any { return o.MaxRow }, int64(3 << 20)},
	{"--max-expansion 7", func(o imports.OpenOptions) any { return o.Foreign.MaxRatio }, int64(7)},
}

func TestAReplayReadsCSVAsItsFlagsSay(t *testing.T) {
	type options = imports.OpenOptions
	heed(t, func(e *env) asked[options] {
		o := &replayOptions{}
		return asked[options]{o.flags(e), func(*cli.Context, *env) (options, error) { return o.table.opening(""), nil }}
	}, nil, howTablesAreRead)
}

func TestAnImportReadsFilesAsItsFlagsSay(t *testing.T) {
	type options = imports.OpenOptions
	of := func(kind imports.Kind) func(e *env) asked[options] {
		return func(e *env) asked[options] {
			o := &importOptions{kind: kind}
			return asked[options]{o.flags(e), func(*cli.Context, *env) (options, error) { return o.complete() }}
		}
	}
	heed(t, of(imports.CSV), nil, slices.Concat(howTablesAreRead, []setting[options]{
		{"--topic-column t", func(o options) any { return o.Mapping.Topic }, "t"},
		{"--partition-column p", func(o options) any { return o.Mapping.Partition }, "p"},
		{"--offset-column o", func(o options) any { return o.Mapping.Offset }, "o"},
	}))
	heed(t, of(imports.Speedscale), nil, []setting[options]{
		{"--calls produce", func(o options) any { return [2]bool{o.Snapshot.Calls.Fetch, o.Snapshot.Calls.Produce} }, [2]bool{false, true}},
		{"--max-row 3MiB", func(o options) any { return o.MaxRow }, int64(3 << 20)},
		{"--max-expansion 7", func(o options) any { return o.Foreign.MaxRatio }, int64(7)},
	})
	if optionsBy(t, of(imports.Speedscale), []string{"--rrpairs", `(command IS "Fetch")`}).Snapshot.Filter == nil {
		t.Error("--rrpairs sets no filter")
	}
}

func TestTheOptionsOfAnExtractionAreThoseOfItsFlags(t *testing.T) {
	type options = *extractOptions
	heed(t, func(e *env) asked[options] {
		o := &extractOptions{}
		return asked[options]{o.flags(e), func(*cli.Context, *env) (options, error) { return o, nil }}
	}, nil, []setting[options]{
		{"--raw", func(o options) any { return o.raw }, true},
		{"--max-row 3MiB", func(o options) any { return o.maxRow }, int64(3 << 20)},
		{"--max-expansion 7", func(o options) any { return o.unpacking().MaxRatio }, int64(7)},
		{"--skip-corrupt", func(o options) any { return o.skipCorrupt }, true},
		{"--skip-bad 3", func(o options) any { return o.skipBad }, int64(3)},
		{"--limit 3", func(o options) any { return o.limit }, int64(3)},
		{"--explode", func(o options) any { return o.explode }, true},
		{"--no-header --null NULL --missing none --csv-safe --format tsv", func(o options) any { return o.table },
			extract.FormatOptions{Format: extract.TSV, NoHeader: true, Null: "NULL", Missing: "none", SpreadsheetSafe: true}},
	})
}

// howRecordsAreDue are the settings of all commands that serve archives.
var howRecordsAreDue = []setting[serve.Options]{
	{"--speed 1 --max-gap 7s", func(o serve.Options) any { return o.Schedule.MaxGap }, 7 * time.Second},
	{"--loop 3", func(o serve.Options) any { return o.Schedule.Loop }, int64(3)},
	{"--loop", func(o serve.Options) any { return o.Schedule.Loop }, timeline.Forever},
	{"--loop 3 --loop-delay 7s", func(o serve.Options) any { return o.Schedule.LoopDelay }, 7 * time.Second},
	{"--speed 2 --ramp 7s", func(o serve.Options) any { return o.Schedule.Ramp }, 7 * time.Second},
	{"--rate 8/s", func(o serve.Options) any { return o.Schedule.Pace.String() }, "rate 8/s"},
	{"--start-at 2100-01-01T00:00:00Z", func(o serve.Options) any { return o.StartAt.UTC() }, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)},
}

func TestWhatIsServedIsDueAsTheFlagsSay(t *testing.T) {
	type options = serve.Options
	heed(t, func(e *env) asked[options] {
		o := &serveOptions{}
		return asked[options]{append(o.served.flags(e), o.flags(e)...), func(_ *cli.Context, e *env) (options, error) { return o.complete(e) }}
	}, nil, slices.Concat(howRecordsAreDue, []setting[options]{
		{"--listen 127.0.0.1:7", func(o options) any { return o.Listen }, "127.0.0.1:7"},
		{"--advertise archive:7", func(o options) any { return o.Advertise }, "archive:7"},
	}))
	heed(t, func(e *env) asked[options] {
		o := &compareOptions{}
		return asked[options]{o.flags(e), func(_ *cli.Context, e *env) (options, error) { return o.served.complete(e) }}
	}, nil, howRecordsAreDue)
}

func TestTheOptionsOfAComparisonAreThoseOfItsFlags(t *testing.T) {
	type options = *compareOptions
	heed(t, func(e *env) asked[options] {
		o := &compareOptions{settle: 1, timeout: 1}
		return asked[options]{o.flags(e), func(*cli.Context, *env) (options, error) { return o, o.complete() }}
	}, []string{"--run", "a=true", "--run", "b=true", "--output", "out"}, []setting[options]{
		{"--examples 3", func(o options) any { return o.examples }, int64(3)},
		{"--skip-corrupt", func(o options) any { return o.skipCorrupt }, true},
		{"--by order", func(o options) any { return o.compare.Pair }, diff.ByOrder},
		{"--json", func(o options) any { return o.compare.JSON }, true},
		{"--ignore key", func(o options) any { return o.compare.Ignore }, []string{"key", "offset", "leader_epoch", "timestamp"}},
		{"--timestamps", func(o options) any { return o.compare.Ignore }, []string{"offset", "leader_epoch"}},
		{"--settle 7s", func(o options) any { return o.settle }, 7 * time.Second},
		{"--timeout 7s", func(o options) any { return o.timeout }, 7 * time.Second},
		{"--output-partitions 3", func(o options) any { return o.partitions }, 3},
	})
}

func TestGroupsAreRestoredAsTheFlagsSay(t *testing.T) {
	type options = replay.RestoreOptions
	heed(t, func(e *env) asked[options] {
		o := &groupsOptions{}
		return asked[options]{o.flags(e), func(c *cli.Context, _ *env) (options, error) {
			err := o.complete(c.Args().Slice())
			return o.restore, err
		}}
	}, []string{groupsRestore, "run1"}, []setting[options]{
		{"--groups billing,shop-*", func(o options) any { return o.Select }, []string{"billing", "shop-*"}},
		{"--topics orders,users", func(o options) any { return o.Topics }, []string{"orders", "users"}},
		{"--map orders:=new", func(o options) any {
			name, _ := o.Mapping.Topic("orders")
			return name
		}, "new"},
		{"--dry-run", func(o options) any { return o.DryRun }, true},
		{"--connect-timeout 7s", func(o options) any { return o.ConnectTimeout }, 7 * time.Second},
	})
}
