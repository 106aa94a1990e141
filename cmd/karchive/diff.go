package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/replay/routing"
)

type diffOptions struct {
	sides [2]string
	selected
	connection
	reshapeFlags
	mapping routing.Mapping // of the first side's topics
	comparing
	memory int64
}

func diffCommand(e *env) *cli.Command {
	o := diffOptions{memory: defaultMemory}
	return &cli.Command{
		Name:      "diff",
		Usage:     "compare the records of two archives, or of an archive and a topic",
		ArgsUsage: "A B [flags]",
		Description: `A and B are archives, or topics of a cluster: kafka://HOST:PORT/TOPIC, or topic:TOPIC with -b. What a topic holds at the start is
first copied into a temporary directory. Row groups with equal digests are equal, and are not decoded: equal archives are compared by
their footers.

Records are paired by partition and offset. With --by order the n-th record of a partition is paired with the n-th, with --by key the
n-th record with a key with the n-th with that key, and with --by PATH the same by what is at PATH. The last two pair over all partitions
of a topic: neither offset nor partition counts, and equal records in another order are named. --map says which topics belong together.
Rules, such as --filter and --sample, are applied to the records of both sides first; then all row groups are decoded.

Exit codes: 0 equal, 1 different or failed, 2 wrong usage, 3 equal but for records that rules withheld,
130 interrupted.

Examples:
  karchive diff run1 run2
  karchive diff run1 topic:orders -b localhost:9092 -t orders
  karchive diff v1 v2 --by value.order.id --json --ignore timestamp,value.generated_at --html diff.html
  karchive diff v1 v2 --by key --tolerance value.total=0.01 --map invoices:=invoices.v2
  karchive diff v1 v2 --filter 'headers.type == "created"' --sample 5%
  karchive diff run1 run2 --limit 1`,
		Flags: slices.Concat(o.selected.flags(), o.flags(e), o.reshapeFlags.flags(), o.connection.flags()),
		Action: func(c *cli.Context) error {
			if err := o.complete(c); err != nil {
				return err
			}
			return runDiff(c.Context, e, &o)
		},
	}
}

func (o *diffOptions) flags(e *env) []cli.Flag {
	return append(o.comparing.flags(diff.ByOffset),
		countFlag("limit", "stop after `N` differences, and count no further", "no limit", &o.compare.Limit),
		mapFlag("compare a topic of A with another of B, as `OLD:=NEW`, * standing for anything", (*[]routing.Rule)(&o.mapping), routing.ParseRule),
		sizeFlag("memory", "the most memory to take, as `SIZE`", "256MiB", &o.memory),
		identityFlag(e), quietFlag(e),
	)
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
	return o.comparing.complete(o.memory)
}

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
	report, err := o.run(ctx, e, a, b, nil, func(*diff.Report) []string { return newReshaped(rules).lacks() })
	if err != nil {
		return err
	}
	withheld := e.noteReshaped(rules)
	if !report.Equals() {
		return errReported
	}
	return withheld
}
