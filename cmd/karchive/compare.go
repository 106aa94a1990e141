package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/compare"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/units"
)

type compareOptions struct {
	served
	comparing
	programs   []compare.Program
	outputs    cli.StringSlice
	partitions int
	expect     string
	keep       string
	timestamps bool
	settle     time.Duration
	timeout    time.Duration

	lacks []string // what the archives that are served lack
}

func compareCommand(e *env) *cli.Command {
	o := compareOptions{served: served{memory: defaultMemory}, settle: 2 * time.Second, timeout: 10 * time.Minute}
	return &cli.Command{
		Name:      "compare",
		Usage:     "run versions of a program on the same records, and compare what they write",
		ArgsUsage: "ARCHIVE... --run NAME=COMMAND --output TOPIC [flags]",
		Description: `Each program gets a broker of its own that serves the archives as karchive serve does. Its address is in the environment, in KAFKA_BOOTSTRAP_SERVERS
and KARCHIVE_BROKER, and stands for {broker} in COMMAND, which the system's shell runs. Programs run one after another. A program is done when it
ends, or when its consumer groups have read everything and it has written nothing for --settle; then it is ended, with its children.

What it wrote to the topics of --output is compared with what the first program wrote, or with --expect. Records are paired by key, the n-th with
a key with the n-th with that key, and timestamp, offset and leader epoch may differ. Beside the differences stand records out, time to drain,
CPU time and memory of each program.

Exit codes: 0 equal, 1 different or failed, 2 wrong usage, 3 no program wrote a record, or rules withheld records, matched nothing or decided nothing, 4 a program failed, 130 interrupted.

Examples:
  karchive compare run1 --run 'v1=./service-1.4' --run 'v2=./service-2.0' --output invoices
  karchive compare run1 --run 'v1=./svc-1.4 -b {broker}' --run 'v2=./svc-2 -b {broker}' --output invoices --ignore value.at --html diff.html
  karchive compare run1 --run 'new=java -jar service.jar' --output invoices --expect golden.karchive
  karchive compare run1 -t orders --speed 10 --run v1=./a --run v2=./b --output totals --by value.customer -o results`,
		Flags: o.flags(e),
		Action: func(c *cli.Context) error {
			if o.archives = c.Args().Slice(); len(o.archives) == 0 {
				return &usageError{"karchive compare needs an ARCHIVE", "karchive help compare shows examples"}
			}
			return runCompare(c.Context, e, &o)
		},
	}
}

func (o *compareOptions) flags(e *env) []cli.Flag {
	own := []cli.Flag{
		repeated("run", "run a program, as `NAME=COMMAND`; repeatable", &o.programs, parseProgram),
		&cli.StringSliceFlag{Name: "output", Usage: "compare what is written to `TOPICS`, in a comma list or repeated", Destination: &o.outputs},
		numberFlag("output-partitions", "make topics of --output with `N` partitions", "1", &o.partitions, 1, maxOutputPartitions),
		&cli.StringFlag{Name: "expect", Usage: "compare with the archive `GOLDEN`, not with the first program", Destination: &o.expect},
		&cli.StringFlag{Name: "keep", Aliases: []string{"o"}, Usage: "keep what was written as archives, and what was printed, in the new `DIR`", Destination: &o.keep},
		&cli.BoolFlag{Name: "timestamps", Usage: "compare timestamps, too", Destination: &o.timestamps},
		durationFlag("settle", "a program is done when it has written nothing for `DURATION` after it had read everything", "2s", &o.settle),
		durationFlag("timeout", "a program that is not done after `DURATION` has failed", "10m", &o.timeout),
	}
	return slices.Concat(own, o.served.flags(e), o.comparing.flags(diff.ByKey))
}

const maxOutputPartitions = 10_000

func parseProgram(s string) (compare.Program, error) {
	name, command, ok := strings.Cut(s, "=")
	if !ok || name == "" || strings.TrimSpace(command) == "" {
		return compare.Program{}, errors.New("write NAME=COMMAND")
	}
	return compare.Program{Name: name, Command: command}, nil
}

// complete checks what only several flags together can tell.
func (o *compareOptions) complete() error {
	switch {
	case len(o.programs) == 0:
		return &usageError{"karchive compare needs a program", "give --run NAME=COMMAND"}
	case len(o.outputs.Value()) == 0:
		return &usageError{"karchive compare needs a topic that the programs write", "give --output TOPIC"}
	case len(o.programs) == 1 && o.expect == "":
		return &usageError{"there is nothing to compare with", "give another --run NAME=COMMAND, or --expect GOLDEN"}
	case o.html != "" && len(o.programs)-1 > 1 || o.html != "" && len(o.programs) > 1 && o.expect != "":
		return &usageError{"--html is a page of one comparison", "run two programs, or one with --expect"}
	}
	if o.keep != "" {
		if err := cmp.Or(checkLocalDirectory(o.keep), checkFree(o.keep)); err != nil {
			return err
		}
	}
	if err := o.comparing.complete(o.memory); err != nil {
		return err
	}
	o.compare.Ignore = append(o.compare.Ignore, "offset", "leader_epoch")
	if !o.timestamps {
		o.compare.Ignore = append(o.compare.Ignore, "timestamp")
	}
	return nil
}

func (o *compareOptions) topics() []string {
	return slices.Compact(slices.Sorted(slices.Values(units.SplitList(strings.Join(o.outputs.Value(), ",")))))
}
