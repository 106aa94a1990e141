package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
)

type unpackOptions struct {
	files  []string
	output string
	packedOptions
	format string
}

func unpackCommand(e *env) *cli.Command {
	var o unpackOptions
	return &cli.Command{
		Name:      "unpack",
		Usage:     "make an archive of a packed file again",
		ArgsUsage: "FILE... -o DIR [flags]",
		Description: `Checks the manifest and every file before anything appears in DIR. Parts that lie beside FILE are found by their names. After an
interruption the same command goes on. A file of pack --since is unpacked into the DIR that holds just the state that it goes on from.

With --allow-missing, all parts that are there and sound are unpacked, and the exit code is 3; the others can be unpacked into the same DIR
later. With --trust, a file that is not signed by KEY is refused.

Examples:
  karchive unpack run1.karchive -o run1
  karchive unpack run1-1-of-3.karchive -o run1 --trust minisign.pub
  karchive unpack monday.karchive -o run1 --identity key.txt`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the archive's `DIR`", Destination: &o.output},
			allowMissingFlag(&o.missing), trustFlag(&o.trust), identityFlag(e),
			formatFlag(&o.format), quietFlag(e),
		},
		Action: func(c *cli.Context) error {
			if o.files = c.Args().Slice(); len(o.files) == 0 {
				return &usageError{"karchive unpack needs a packed FILE", "karchive help unpack shows examples"}
			}
			if o.output == "" {
				return &usageError{"no place for the archive given", "give -o DIR"}
			}
			if slices.ContainsFunc(o.files, bucketurl.Is) {
				return &usageError{"this command reads a file, not a bucket", "fetch it with the store's own tools"}
			}
			if err := checkLocalDirectory(o.output); err != nil {
				return err
			}
			return runUnpack(c.Context, e, &o)
		},
	}
}

// unpacked is what unpack prints, and its JSON form.
type unpacked struct {
	Output   string `json:"output"`
	Segments int    `json:"segments"` // that were packed and are there
	Bytes    int64  `json:"bytes"`
	packedState

	Completeness *completeness `json:"completeness,omitempty"` // of the archive, when no part of it is missing
}

func runUnpack(ctx context.Context, e *env, o *unpackOptions) error {
	keys, err := o.trusted()
	if err != nil {
		return err
	}
	files := o.files
	if found := pack.Find(files[0]); len(files) == 1 && found != nil {
		files = found
	}
	p, err := e.openPackedFiles(files, pack.OpenOptions{Trust: keys, AllowMissing: o.missing})
	if _, lacks := errors.AsType[*pack.PartError](err); lacks {
		return withHint(err, "bring it, or take what is there with --allow-missing")
	}
	if err != nil {
		return err
	}
	defer p.Close()
	result := &unpacked{Output: o.output, packedState: *newPackedState(p)}
	defer e.noteStop(ctx, "ending; what was checked is kept")()
	progress := newProgress(e, "unpack")
	err = p.Unpack(ctx, o.output, pack.UnpackOptions{OnProgress: func(done, total int64) { progress.set(done, total, units.Size(done)) }})
	progress.done()
	if err != nil {
		return err
	}
	result.count(e, p)
	if err := result.complete(e); err != nil {
		return err
	}
	if err := result.print(e, o.format); err != nil {
		return err
	}
	if len(p.Problems) > 0 {
		return errIncomplete
	}
	return nil
}

// complete says what the archive lacks of what it was to hold.
func (r *unpacked) complete(e *env) error {
	if len(r.Missing) > 0 {
		return nil
	}
	a, err := openArchive(e, r.Output)
	if err != nil {
		return err
	}
	defer a.Close()
	a.IgnoreCatalog()
	c, err := a.Completeness(format.Selection{})
	if err != nil {
		return ofPlace(r.Output, err)
	}
	r.Completeness = newCompleteness(c)
	e.warnMissing(r.Output, r.Completeness)
	return nil
}

// count counts what is there, and names on stderr what is not.
func (r *unpacked) count(e *env, p *pack.Pack) {
	for _, problem := range p.Problems {
		e.warnf("%s", problem)
		r.Missing = append(r.Missing, problem.Error())
	}
	lacking := map[string]bool{}
	for _, f := range p.Lacking() {
		lacking[f.Path] = true
	}
	for _, part := range p.Manifest.Parts {
		for _, f := range part.Files {
			if !lacking[f.Path] {
				r.Segments, r.Bytes = r.Segments+1, r.Bytes+f.Size
			}
		}
	}
}

func (r *unpacked) print(e *env, how string) error {
	if how == "json" {
		return printJSON(e.stdout, r)
	}
	text := fmt.Sprintf("%s, %s", units.Of(int64(r.Segments), "segment"), units.Size(r.Bytes))
	if r.SignedBy != "" {
		text += ", signed by " + r.SignedBy
	}
	if n := len(r.Missing); n > 0 {
		text += ", " + units.Of(int64(n), "part") + " missing or bad"
	}
	_, err := printable.Fprintf(e.text, "unpacked %s: %s, contents %s\n", r.Output, text, r.Contents)
	return err
}
