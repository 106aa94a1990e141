package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/imports"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
)

// importedFiles are files as the import opens them, each when its turn comes.
func (e *env) importedFiles(ctx context.Context, kind imports.Kind, names []string, o imports.OpenOptions) (files []imports.File) {
	for _, name := range names {
		shown := name
		if name == "-" {
			shown = "stdin"
		}
		files = append(files, imports.File{Name: shown, Open: func() (imports.Source, func() error, error) {
			r, end, err := e.open(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			in := imports.Input{Name: shown, Reader: r}
			if f, ok := r.(*os.File); ok {
				if in.Size, err = f.Seek(0, io.SeekEnd); err == nil {
					_, err = f.Seek(0, io.SeekStart)
				}
			}
			o.OnCat = func() {
				e.warnf("%s: the lines are records as karchive cat prints them, and each is taken for a value: without --topic and columns they come back as records", shown)
			}
			var s *imports.OpenSource
			if err == nil {
				s, err = imports.Open(kind, in, o)
			}
			if err != nil {
				end()
				return nil, nil, err
			}
			return s, func() error {
				s.Close()
				return end()
			}, nil
		}})
	}
	return files
}

// importFiles imports, and shows how it goes.
func (e *env) importFiles(ctx context.Context, into *format.Archive, files []imports.File, o imports.Options) (imports.Report, error) {
	progress := newProgress(e, "import")
	defer progress.done()
	o.OnBad = func(bad *imports.BadRow) { e.warnf("left out: %v", bad) }
	o.OnProgress = func(p imports.Progress) {
		if p.Written == 0 {
			progress.set(0, 0, "read "+units.Of(p.Rows, "row"))
			return
		}
		progress.set(p.Written, p.Rows, "wrote "+units.Count(p.Written)+" of "+units.Of(p.Rows, "record"))
	}
	return imports.Run(ctx, into, files, o)
}

// imported is what import prints, and its JSON form.
type imported struct {
	Output string       `json:"output"`
	Kind   imports.Kind `json:"kind"`
	imports.Report
	Reshaped *reshaped `json:"reshaped,omitempty"`
}

// finish prints the result.
func (r *imported) finish(e *env, how string, rules *reshape.Pipeline) error {
	if r.Reshaped = newReshaped(rules); r.Reshaped != nil {
		r.Reshaped.routed = r.unspread()
	}
	r.Reshaped.warn(e)
	if r.Records == 0 {
		e.warnf("there was no record in what was read")
	}
	var err error
	if how == "json" {
		err = printJSON(e.stdout, r)
	} else {
		err = r.print(e.text)
	}
	switch {
	case err != nil:
		return err
	case r.Bad > 0:
		return errIncomplete
	}
	return r.Reshaped.incomplete()
}

// unspread says that every topic is in one partition, which tells nothing of the keys in it.
func (r *imported) unspread() bool {
	topics := map[string]bool{}
	for _, p := range r.Partitions {
		if topics[p.Topic] {
			return false
		}
		topics[p.Topic] = true
	}
	return true
}

func (r *imported) print(w io.Writer) error {
	t := newTable(w)
	printable.Fprintf(t, "TOPIC\tPARTITION\tRECORDS\tOFFSETS\n")
	for _, p := range r.Partitions {
		numbered := ""
		if p.Numbered {
			numbered = ", numbered here"
		}
		printable.Fprintf(t, "%s\t%d\t%s\t%d..%d%s\n", p.Topic, p.Partition, units.Count(p.Records), p.From, p.Next, numbered)
	}
	left := ""
	for _, l := range []struct {
		n    int64
		what string
	}{{r.Doubled, "doubled"}, {r.Filtered, "left out by rules"}, {r.Bad, "bad"}} {
		if l.n > 0 {
			left += ", " + units.Count(l.n) + " " + l.what
		}
	}
	printable.Fprintf(t, "imported %s, %s, of %s%s into %s\n", units.Of(r.Records, "record"), units.Size(r.Bytes), units.Of(r.Rows, "row"), left, r.Output)
	if err := t.Flush(); err != nil {
		return err
	}
	return r.Reshaped.write(w)
}

func runImport(ctx context.Context, e *env, o importOptions) error {
	open, err := o.complete()
	if err != nil {
		return err
	}
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	if rules != nil {
		o.imports.Reshape = ruled{rules}
	}
	schemas, err := o.schemas(ctx, e)
	if err != nil {
		return err
	}
	if schemas != nil {
		o.imports.Reshape = written{o.imports.Reshape, schemas}
	}
	for _, name := range o.files { // before hours of reading the one before it
		if err := checkInput(name); err != nil {
			return err
		}
	}
	into, err := createArchive(e, o.output, format.Identity{Encoding: o.encoding, CreatedBy: madeBy()})
	if err != nil {
		return err
	}
	defer into.Abandon()
	defer e.noteStop(ctx, "ending the import")()
	result := imported{Output: o.output, Kind: o.kind}
	result.Report, err = e.importFiles(ctx, into.Archive, e.importedFiles(ctx, o.kind, o.files, open), o.imports)
	if err != nil {
		return importHint(err)
	}
	if err := into.Commit(); err != nil {
		return fmt.Errorf("%s: %w", o.output, err)
	}
	return result.finish(e, o.format, rules)
}

// importHint says what to do about a row that is no record.
func importHint(err error) error {
	if many, ok := errors.AsType[*imports.TooManyError](err); ok && !errors.Is(err, imports.ErrNoTopic) {
		if many.Skipped > 0 {
			return withHint(err, fmt.Sprintf("--skip-bad %d is not enough", many.Skipped))
		}
		return withHint(err, "--skip-bad N leaves out rows that are no record")
	}
	return pathUsage(err)
}
