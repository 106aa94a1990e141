package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
)

type packOptions struct {
	archive    string
	output     string
	split      int64
	since      string
	sign       cli.StringSlice
	encryptTo  cli.StringSlice
	incomplete bool
	sheet      string
	format     string
}

func packCommand(e *env) *cli.Command {
	var o packOptions
	return &cli.Command{
		Name:      "pack",
		Usage:     "put an archive into one file, or a few, to be carried elsewhere",
		ArgsUsage: "ARCHIVE -o FILE [flags]",
		Description: `FILE is a zip with stored entries and a manifest of every file with its SHA-256. Every command takes it in place of the archive; unpack makes
a directory of it again. The same archive gives the same file, unless it is encrypted.

With --split, parts get names such as run-1-of-3.karchive; each holds whole segments, and the manifest of all. With --since, what an earlier
archive, packed file or manifest (karchive-pack.json) has is left out. Passphrases of keys are asked for on the terminal.

With --sheet, every packed record is looked at, and the transfer sheet says what is in the files: counts, times, names of fields and headers, what
looks personal and where, hashes and signatures, and room for signatures by hand of the people who release it.

Examples:
  karchive pack run1 -o run1.karchive
  karchive pack run1 -o run1.karchive --split 4GB --sign minisign.key
  karchive pack run1 -o monday.karchive --since sunday.karchive
  karchive pack run1 -o run1.karchive --encrypt-to age1... --sign ~/.ssh/id_ed25519.pub
  karchive pack run1 -o run1.karchive --sheet run1.html`,
		Flags: o.flags(e),
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			if o.output == "" || o.output == "-" {
				return &usageError{"no place for the packed file given: it is made of whole parts, and cannot go to stdout", "give -o FILE"}
			}
			if err := o.checkSheet(); err != nil {
				return err
			}
			return runPack(c.Context, e, &o)
		},
	}
}

func (o *packOptions) flags(e *env) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the packed `FILE`, which must not exist", Destination: &o.output},
		sizeFlag("split", "make parts of at most this `SIZE`", "one file", &o.split),
		&cli.StringFlag{Name: "since", Usage: "leave out what `OTHER` has: an earlier archive, packed file or manifest", Destination: &o.since},
		&cli.StringSliceFlag{Name: "sign", Usage: "sign with the secret key of minisign or SSH in `FILE`, or with that of a public SSH key which ssh-agent holds; repeatable", Destination: &o.sign},
		&cli.StringSliceFlag{Name: "encrypt-to", Usage: "encrypt to `RECIPIENT`: an age or SSH public key, or a file of such; repeatable", Destination: &o.encryptTo},
		&cli.StringFlag{Name: "sheet", Usage: "write the transfer sheet, on what is packed, to `FILE`, which ends in .html or .txt", Destination: &o.sheet},
		allowIncompletePackFlag(&o.incomplete),
		identityFlag(e), formatFlag(&o.format), quietFlag(e),
	}
}

func allowIncompletePackFlag(to *bool) cli.Flag {
	return &cli.BoolFlag{Name: "allow-incomplete", Usage: "pack an archive whose capture did not get to its end", Destination: to}
}

// packed is what pack prints, and its JSON form.
type packed struct {
	Archive  string   `json:"archive"`
	Files    []string `json:"files"`
	Contents string   `json:"contents"`
	Since    string   `json:"since,omitempty"`
	Segments int      `json:"segments"` // that are packed
	Presumed int      `json:"presumed"` // that are not
	Bytes    int64    `json:"bytes"`    // of the files
	SignedBy []string `json:"signed_by"`
	Sheet    string   `json:"sheet,omitempty"`

	completeness *completeness
}

