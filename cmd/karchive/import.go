package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/imports"
	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

type importOptions struct {
	kind   imports.Kind
	files  []string
	output string
	columnFlags
	fileLimits
	reshapeFlags
	fields       []imports.Column // of lines
	keyDelimiter string
	object       string
	calls        string
	pairs        string
	partitioner  string
	partitions   int
	partition    int // -1: none
	encoding     format.Encoding
	imports      imports.Options
	format       string
}

func importCommand(e *env) *cli.Command {
	var o importOptions
	return &cli.Command{
		Name:      "import",
		Usage:     "make an archive of records in other files",
		ArgsUsage: strings.Join(kindsOfFiles(), "|") + " FILE... -o ARCHIVE [flags]",
		Description: kindsHelp() + `
A file may be compressed (gzip, zstd, bzip2, xz, LZ4), in UTF-16 or with a byte order mark, whatever its name; FILE is - for stdin.
csv and parquet: the first column is the value, unless columns are named with --column and the like; in a file with a column called value,
those called topic, partition, offset, timestamp, key, value and headers.NAME are what karchive extract means by them.
jsonl: with --topic or a column named, a value is any JSON: COLUMN is a path such as user.id, and the value is the whole. JSON comes one a
line, over several lines, or in an array. lines: --fields say what stands before the value. speedscale: every record of every topic and
partition of each Fetch (--calls); --rrpairs chooses calls with speedctl's filter.
Offsets in a file are kept and their records sorted; the same record at the same offset counts once. Records without are numbered in their
order. Rules apply before anything is written.
A row that is no record ends the import and leaves nothing behind, unless --skip-bad allows for it; exit code 3: rows were left out.

Examples:
  karchive import csv events.csv -o run1 --topic events --key-column id --timestamp-column at --header-column type=kind
  karchive import csv people.csv.gz -o run1 --topic people --object id:number,name,active:bool --partitions 6
  karchive cat run1 -t orders | jq -c 'select(.partition == 0)' | karchive import jsonl - -o run2
  karchive import jsonl log.jsonl -o run1 --topic log --key-column user.id --timestamp-column time
  karchive import lines dump.txt -o run1 --topic orders --key-delimiter tab --null null
  kcat -C -b localhost:9092 -t orders -e -J | karchive import kcat - -o run1
  rpk topic consume orders --offset :end | karchive import rpk - -o run1
  karchive import speedscale snapshot.jsonl -o run1 --calls fetch,produce
  karchive import parquet events.parquet -o run1 --topic events --column payload --skip-bad 10`,
		Flags: o.flags(e),
		Action: func(c *cli.Context) error {
			if err := o.arguments(c.Args().Slice()); err != nil {
				return err
			}
			return runImport(c.Context, e, o)
		},
	}
}

