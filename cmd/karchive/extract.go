package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/extract"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
)

type extractOptions struct {
	source string // an archive, or a snapshot
	recordOptions
	fileLimits
	paths   []string
	output  string
	table   extract.FormatOptions
	explode bool
	limit   int64
	skipBad int64
}

func extractCommand(e *env) *cli.Command {
	var o extractOptions
	return &cli.Command{
		Name:      "extract",
		Usage:     "write fields of records as a table: CSV, TSV, JSON lines or Parquet",
		ArgsUsage: "ARCHIVE|SNAPSHOT --path PATH [flags]",
		Description: `Every record is a row, every --path a column of its name. A PATH is value, key, headers.NAME, timestamp (milliseconds), partition, offset or
topic; behind value and key it leads into their JSON: value.order.id, value.items.0.sku, value.items.#.sku (an array of all),
value["order.id"] for a name with a dot. With --explode each element of such arrays has a row, and the rest is repeated.
In CSV and TSV null is \N (--null), what is not there is empty (--missing), and empty text is "". In a column that is alone what is not there
is "" too, because readers drop empty lines. In JSON lines what is not there is left out; in Parquet it is null.
A payload whose schema is known (see karchive help schemas) is the JSON that it says. Whether any other payload is JSON is not asked: of broken JSON a cell is what can be found. With rules the table is of the records as they leave the rules,
and exit code 3 means that some were withheld.

From a Speedscale snapshot (a file of RRPairs, or - for stdin) a PATH leads into the RRPair; a row has its columns and RRPair UUID, and RRPairs in
which no path leads anywhere have none. --filter is then speedctl's: (command IS "Fetch"). One row comes of one RRPair: karchive import
speedscale takes every record of it.

Examples:
  karchive extract run1 -t orders --path value.order.id --path headers.type --path timestamp -o orders.csv
  karchive extract run1 -t orders --path value.order.id --path value.items.#.sku --explode --filter 'value.order.total > 100'
  karchive extract run1 --path key --path value.amount --from -2h --mask key=hash --mask-key env:MASK_KEY -o amounts.parquet
  karchive extract snapshot.jsonl --filter '(command IS "Fetch")' \
    --path kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString -o out.csv`,
		Flags: o.flags(e),
		Action: func(c *cli.Context) (err error) {
			if o.source, err = oneArgument(c, "an ARCHIVE or a SNAPSHOT"); err != nil {
				return err
			}
			return runExtract(c.Context, e, o)
		},
	}
}

func (o *extractOptions) flags(e *env) []cli.Flag {
	o.table.Null = extract.DefaultNull
	own := []cli.Flag{
		o.pathFlag(),
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the table's `FILE`, which must not exist; it appears when it is whole (default: stdout)", Destination: &o.output},
		wordFlag("format", "of the table: `csv`, tsv, jsonl or parquet", "by the name of the file, or csv", &o.table.Format, extract.Formats()...),
		&cli.BoolFlag{Name: "no-header", Usage: "no line with the names of the columns", Destination: &o.table.NoHeader},
		mayBeBlank(parsed("null", "how CSV and TSV spell null, as `TEXT`", extract.DefaultNull, &o.table.Null, asItIs)),
		mayBeBlank(parsed("missing", "how CSV and TSV spell what is not there, as `TEXT`", "", &o.table.Missing, asItIs)),
		&cli.BoolFlag{Name: "csv-safe", Usage: "in CSV and TSV put ' before text that a spreadsheet would run (=, +, -, @), and all text in quotes", Destination: &o.table.SpreadsheetSafe},
		&cli.BoolFlag{Name: "explode", Usage: "a row for each element of the arrays that paths lead through or to", Destination: &o.explode},
		countFlag("limit", "of at most `N` records", "no limit", &o.limit),
		parsed("skip-bad", "leave out up to `N` lines of a snapshot that are no RRPair, and exit with 3", "0", &o.skipBad, units.ParseCount),
		identityFlag(e),
		quietFlag(e),
	}
	return o.recordOptions.flags(append(append(own, o.fileLimits.flags()...), o.rawFlag())...)
}