func runPack(ctx context.Context, e *env, o *packOptions) error {
	if err := checkNoFile(o.output); err != nil {
		return err
	}
	fsys, err := archiveFS(e, o.archive, false)
	if err != nil {
		return err
	}
	missing, err := o.checkComplete(e, fsys)
	if err != nil {
		return err
	}
	opts, err := o.options(e)
	if err != nil {
		return err
	}
	defer e.noteStop(ctx, "ending")()
	progress := newProgress(e, "check")
	opts.OnProgress = func(done, total int64) { progress.set(done, total, units.Size(done)) }
	p, err := pack.New(ctx, fsys, opts)
	progress.done()
	if err != nil {
		return fmt.Errorf("%s: %w", o.archive, packHint(err))
	}
	result := &packed{Archive: o.archive, Contents: p.Manifest.Contents, Presumed: len(p.Manifest.Presumed), SignedBy: signedBy(opts.Signers), Sheet: o.sheet, completeness: missing}
	if p.Manifest.Since != nil {
		result.Since = p.Manifest.Since.Contents
	}
	if err := o.write(ctx, e, fsys, p, result); err != nil {
		return err
	}
	return result.print(e, o.format)
}

// checkComplete refuses an archive that is not complete: what is carried away cannot be captured again on the other side.
func (o *packOptions) checkComplete(e *env, fsys format.ReadFS) (*completeness, error) {
	a, err := format.Open(fsys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.archive, err)
	}
	defer a.Close()
	c, err := a.Completeness(nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.archive, err)
	}
	text := newCompleteness(c)
	e.warnMissing(o.archive, text)
	if !text.Complete && !o.incomplete {
		return nil, withHint(fmt.Errorf("%s is %s", o.archive, text.verdict()), "let the capture end, or pack it as it is with --allow-incomplete")
	}
	return text, nil
}

func packHint(err error) error {
	if _, ok := errors.AsType[*pack.SegmentTooLargeError](err); ok {
		return withHint(err, "give a larger --split, or make smaller segments: karchive copy ARCHIVE -o NEW --rotate-size SIZE")
	}
	return err
}

// write writes all parts and the sheet, and gives them their names when all are whole.
func (o *packOptions) write(ctx context.Context, e *env, fsys format.ReadFS, p *pack.Packing, result *packed) error {
	var files []*aside.File
	defer func() {
		for _, f := range files {
			f.Abandon()
		}
	}()
	begin := func(name string) (*aside.File, error) {
		f, err := createFile(name)
		if err == nil {
			files = append(files, f)
		}
		return f, err
	}
	sheet := o.newSheet(p, result)
	progress := newProgress(e, "pack")
	defer progress.done()
	for i, part := range p.Manifest.Parts {
		f, err := begin(pack.PartName(o.output, i, len(p.Manifest.Parts)))
		if err != nil {
			return err
		}
		progress.set(int64(i), int64(len(p.Manifest.Parts)), units.Size(result.Bytes))
		written, err := writePart(ctx, p, i, f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.To, err)
		}
		sheet.Files = append(sheet.Files, written)
		result.Files, result.Bytes, result.Segments = append(result.Files, f.To), result.Bytes+written.Size, result.Segments+len(part.Files)
	}
	progress.done()
	if o.sheet != "" {
		f, err := begin(o.sheet)
		if err != nil {
			return err
		}
		if err := o.writeSheet(ctx, e, fsys, f, sheet); err != nil {
			return fmt.Errorf("%s: %w", o.sheet, err)
		}
	}
	return commitAll(files)
}

// commitAll gives files their names. When one cannot have it, none has.
func commitAll(files []*aside.File) error {
	for i, f := range files {
		if err := f.Commit(); err != nil {
			for _, done := range files[:i] {
				os.Remove(done.To)
			}
			return err
		}
	}
	return nil
}

func (r *packed) print(e *env, how string) error {
	if how == "json" {
		return printJSON(e.stdout, r)
	}
	for _, f := range r.Files {
		if _, err := printable.Fprintf(e.text, "%s\n", f); err != nil {
			return err
		}
	}
	text := units.Of(int64(r.Segments), "segment") + " in " + units.Size(r.Bytes)
	if r.Presumed > 0 {
		text += ", " + units.Of(int64(r.Presumed), "segment") + " presumed"
	}
	for _, key := range r.SignedBy {
		text += ", signed by " + key
	}
	_, err := printable.Fprintf(e.text, "packed %s: %s, contents %s\n", r.Archive, text, r.Contents)
	return err
}
