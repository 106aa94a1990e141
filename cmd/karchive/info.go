package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reportpage"
)

type infoOptions struct {
	archive string
	topics  cli.StringSlice
	by      string
	groups  []string // patterns; nil: none
	schemas bool
	html    string // a file for the page; empty: none
	format  string
}

func infoCommand(e *env) *cli.Command {
	var o infoOptions
	return &cli.Command{
		Name:      "info",
		Usage:     "say what an archive holds",
		ArgsUsage: "ARCHIVE [flags]",
		Description: `Reads footers only, so it is quick whatever the size. For the sizes of keys and values, the page of --html also has up to 32 row groups
decoded. It is one file that needs nothing else.

Examples:
  karchive info run1
  karchive info run1 -t orders,payments-*
  karchive info run1 --by topic
  karchive info run1 --format json
  karchive info run1 --groups
  karchive info run1 --schemas
  karchive info run1 --html run1.html`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "topics", Aliases: []string{"t"}, Usage: "only these `TOPICS`: names and globs such as orders-*, in a comma list or repeated", Destination: &o.topics},
			choiceFlag("by", "a row for each `partition`, or for each topic; JSON has both", &o.by, "partition", "topic"),
			shownGroupsFlag(&o.groups),
			&cli.BoolFlag{Name: "schemas", Usage: "count how many keys and values name each schema, for which all records are read", Destination: &o.schemas},
			&cli.StringFlag{Name: "html", Usage: "write a page about the whole archive to `FILE`", Destination: &o.html},
			identityFlag(e), formatFlag(&o.format),
		},
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			return runInfo(c.Context, e, o)
		},
	}
}

func runInfo(ctx context.Context, e *env, o infoOptions) error {
	a, err := openArchive(e, o.archive)
	if err != nil {
		return err
	}
	defer a.Close()
	partitions, _, err := (&selected{topics: o.topics}).chosen(e, a)
	if err != nil {
		return err
	}
	info, err := describe(a, o.archive, partitions)
	if err != nil {
		return err
	}
	if o.schemas {
		if info.Schemas, err = countSchemas(ctx, e, a, partitions); err != nil {
			return err
		}
	}
	if o.html != "" {
		if err := writeArchivePage(ctx, o.html, o.archive, a); err != nil {
			return err
		}
	}
	if o.groups != nil {
		info.Groups = newGroupsInfo(a.Identity().Groups, partitions, o.groups)
	}
	info.Requests = e.storeRequests(o.archive)
	if o.format == "json" {
		return printJSON(e.stdout, info)
	}
	err = info.print(e.text, o.by == "topic")
	if err == nil && o.groups != nil {
		err = info.Groups.print(e.text)
	}
	if err == nil && o.schemas {
		err = schemaTable(e.text, info.Schemas)
	}
	return err
}

// writeArchivePage writes the page of an archive to a new file, which appears when it is whole.
func writeArchivePage(ctx context.Context, to, name string, a *format.Archive) error {
	f, err := createFile(to)
	if err != nil {
		return err
	}
	defer f.Abandon()
	if err := reportpage.WriteArchive(ctx, f, name, a); err != nil {
		return err
	}
	return f.Commit()
}
