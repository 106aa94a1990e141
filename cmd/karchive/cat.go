package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/urfave/cli/v2"
)

type catOptions struct {
	archive string
	selection
	reshaping
	limit       int64
	skipCorrupt bool
}

func catCommand(e *env) *cli.Command {
	var o catOptions
	return &cli.Command{
		Name:      "cat",
		Usage:     "print records as JSON, one a line",
		ArgsUsage: "ARCHIVE [flags]",
		Description: `Records come by topic, partition and offset. Keys, values and headers are strings where they are UTF-8, {"base64":"..."} where not, and
null where they are null. With rules they are printed as they leave the rules, which is a way to try those out, and exit code 3 means that
some were withheld.

Examples:
  karchive cat run1 -t orders --limit 10
  karchive cat run1 -t orders --from 2026-03-01T12:00:00Z --until 2026-03-01T13:00:00Z | jq -r .key
  karchive cat run1 --partitions 3 --from offset:1200 --until offset:1300
  karchive cat run1 --filter 'value.amount > 100 && headers.type == "created"' --mask value.user.email=redact`,
		Flags: slices.Concat(o.selection.flags(),
			[]cli.Flag{countFlag("limit", "at most `N` records", "no limit", &o.limit), skipCorruptFlag(&o.skipCorrupt), quietFlag(e)},
			o.reshaping.flags()),
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			return runCat(c.Context, e, o)
		},
	}
}

func runCat(ctx context.Context, e *env, o catOptions) error {
	window, err := o.window(e)
	if err != nil {
		return err
	}
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	a, damaged, err := openWhole(ctx, e, o.archive, o.skipCorrupt)
	if err != nil {
		return err
	}
	defer a.Close()
	partitions, err := choose(a, o.names(), o.partitions)
	if err != nil {
		return err
	}
	e.warnSelected(o.archive, a, &o.selection)
	p := &printer{w: bufio.NewWriterSize(e.stdout, 1<<20), left: o.limit, limited: o.limit > 0}
	if rules != nil {
		p.worker = rules.Worker()
		defer p.worker.Close()
	}
	err = scan(ctx, a, partitions, window, p.print)
	if err := errors.Join(err, p.w.Flush()); err != nil {
		return err
	}
	return cmp.Or(damaged, e.noteReshaped(rules))
}

// printer prints records until its limit.
type printer struct {
	w       *bufio.Writer
	line    []byte
	limited bool
	left    int64
	worker  *reshape.Worker // nil: records are printed as they are
}

func (p *printer) print(tp format.TopicPartition, records []format.Record) error {
	for i := range records {
		r, err := p.reshape(tp, &records[i])
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		p.line = jsonl.Append(p.line[:0], tp, r)
		if _, err := p.w.Write(p.line); err != nil {
			return err
		}
		if p.left--; p.limited && p.left == 0 {
			return errEnough
		}
	}
	return nil
}

// reshape is what the rules leave of a record; nil when it is left out.
func (p *printer) reshape(tp format.TopicPartition, r *format.Record) (*format.Record, error) {
	if p.worker == nil {
		return r, nil
	}
	one := reshape.Record{Record: *r, Topic: tp.Topic, Partition: tp.Partition}
	verdict, err := p.worker.Apply(&one)
	if err != nil || verdict != reshape.Pass {
		return nil, err
	}
	return &one.Record, nil
}