// pathFlag takes paths, in comma lists or repeated.
func (o *extractOptions) pathFlag() cli.Flag {
	add := func(s string) error {
		o.paths = append(o.paths, extract.SplitPaths(s)...)
		return nil
	}
	return &cli.GenericFlag{Name: "path", Usage: "columns, as `PATHS` in a comma list or repeated, in their order", Value: &value{set: add}}
}

// chooseFormat goes by the name of the file where no format was asked for.
func (o *extractOptions) chooseFormat() error {
	if o.table.Format != "" {
		return nil
	}
	format, ok := tableFormat(o.output)
	if !ok {
		return &usageError{"no format of a table is known by the name " + o.output, "give --format: csv, tsv, jsonl or parquet"}
	}
	o.table.Format = format
	return nil
}

// asItIs is a parser for flags that take any text, the empty one included.
func asItIs(s string) (string, error) { return s, nil }

func runExtract(ctx context.Context, e *env, o extractOptions) error {
	if len(o.paths) == 0 || slices.Contains(o.paths, "") {
		return &usageError{"nothing to extract", "give --path, such as --path value.order.id, for every column"}
	}
	if err := o.chooseFormat(); err != nil {
		return err
	}
	if o.table.NoHeader && o.table.Format != extract.CSV && o.table.Format != extract.TSV {
		return usage("--no-header: %s has no such line", o.table.Format)
	}
	if o.table.SpreadsheetSafe && o.table.Format != extract.CSV && o.table.Format != extract.TSV {
		return usage("--csv-safe: %s has no cells that a spreadsheet would run", o.table.Format)
	}
	if (o.table.Null != extract.DefaultNull || o.table.Missing != "") && o.table.Format != extract.CSV && o.table.Format != extract.TSV {
		return usage("--null and --missing: %s spells null, and leaves out what is not there, in one way", o.table.Format)
	}
	snapshot, err := isSnapshot(o.source)
	if err != nil {
		return err
	}
	if snapshot {
		return o.fromSnapshot(ctx, e)
	}
	return o.fromArchive(ctx, e)
}

// isSnapshot says whether what is to be extracted from is a file.
func isSnapshot(name string) (bool, error) {
	if name == "-" {
		return true, nil
	}
	info, err := os.Stat(name)
	if err != nil || info.IsDir() || pack.Find(name) != nil {
		return false, nil // opening the archive tells what is wrong
	}
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err == nil && (string(magic) == "PAR1" || string(magic) == "ARRO") {
		return false, withHint(fmt.Errorf("%s: neither an archive nor a Speedscale snapshot", name), "give the directory of the archive, or import the file first: karchive import parquet")
	}
	return true, nil
}

func (o *extractOptions) fromArchive(ctx context.Context, e *env) error {
	if o.skipBad > 0 {
		return usage("--skip-bad is for snapshots; of an archive, --skip-corrupt leaves out what is damaged")
	}
	var columns []extract.Column
	for _, path := range o.paths {
		c, err := extract.ParseColumn(path)
		if err != nil {
			return usage("--path %v", err)
		}
		columns = append(columns, c)
	}
	r, err := o.recordOptions.open(ctx, e, o.source)
	if err != nil {
		return err
	}
	defer r.close(e)
	t, err := o.begin(e, columns, "record")
	if err != nil {
		return err
	}
	defer t.abandon()
	t.reader = r.reader
	if r.rules != nil {
		t.worker = r.rules.Worker()
		defer t.worker.Close()
	}
	defer e.noteStop(ctx, "ending the extraction")()
	if err := t.end(r.Each(ctx, t.records)); err != nil {
		return err
	}
	return r.outcome(e)
}

// begin makes the table's file. Only a record has a row in any case.
func (o *extractOptions) begin(e *env, columns []extract.Column, noun string) (*tableMaker, error) {
	o.table.ForPeople = e.onScreen && (o.output == "" || o.output == "-")
	out, err := e.tableOutput(o.output, o.table.Format)
	if err != nil {
		return nil, err
	}
	w, err := extract.NewWriter(out, columns, o.table)
	if err != nil {
		out.abandon()
		return nil, usage("%v", err)
	}
	return &tableMaker{e: e, out: out, writer: w, columns: columns, found: make([]bool, len(columns)), limit: o.limit, noun: noun, progress: newProgress(e, "extract"),
		extractor: extract.New(columns, extract.Options{Explode: o.explode, SkipMissing: noun != "record"})}, nil
}
