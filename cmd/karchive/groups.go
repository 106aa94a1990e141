package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// groupsRestore is what karchive groups does.
const groupsRestore = "restore"

type groupsOptions struct {
	archive string
	connection
	topics  cli.StringSlice
	groups  cli.StringSlice
	format  string
	restore replay.RestoreOptions
}

func groupsCommand(e *env) *cli.Command {
	var o groupsOptions
	return &cli.Command{
		Name:      "groups",
		Usage:     "set consumer groups in a cluster that has the records already, by time",
		ArgsUsage: groupsRestore + " ARCHIVE -b BROKERS [flags]",
		Description: `Sets the consumer groups that an archive keeps (karchive capture --groups) in a cluster, without a replay: each goes on at the first record there
that is not older than the next one which it would have read. That is not exact: where timestamps are not in order, or were given anew, records
are read twice or missed. karchive replay --groups is exact, because it knows where it put each record.

Partitions keep their numbers. A group with members in the cluster is refused before anything is set. Try --dry-run first. What was set is read back.

Examples:
  karchive groups restore run1 -b new:9092 --dry-run
  karchive groups restore run1 -b new:9092 --groups billing,shop-*
  karchive groups restore run1 -b new:9092 -t orders --map 'orders:=new.orders'`,
		Flags: o.flags(e),
		Action: func(c *cli.Context) error {
			if err := o.complete(c.Args().Slice()); err != nil {
				return err
			}
			return runGroups(c.Context, e, &o)
		},
	}
}

func (o *groupsOptions) flags(e *env) []cli.Flag {
	return append([]cli.Flag{
		groupsFlag("only these `GROUPS`: names and globs, in a comma list or repeated", &o.groups),
		&cli.StringSliceFlag{Name: "topics", Aliases: []string{"t"}, Usage: "only in these `TOPICS`: names and globs such as orders-*, in a comma list or repeated", Destination: &o.topics},
		mapFlag("names of topics in the cluster, as `OLD:=NEW`, * standing for anything", (*[]routing.Rule)(&o.restore.Mapping), routing.ParseRule),
		&cli.BoolFlag{Name: "dry-run", Usage: "print where groups would be, and set nothing", Destination: &o.restore.DryRun},
		identityFlag(e), formatFlag(&o.format), logFlag(e), quietFlag(e),
	}, o.connection.flags()...)
}

// groupsFlag names consumer groups.
func groupsFlag(usage string, to *cli.StringSlice) cli.Flag {
	return &cli.StringSliceFlag{Name: "groups", Usage: usage, Destination: to}
}

func (o *groupsOptions) complete(args []string) error {
	switch {
	case len(args) == 0:
		return &usageError{"karchive groups needs " + groupsRestore + " and an ARCHIVE", "karchive help groups shows examples"}
	case args[0] != groupsRestore:
		return &usageError{fmt.Sprintf("groups %s: not %s", shown(args[0], []string{groupsRestore}), groupsRestore), "karchive help groups shows examples"}
	case len(args) == 1:
		return &usageError{"karchive groups " + groupsRestore + " needs an ARCHIVE", "karchive help groups shows examples"}
	case len(args) > 2:
		return unexpected("groups", "another archive")
	}
	o.archive = args[1]
	o.restore.Select = groupNames(&o.groups)
	o.restore.Topics = (&selected{topics: o.topics}).names()
	o.restore.ConnectTimeout = o.timeout
	return nil
}

func runGroups(ctx context.Context, e *env, o *groupsOptions) error {
	a, err := openArchive(e, o.archive)
	if err != nil {
		return err
	}
	defer a.Close()
	cfg, opts, err := o.open(ctx, e)
	if err != nil {
		return err
	}
	e.warnUnused(o.restore.Mapping, a)
	positions, err := replay.RestoreGroups(ctx, opts, a, o.restore)
	if err != nil {
		err = withHint(err, cmp.Or(restoreGroupsHint(err), cfg.Explain(err)))
	}
	if len(positions) == 0 {
		return cmp.Or(err, errNoPosition)
	}
	e.warnf("positions are found by time, and not exact: records may be read twice or missed")
	if o.format == "json" {
		return errors.Join(printJSON(e.stdout, restoredGroups{o.archive, o.restore.DryRun, positions}), err)
	}
	return errors.Join(writePositions(e.text, positions), err)
}

var errNoPosition = errors.New("the archive keeps no group with an offset in these topics")

// restoreGroupsHint says what to do about what cannot be restored.
func restoreGroupsHint(err error) string {
	if _, ok := errors.AsType[*replay.MissingTopicsError](err); ok {
		return "replay the records first, or give --map OLD:=NEW for a topic of another name"
	}
	return replayErrorHint(err)
}

// restoredGroups is the JSON form of what groups restore prints.
type restoredGroups struct {
	Archive string                 `json:"archive"`
	DryRun  bool                   `json:"dry_run"`
	Groups  []replay.GroupPosition `json:"groups"`
}

// writePositions says where groups are, or belong.
func writePositions(w io.Writer, positions []replay.GroupPosition) error {
	t := newTable(w)
	printable.Fprintf(t, "GROUP\tFROM\tINTO\tBEFORE\tOFFSET\tSTATE\n")
	for _, p := range positions {
		before := "-"
		if p.Before != nil {
			before = strconv.FormatInt(*p.Before, 10)
		}
		printable.Fprintf(t, "%s\t%s\t%s-%d\t%s\t%s\t%s\n", p.Group, sourcesText(p.From), p.Topic, p.Partition, before, offsetText(p.Offset), positionText(&p))
	}
	return t.Flush()
}

// sourcesText are the partitions of the archive and where the group was in each.
func sourcesText(from []replay.GroupSource) string {
	var out []string
	for _, s := range from {
		out = append(out, fmt.Sprintf("%s-%d@%s", s.Topic, s.Partition, offsetText(s.Offset)))
	}
	return strings.Join(out, ", ")
}

func offsetText(offset int64) string {
	if offset < 0 {
		return "-"
	}
	return strconv.FormatInt(offset, 10)
}

func positionText(p *replay.GroupPosition) string {
	text := "not set"
	if p.Set {
		text = "set"
	}
	if p.Offset >= 0 && !p.Exact {
		text += ", not exact"
	}
	if p.Lacking {
		text += ", earlier: the archive lacks what is next"
	}
	return text
}
