package main

import (
	"cmp"
	"context"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/imports"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// tableReplay is what a replay of a CSV file needs beyond that of an archive.
type tableReplay struct {
	columnFlags
	fileLimits
	topic   string
	skipBad int64
}

func (t *tableReplay) flags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "topic", Usage: "the `TOPIC` that the rows of a CSV file go to", Destination: &t.topic},
		parsed("skip-bad", "leave out up to `N` rows that are no record, name them, and exit with 3", "0", &t.skipBad, units.ParseCount),
	}
	flags = append(append(flags, t.columnFlags.flags()...), t.fileLimits.flags()...)
	for _, flag := range flags {
		setCategory(flag, "Replay of a CSV file")
	}
	return flags
}

// opening is how the file is read, with what is temporary in dir.
func (t *tableReplay) opening(dir string) imports.OpenOptions {
	open := imports.OpenOptions{Mapping: t.mapping, CSV: t.csv, TempDir: dir}
	open.Mapping.TimeUnit, open.Mapping.OnlyNamed = imports.TimeUnit(t.unit), true
	t.fileLimits.into(&open)
	return open
}

// isTable says whether a file is to be replayed, and no archive.
func isTable(name string) bool {
	if name == "-" {
		return true
	}
	if pack.Find(name) != nil {
		return false
	}
	info, err := os.Stat(name)
	if err != nil {
		kind, _, ok := imports.KindOfName(name)
		return ok && kind.Kind == imports.CSV // opening it tells what is wrong
	}
	return !info.IsDir()
}

// source is what is replayed.
type source struct {
	*format.Archive
	damaged  error                                   // errIncomplete, when not all of it is intact
	complete func(ctx context.Context, e *env) error // makes the archive of a CSV file, which may take long: once a broker has answered
	preview  *preview                                // of the rows of a CSV file, which the archive has after the rules; nil: of an archive
	end      func()
}

// openSource opens the archive, or begins a temporary one of a CSV file: then every option of a replay works, and a replay that goes on
// finds the same records.
func (o *replayOptions) openSource(ctx context.Context, e *env, rules *reshape.Pipeline) (*source, error) {
	if isTable(o.archive) {
		return o.openTable(rules)
	}
	if o.table.topic != "" || o.table.given() || o.table.spelled() || o.table.skipBad > 0 {
		return nil, &usageError{"--topic, columns and --skip-bad are for a CSV file, and " + o.archive + " is none", "-t chooses topics of an archive, --map renames them"}
	}
	a, damaged, err := openWhole(ctx, e, o.archive, o.skipCorrupt)
	if err != nil {
		return nil, err
	}
	return &source{Archive: a, damaged: damaged, complete: func(context.Context, *env) error { return nil }, end: func() { a.Close() }}, nil
}

// archives are the archive, unless there is none yet.
func (s *source) archives() []*format.Archive {
	if s.Archive == nil {
		return nil
	}
	return []*format.Archive{s.Archive}
}

// openTable begins with an archive that is not there yet. Rules are applied as its rows are read, so that nothing is written before them.
func (o *replayOptions) openTable(rules *reshape.Pipeline) (*source, error) {
	if err := o.checkTable(); err != nil {
		return nil, err
	}
	if err := checkInput(o.archive); err != nil {
		return nil, err
	}
	t, err := aside.CreateTemporary()
	if err != nil {
		return nil, err
	}
	s := &source{}
	into := imports.Options{Topic: o.table.topic, SkipBad: o.table.skipBad, TempDir: t.Dir}
	if rules != nil {
		s.preview = &preview{originals: o.originals}
		into.Reshape = tableRules{ruled{rules}, s.preview}
		o.replay.Reshape = nil
	}
	s.complete = func(ctx context.Context, e *env) error { return o.importTable(ctx, e, s, t, into) }
	s.end = func() {
		if s.Archive != nil {
			s.Archive.Close()
		}
		t.End()
	}
	return s, nil
}

// checkTable refuses what a CSV file cannot do, and what is no CSV file.
func (o *replayOptions) checkTable() error {
	const csv = "a CSV file, such as karchive extract makes, can be replayed as it is"
	switch kind, ending, ok := imports.KindOfName(o.archive); {
	case ok && kind.Kind != imports.CSV && kind.Kind != imports.Lines:
		return &usageError{o.archive + " is no CSV file", csv + "; karchive import " + string(kind.Kind) + " makes an archive of it"}
	case ok && ending != ".csv" && kind.Kind == imports.CSV && o.table.csv.Comma == 0:
		o.table.csv.Comma = '\t'
	}
	switch {
	case o.table.topic == "":
		return &usageError{"no topic given for the rows of " + o.archive, "give --topic TOPIC"}
	case o.pacing.speed != nil && o.pacing.speed.Timed() && o.table.mapping.Timestamp == "":
		return &usageError{"--speed goes by timestamps, and no column is named for them", "give --timestamp-column COLUMN, or --rate"}
	case o.archive == "-" && o.connection.file == "-":
		return usage("stdin cannot be both the CSV file and the client.properties of --config")
	case o.skipCorrupt:
		return &usageError{"--skip-corrupt is for archives, and " + o.archive + " is a CSV file", "--skip-bad N leaves out rows that are no record"}
	}
	if err := ondisk.CheckTopic(o.table.topic); err != nil {
		return usage("--topic %v", err)
	}
	// As a producer would.
	if !o.given("partitioner") {
		o.replay.Partitioner = routing.ByKey
	}
	if !o.given("timestamps") && o.table.mapping.Timestamp == "" {
		o.replay.Timestamps = replay.NowTimestamps
	}
	return nil
}

func (o *replayOptions) importTable(ctx context.Context, e *env, s *source, t *aside.Temporary, into imports.Options) error {
	defer e.noteStop(ctx, "ending before anything is sent")()
	a, err := t.NewArchive(format.Identity{CreatedBy: madeBy()})
	if err != nil {
		return err
	}
	defer a.Close()
	files := e.importedFiles(ctx, imports.CSV, []string{o.archive}, o.table.opening(into.TempDir))
	r, err := e.importFiles(ctx, a, files, into)
	if err != nil {
		return importHint(err)
	}
	if err := imports.NameByContents(a, r.Fingerprint, into.Reshape); err != nil {
		return err
	}
	if err := a.Close(); err != nil {
		return err
	}
	e.notef("%s of %s; the value is %s", units.Of(r.Rows, "row"), files[0].Name, cmp.Or(o.table.mapping.Value.Name, "the first column that is named for nothing else"))
	if r.Bad > 0 {
		s.damaged = errIncomplete
	}
	s.Archive, err = openArchive(e, t.ArchiveDir())
	return err
}