func (o *importOptions) flags(e *env) []cli.Flag {
	m, i := &o.mapping, &o.imports
	o.partition = -1
	more := []cli.Flag{
		&cli.StringFlag{Name: "topic-column", Usage: "the topic, as `COLUMN`", Destination: &m.Topic},
		&cli.StringFlag{Name: "partition-column", Usage: "the partition, as `COLUMN`", Destination: &m.Partition},
		&cli.StringFlag{Name: "offset-column", Usage: "the offset, as `COLUMN`", Destination: &m.Offset},
		parsed("headers-column", "all headers, as `COLUMN` or COLUMN:TYPE of their values: a list of names and values, or an object", "none", &m.HeaderList, imports.ParseColumn),
		parsed("fields", "what stands in lines, as `FIELDS` such as timestamp,partition,offset,headers,key; the value is last", "the value", &o.fields, imports.ParseFields),
		mayBeBlank(parsed("key-delimiter", "what separates the fields of lines, as `TEXT`; alone it means a key before the value", "a tab", &o.keyDelimiter, parseKeyDelimiter)),
		&cli.StringFlag{Name: "object", Usage: "make the value a JSON object of `COLUMNS`, such as id:number,name; * is all that are left", Destination: &o.object},
	}
	for _, flag := range more {
		setCategory(flag, columnCategory)
	}
	return slices.Concat([]cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the new archive's `DIR`, or its place in a bucket, which must not exist", Destination: &o.output},
		spoolFlag(e),
		&cli.StringFlag{Name: "topic", Usage: "the `TOPIC` of records whose row names none", Destination: &i.Topic},
		numberFlag("partition", "the partition, as `N`, of records whose row names none", "by --partitions", &o.partition, 0, math.MaxInt32-1),
		numberFlag("partitions", "partitions of a topic, as `N`, for records whose row names none", "1", &o.partitions, 1, math.MaxInt32),
		choiceFlag("partitioner", "where those records go: by `key`, as Kafka's producers do, or round-robin", &o.partitioner, words(imports.Partitioners())...),
		&cli.StringFlag{Name: "calls", Usage: "of a snapshot, records of which `CALLS`: fetch, produce or both in a comma list", Value: defaultCalls, Destination: &o.calls},
		&cli.StringFlag{Name: "rrpairs", Usage: "of a snapshot, only calls of which speedctl's `FILTER` is true", Destination: &o.pairs},
		parsed("skip-bad", "leave out up to `N` rows that are no record, name them, and exit with 3", "0", &i.SkipBad, units.ParseCount),
		encodingFlag("of the archive: `parquet` or arrow", "parquet", &o.encoding),
		parsed("compression", "of the archive, as `CODEC`: zstd, zstd:LEVEL (1 to 22) or none", "zstd:1", &i.Compression, format.ParseCompression),
		formatFlag(&o.format), quietFlag(e),
	}, o.columnFlags.flags(), more, o.fileLimits.flags(), o.reshapeFlags.flags())
}

func kindsOfFiles() (names []string) {
	for _, k := range imports.Kinds() {
		names = append(names, string(k.Kind))
	}
	return names
}

// kindsHelp is a line for each kind.
func kindsHelp() string {
	out := "FILE is one of these kinds:\n\n"
	for _, k := range imports.Kinds() {
		out += fmt.Sprintf("  %-10s %s\n", k.Kind, k.Help)
	}
	return out
}

// parseKeyDelimiter takes any text, and tab for a tab.
func parseKeyDelimiter(s string) (string, error) {
	if s == "" {
		return "", errors.New("empty")
	}
	if s == "tab" {
		return "\t", nil
	}
	return strings.ReplaceAll(s, `\t`, "\t"), nil
}

// arguments are a kind and files.
func (o *importOptions) arguments(args []string) error {
	const hint = "karchive help import shows examples"
	kinds := kindsOfFiles()
	if len(args) == 0 {
		return &usageError{"karchive import needs a kind of file: " + strings.Join(kinds, ", "), hint}
	}
	if !slices.Contains(kinds, args[0]) {
		near := suggest.Nearest(args[0], kinds)
		if near == "" {
			return &usageError{"the first argument is no kind of file: use " + strings.Join(kinds, ", "), kindHint(args[0], hint)}
		}
		return &usageError{fmt.Sprintf("%q is no kind of file", args[0]), "did you mean " + near + "?"}
	}
	o.kind, o.files = imports.Kind(args[0]), args[1:]
	switch {
	case len(o.files) == 0:
		return &usageError{"karchive import " + args[0] + " needs a FILE, or - for stdin", hint}
	case slices.Contains(o.files, ""):
		return usage("FILE is empty")
	case o.output == "":
		return &usageError{"no place for the new archive given", "give -o ARCHIVE"}
	}
	first := slices.Index(o.files, "-")
	if first >= 0 && slices.Contains(o.files[first+1:], "-") {
		return usage("stdin can be read only once")
	}
	return nil
}

// kindHint guesses which kind was forgotten before the name of a file.
func kindHint(name, otherwise string) string {
	if k, _, ok := imports.KindOfName(name); ok {
		return "karchive import " + string(k.Kind) + " FILE reads " + k.Help
	}
	return otherwise
}
