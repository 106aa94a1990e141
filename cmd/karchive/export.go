package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// exportIceberg is what karchive export makes.
const exportIceberg = "iceberg"

type exportOptions struct {
	archive    string
	catalog    string // URL
	name       string // of the catalog
	properties string // a file
	warehouse  string
	namespace  string
	prefix     string
	location   string
	replace    bool
	dry        bool
	format     string
	incomplete bool
	selected
}

func exportCommand(e *env) *cli.Command {
	var o exportOptions
	return &cli.Command{
		Name:      "export",
		Usage:     "register the segments of an archive in Iceberg tables, as they are",
		ArgsUsage: exportIceberg + " ARCHIVE --catalog URL [flags]",
		Description: `Makes a table of each topic, whose data files are the segments. Nothing is copied. Each call makes the tables follow the archive: what was
sealed since is added, what was pruned is removed, in one commit a table. A call that finds nothing new changes nothing. The program must be
built with the tag iceberg; each release has one that is, karchive-full.

Catalogs: sqlite:///FILE as SQLAlchemy spells it (four slashes and a path from the root), postgresql://USER@HOST/DATABASE with the password from
PGPASSWORD or ~/.pgpass, https://HOST/PATH of a REST catalog. Properties of catalogs and stores, such as token, credential and s3.endpoint, come from
a YAML file with --catalog-properties; secrets belong there.

In Spark and Flink do not compare the column timestamp with a constant: they would find too little. docs/iceberg.md says why and what to do.

Examples:
  karchive export iceberg run1 --catalog sqlite:///tables.db --warehouse tables
  karchive export iceberg run1 --catalog sqlite:///tables.db --warehouse tables -t 'orders-*' --dry-run
  karchive export iceberg s3://backup/orders --catalog https://catalog.example.com --catalog-properties catalog.yaml`,
		Flags: append(o.flags(),
			formatFlag(&o.format), quietFlag(e), allowIncompleteFlag(&o.incomplete)),
		Action: func(c *cli.Context) error {
			if err := o.arguments(c.Args().Slice()); err != nil {
				return err
			}
			return runExport(c.Context, e, &o)
		},
	}
}

func (o *exportOptions) flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "catalog", Usage: "the catalog at `URL`: sqlite:///FILE, postgresql://USER@HOST/DATABASE, http(s)://HOST/PATH", Destination: &o.catalog},
		&cli.StringFlag{Name: "catalog-name", Usage: "the `NAME` that tables of an SQL catalog are kept under, and that readers give", Value: "default", Destination: &o.name},
		&cli.StringFlag{Name: "catalog-properties", Usage: "properties of the catalog and of stores from a YAML `FILE`, a name and a value a line", Destination: &o.properties},
		&cli.StringFlag{Name: "warehouse", Usage: "keep metadata of new tables below `PLACE`: a directory, a URL, or a REST catalog's name for it", Destination: &o.warehouse},
		&cli.StringFlag{Name: "namespace", Usage: "the `NAMESPACE` of the tables; a dot between its parts", Value: "kafka", Destination: &o.namespace},
		&cli.StringFlag{Name: "table-prefix", Usage: "begin the names of tables with `PREFIX`", Destination: &o.prefix},
		o.topicsFlag(),
		&cli.StringFlag{Name: "location", Usage: "the `URL` of the archive as readers of the tables reach it; default: where it is", Destination: &o.location},
		&cli.BoolFlag{Name: "replace", Usage: "take over tables that were made of another archive: its segments go, those of this one come", Destination: &o.replace},
		&cli.BoolFlag{Name: "dry-run", Usage: "say what would change, and change nothing", Destination: &o.dry},
	}
}

func (o *exportOptions) arguments(args []string) error {
	const hint = "karchive help export shows examples"
	switch {
	case len(args) == 0:
		return &usageError{"karchive export needs " + exportIceberg + " and an ARCHIVE", hint}
	case args[0] != exportIceberg:
		return &usageError{fmt.Sprintf("export %s: not %s", shown(args[0], []string{exportIceberg}), exportIceberg), hint}
	case len(args) < 2 || args[1] == "":
		return &usageError{"karchive export " + exportIceberg + " needs an ARCHIVE", hint}
	case len(args) > 2:
		return unexpected("export "+exportIceberg, "another argument")
	case makeTables == nil:
		return &usageError{"this program was built without Iceberg", "karchive-full of each release has it; go build -tags iceberg ./cmd/karchive makes one"}
	case o.catalog == "":
		return &usageError{"give a --catalog", hint}
	}
	o.archive = args[1]
	return nil
}

// makeTables makes the tables, in programs that were built with what it needs; nil: in this one not.
var makeTables func(ctx context.Context, e *env, o *exportOptions, a *format.Archive, topics []string) (*exported, error)

func runExport(ctx context.Context, e *env, o *exportOptions) error {
	if err := o.findLocation(); err != nil {
		return err
	}
	a, err := o.open(e)
	if err != nil {
		return err
	}
	defer a.Close()
	topics, err := o.check(a)
	if err != nil {
		return err
	}
	missing, err := o.completenessOf(e, a)
	if err != nil {
		return err
	}
	e.warnMissing(o.archive, missing)
	r, err := makeTables(ctx, e, o, a, topics)
	if r != nil {
		r.Completeness = missing
		err = errors.Join(err, r.report(e, o.format))
	}
	if err != nil {
		return err
	}
	return missing.accept(o.incomplete)
}

// open opens the archive, unless it is one file: tables have files that readers find by themselves.
func (o *exportOptions) open(e *env) (*format.Archive, error) {
	fsys, err := archiveFS(e, o.archive, false)
	if err != nil {
		return nil, err
	}
	if !lasting(fsys) {
		return nil, &usageError{"export is for an archive in a directory or in a bucket, and " + o.archive + " is a file", "karchive unpack makes a directory of it"}
	}
	a, err := format.Open(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.archive, err)
	}
	return a, nil
}

func lasting(fsys storage.ReadFS) bool {
	switch fsys.(type) {
	case storage.FS, storage.Store:
		return true
	}
	return false
}
