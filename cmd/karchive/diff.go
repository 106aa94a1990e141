package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

type diffOptions struct {
	sides [2]string
	selected
	connection
	reshaping
	mapping  replay.Mapping // of the first side's topics
	compare  diff.Options
	by       string
	ignore   cli.StringSlice
	examples int64 // 0: none given
	html     string
	memory   int64
	format   string
}

func diffCommand(e *env) *cli.Command {
	o := diffOptions{memory: defaultMemory}
	return &cli.Command{
		Name:      "diff",
		Usage:     "compare the records of two archives, or of an archive and a topic",
		ArgsUsage: "A B [flags]",
		Description: `A and B are archives, or topics of a cluster: kafka://HOST:PORT/TOPIC, or topic:TOPIC with -b. Of a topic what it holds at the start is copied into a
temporary directory first. Row groups with equal digests are equal, and are not decoded: equal archives are compared by their footers.

Records are paired by partition and offset. With --by order the n-th of a partition is paired with the n-th, with --by key the n-th of a key
with the n-th of that key, and with --by PATH the same for what is at PATH; the last two pair over all partitions of a topic. By key and
by PATH neither offset nor partition counts, and equal records in another order are named. --map says which topics belong together. Rules, such
as --filter and --sample, are applied to the records of both sides first; then all row groups are decoded.

Exit codes: 0 equal, 1 different or failed, 2 wrong usage, 3 equal but for records that rules withheld.

Examples:
  karchive diff run1 run2
  karchive diff run1 topic:orders -b localhost:9092 -t orders
  karchive diff v1 v2 --by value.order.id --json --ignore timestamp,value.generated_at --html diff.html
  karchive diff v1 v2 --by key --tolerance value.total=0.01 --map invoices:=invoices.v2
  karchive diff v1 v2 --filter 'headers.type == "created"' --sample 5%`,
		Flags: slices.Concat(o.selected.flags(), o.flags(e), o.reshaping.flags(), o.connection.flags()),
		Action: func(c *cli.Context) error {
			if err := o.complete(c); err != nil {
				return err
			}
			return runDiff(c.Context, e, &o)
		},
	}
}

func (o *diffOptions) flags(e *env) []cli.Flag {
	o.compare.Tolerance = map[string]float64{}
	return []cli.Flag{
		&cli.StringFlag{Name: "by", Usage: "pair records by `WHAT`: offset, order, key, or a path such as value.id", Value: string(diff.ByOffset), Destination: &o.by},
		&cli.StringSliceFlag{Name: "ignore", Usage: "parts that may differ: `PATHS` such as timestamp, offset, headers.trace-id, value.lines.#.at, in a comma list or repeated", Destination: &o.ignore},
		&cli.BoolFlag{Name: "json", Usage: "compare JSON by meaning, and show where it differs", Destination: &o.compare.JSON},
		repeatedSet("tolerance", "numbers at `PATH=N` may differ by N; repeatable", "", o.addTolerance),
		repeated("map", "compare a topic of A with another of B, as `OLD:=NEW`, * standing for anything; repeatable", (*[]replay.Rule)(&o.mapping), replay.ParseRule),
		countFlag("examples", "show the first `N` differences", "10, all with --format json", &o.examples),
		&cli.StringFlag{Name: "html", Usage: "write a page with all counts and the first differences to `FILE`", Destination: &o.html},
		sizeFlag("memory", "the most memory to take, as `SIZE`", "256MiB", &o.memory),
		identityFlag(e), formatFlag(&o.format), quietFlag(e),
	}
}

func (o *diffOptions) addTolerance(s string) error {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return errors.New("write PATH=N")
	}
	by, err := strconv.ParseFloat(s[i+1:], 64)
	if err != nil || !(by >= 0) {
		return errors.New("not a number from 0 behind PATH=")
	}
	o.compare.Tolerance[s[:i]] = by
	return nil
}

// complete reads the arguments, and what only the whole command line can tell.
func (o *diffOptions) complete(c *cli.Context) error {
	switch args := c.Args().Slice(); {
	case len(args) < 2:
		return &usageError{"karchive diff needs A and B", "karchive help diff shows examples"}
	case len(args) > 2:
		return unexpected("diff", "a third argument")
	default:
		o.sides = [2]string{args[0], args[1]}
	}
	switch pair := diff.Pairing(o.by); pair {
	case diff.ByOffset, diff.ByOrder, diff.ByKey:
		o.compare.Pair = pair
	default:
		o.compare.Pair, o.compare.Path = diff.ByPath, o.by
	}
	o.compare.Ignore = units.SplitList(strings.Join(o.ignore.Value(), ","))
	o.compare.Memory = int64(float64(o.memory) * sortShare)
	if o.html != "" {
		return checkNoFile(o.html)
	}
	return nil
}

// sortShare is the part of --memory for sorting, which makes as much garbage.
const sortShare = 0.25

func runDiff(ctx context.Context, e *env, o *diffOptions) error {
	limitMemory(o.memory)
	if err := o.checkWindow(); err != nil {
		return err
	}
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	if rules != nil {
		o.compare.Reshape = ruled{rules}
	}
	a, b, err := o.openSides(ctx, e)
	if err != nil {
		return err
	}
	defer a.close()
	defer b.close()
	if err := o.selectTopics(e, a, b); err != nil {
		return err
	}
	if err := o.readSides(ctx, e, rules, a, b); err != nil {
		return err
	}
	out, err := newDiffOutput(e, o, a, b)
	if err != nil {
		return err
	}
	defer out.abandon()
	defer e.noteStop(ctx, "ending the comparison")()
	progress := newProgress(e, "diff")
	o.compare.Each = out.take
	o.compare.OnProgress = func(done, total int64) { progress.set(done, total, units.Of(done, "record")) }
	report, err := diff.Run(ctx, a.Side, b.Side, o.compare)
	progress.done()
	if err != nil {
		return pathUsage(err)
	}
	if err := out.finish(report); err != nil {
		return err
	}
	withheld := e.noteReshaped(rules)
	if !report.Equals() {
		return errReported
	}
	return withheld
}

// decodedText says how much of both sides was decoded.
func decodedText(r *diff.Report) string {
	return fmt.Sprintf("%d of %s of A and %d of %d of B decoded", r.Decoded[0].Groups, units.Of(r.Decoded[0].OfGroups, "row group"), r.Decoded[1].Groups, r.Decoded[1].OfGroups)
}
