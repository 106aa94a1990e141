package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"
)

type catOptions struct {
	archive string
	recordOptions
	catOrder
	template *template // nil: JSON
	values   string
	count    bool
	ledger   bool
}

func catCommand(e *env) *cli.Command {
	var o catOptions
	return &cli.Command{
		Name:      "cat",
		Usage:     "print records as JSON, one a line",
		ArgsUsage: "ARCHIVE [flags]",
		Description: `Records come by topic, partition and offset; with --order time by timestamp, sorted in a temporary file after the rules.
Keys and values whose schema is known (see karchive help schemas) are printed as JSON, unless --raw is given. All other keys, values and
headers are strings where they are UTF-8, {"base64":"..."} where not, and null where they are null. With --values json a key or value
that is a JSON object or array is printed as that; karchive import does not read this form back. With rules, records are printed as
they leave the rules, so you can try those out. Exit code 3: some records were withheld.

-f has kcat's letters: ` + templateHelp(1) + `
` + templateHelp(2) + `
Also \n, \r, \t, \xNN, \\ and %%. Nothing is added, not even a line feed. Null is empty.

Examples:
  karchive cat run1 -t orders --limit 10
  karchive cat run1 -t orders --from 2026-03-01T12:00:00Z --until 2026-03-01T13:00:00Z | jq -r .key
  karchive cat run1 --partitions 3 --from offset:1200 --until offset:1300
  karchive cat run1 --filter 'value.amount > 100 && headers.type == "created"' --mask value.user.email=redact
  karchive cat run1 -t orders --order time --last 10
  karchive cat run1 -t orders --values json | jq .value.user.id
  karchive cat run1 -t orders -f '%p %o %k %s\n'
  karchive cat run1 -t orders --filter 'key == "k1"' --count
  karchive cat run1 --ledger | karchive import jsonl - -o run2
  karchive cat run1 -t payments --schema payments=payment.avsc | jq .value.amount`,
		Flags: o.recordOptions.flags(append(o.catOrder.flags(),
			withAlias("f", mayBeBlank(parsed("template", "print records as `FORMAT` says, such as '%k %s\\n'", "JSON", &o.template, parseTemplate))),
			choiceFlag("values", "keys and values as `text` in a string, or as json where they are JSON", &o.values, "text", "json"),
			&cli.BoolFlag{Name: "count", Usage: "print only how many records there are", Destination: &o.count},
			&cli.BoolFlag{Name: "ledger", Usage: "first, what the archive is of and why offsets have no record, as karchive import reads it", Destination: &o.ledger},
			identityFlag(e), quietFlag(e), o.rawFlag())...),
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			if err := o.check(); err != nil {
				return err
			}
			return runCat(c.Context, e, o)
		},
	}
}

func (o *catOptions) check() error {
	switch {
	case o.count && (o.catOrder.given() || o.template != nil || o.values == "json" || o.raw):
		return usage("--count prints no records: it does not go with --limit, --last, --reverse, --order, --template, --values and --raw")
	case o.ledger && (o.count || o.catOrder.given() || o.template != nil || o.values == "json" || o.from != "" || o.until != ""):
		return usage("--ledger is of whole partitions, as JSON: it does not go with --from, --until, --count, --limit, --last, --reverse, --order, --template and --values")
	case o.template != nil && o.values == "json":
		return usage("--values is for records as JSON, and --template prints them otherwise")
	}
	return nil
}

func runCat(ctx context.Context, e *env, o catOptions) error {
	r, err := o.recordOptions.open(ctx, e, o.archive)
	if err != nil {
		return err
	}
	defer r.close(e)
	if err := o.print(ctx, e, r); err != nil {
		return err
	}
	return r.outcome(e)
}

// print prints the records, or how many there are.
func (o *catOptions) print(ctx context.Context, e *env, r *openRecords) error {
	if o.count {
		if r.rules == nil {
			if err := o.checkRead(); err != nil {
				return err
			}
		}
		return printCount(ctx, e, r.Scanner, r.rules)
	}
	if err := o.begin(ctx, r.Scanner, r.rules); err != nil {
		return err
	}
	out := newCatLines(e, o, r.reader)
	defer out.close()
	if o.ledger {
		if err := out.tell(r, o.takes); err != nil {
			return err
		}
	}
	each, end := passing(r.rules, out.record)
	defer end()
	if err := r.Each(ctx, each); err != nil {
		return errors.Join(err, out.flush())
	}
	return out.finish(ctx)
}
