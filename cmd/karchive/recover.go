package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

type recoverOptions struct {
	archive string
	output  string
	format  string
}

func recoverCommand(e *env) *cli.Command {
	var o recoverOptions
	return &cli.Command{
		Name:      "recover",
		Usage:     "write what is intact of a damaged archive to a new one",
		ArgsUsage: "ARCHIVE -o NEW [flags]",
		Description: `Checks everything as verify --deep does, names what is wrong, and writes every row group that is intact to NEW, where the lost offsets are gaps
of reason corrupt, also of a partition of which nothing is left. ARCHIVE stays as it is. If the last segment of a
partition cannot be read, nobody knows what it held: NEW ends before it, its plan says that there was more, and a capture goes on from
there as long as the cluster still holds the records. Exit code 3: something was lost, or the capture of ARCHIVE did not get to its end.

Examples:
  karchive recover run1 -o run1-recovered
  karchive recover run1 -o run1-recovered --format json`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the new archive's `DIR`, or its place in a bucket, which must not exist", Destination: &o.output},
			spoolFlag(e),
			identityFlag(e), formatFlag(&o.format), quietFlag(e),
		},
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			if o.output == "" {
				return &usageError{"no place for the new archive given", "give -o NEW"}
			}
			return runRecover(c.Context, e, o)
		},
	}
}

// recovery is what recover prints, and its JSON form.
type recovery struct {
	Archive  string     `json:"archive"`
	Output   string     `json:"output"`
	Problems int        `json:"problems"`
	Segments int        `json:"segments"`
	Records  int64      `json:"records"`
	Bytes    int64      `json:"bytes"` // canonical
	Lost     []lostPart `json:"lost"`

	Completeness *completeness `json:"completeness"` // of the new archive
}

// lostPart is a range of offsets whose records are lost by damage; Until is exclusive.
type lostPart struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"`
	Until     int64  `json:"until"`
}

func runRecover(ctx context.Context, e *env, o recoverOptions) error {
	if err := checkFree(o.output); err != nil {
		return err
	}
	from, bad, err := openIntact(ctx, e, o.archive)
	if err != nil {
		return err
	}
	defer from.Close()
	into, err := createArchive(e, o.output, from.Identity())
	if err != nil {
		return err
	}
	defer into.Abandon()
	defer e.noteStop(ctx, "ending the recovery")()
	r := &recovery{Archive: o.archive, Output: o.output, Problems: bad, Lost: []lostPart{}}
	if err := r.run(ctx, e, from, into.Archive); err != nil {
		return err
	}
	if err := into.Commit(); err != nil {
		return fmt.Errorf("%s: %w", o.output, err)
	}
	if err := r.report(e, o.format); err != nil {
		return err
	}
	if bad > 0 {
		return errIncomplete
	}
	return r.Completeness.accept(false)
}

func (r *recovery) run(ctx context.Context, e *env, from, into *format.Archive) error {
	progress := newProgress(e, "recover")
	defer progress.done()
	err := format.Recover(from, into, format.ConvertOptions{OnGroup: func(g *format.RowGroup) error {
		r.Records, r.Bytes = r.Records+g.Records, r.Bytes+g.Bytes
		progress.set(r.Bytes, 0, units.Of(r.Records, "record")+", "+units.Size(r.Bytes))
		return context.Cause(ctx)
	}})
	if err != nil {
		return err
	}
	for _, tp := range into.Partitions() {
		c, err := into.Coverage(tp)
		if err != nil {
			return err
		}
		r.Segments += c.Segments
	}
	return r.complete(into)
}

// complete finds out what is missing from the new archive.
func (r *recovery) complete(into *format.Archive) error {
	c, err := into.Completeness(format.Selection{})
	if err != nil {
		return err
	}
	for _, l := range c.Lost {
		if l.Reason == ledger.Corrupt {
			r.Lost = append(r.Lost, lostPart{l.Topic, l.Partition, l.From, l.Until})
		}
	}
	r.Completeness = newCompleteness(c)
	return nil
}

func (r *recovery) report(e *env, how string) error {
	if how == "json" {
		return printJSON(e.stdout, r)
	}
	return r.print(e.text)
}

func (r *recovery) print(w io.Writer) error {
	if err := r.Completeness.print(w); err != nil {
		return err
	}
	_, err := printable.Fprintf(w, "recovered %s, %s, in %s into %s\n", units.Of(r.Records, "record"), units.Size(r.Bytes), units.Of(int64(r.Segments), "segment"), r.Output)
	return err
}
