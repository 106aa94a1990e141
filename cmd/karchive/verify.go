package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/units"
)

type verifyOptions struct {
	archive string
	deep    bool
	sums    bool // write SHA256SUMS anew
	partly  bool // an incomplete archive is all right
	packedOptions
	format string
}

func verifyCommand(e *env) *cli.Command {
	var o verifyOptions
	return &cli.Command{
		Name:      "verify",
		Usage:     "check that an archive is what was written",
		ArgsUsage: "ARCHIVE [flags]",
		Description: `Hashes every file and checks the footers. With --deep it also decodes every record and checks digests, order and coverage.
Each bad file is named with what is wrong; then the exit code is 1. Exit code 3: every file is right, but the archive is not
complete: its capture did not get to its end. What is lost of the records is named too.

Of a packed file the manifest and every part are checked as well; with --trust it must be signed by that key. Of a file that goes on
from an earlier state (pack --since), what is in it is checked.

Examples:
  karchive verify run1
  karchive verify run1.karchive --trust minisign.pub
  karchive verify run1 --deep --format json
  karchive verify run1 --write-sums`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "deep", Usage: "also decode every record", Destination: &o.deep},
			&cli.BoolFlag{Name: "write-sums", Usage: "check with --deep, and if every file is right write SHA256SUMS anew", Destination: &o.sums},
			allowIncompleteFlag(&o.partly),
			allowMissingFlag(&o.missing), trustFlag(&o.trust), identityFlag(e),
			formatFlag(&o.format),
			quietFlag(e),
		},
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			return runVerify(c.Context, e, o)
		},
	}
}

// verification is what verify prints, and its JSON form.
type verification struct {
	Archive string    `json:"archive"`
	Deep    bool      `json:"deep"`
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`   // on disk, of segments
	Records int64     `json:"records"` // of segments that can be read
	Bad     []badFile `json:"bad"`

	Completeness *completeness `json:"completeness,omitempty"` // of an archive without a bad file
	Packed       *packedState  `json:"packed,omitempty"`

	unread    bool            // hashes of a packed archive were compared, and nothing else: some are wrong
	elsewhere map[string]bool // segments of a packed archive that are not in these files
}

type badFile struct {
	Path     string   `json:"path"`
	Problems []string `json:"problems"`
}

func runVerify(ctx context.Context, e *env, o verifyOptions) error {
	v := &verification{Archive: o.archive, Deep: o.deep || o.sums, Bad: []badFile{}}
	fsys, err := v.open(ctx, e, o)
	if err != nil {
		return err
	}
	verify := func(report func(format.FileCheck) error) error {
		return format.Verify(fsys, format.VerifyOptions{Deep: v.Deep}, report)
	}
	if o.sums {
		verify = func(report func(format.FileCheck) error) error {
			err := format.RebuildSums(fsys, report)
			if errors.Is(err, errors.ErrUnsupported) {
				return usage("--write-sums is for an archive in a directory or in a bucket")
			}
			return err
		}
	}
	if v.unread = fsys == nil; v.unread {
		v.Deep = false
	} else {
		if err := v.check(ctx, e, fsys, verify); err != nil {
			return fmt.Errorf("%s: %w", o.archive, err)
		}
	}
	if err := v.print(e, o.format); err != nil {
		return err
	}
	switch {
	case len(v.Bad) > 0:
		return errReported
	case v.Packed != nil && len(v.Packed.Missing) > 0:
		return errIncomplete
	}
	return v.Completeness.accept(o.partly)
}

// check verifies the archive in fsys.
func (v *verification) check(ctx context.Context, e *env, fsys storage.ReadFS, verify func(func(format.FileCheck) error) error) error {
	progress := newProgress(e, "verify")
	err := verify(func(c format.FileCheck) error {
		if err := undecided(ctx, c); err != nil {
			return err
		}
		v.add(c)
		progress.set(0, 0, units.Of(int64(v.Files), "file")+", "+units.Size(v.Bytes))
		return nil
	})
	progress.done()
	if len(v.Bad) > 0 { // they say what an error would say again
		return nil
	}
	if err != nil || len(v.elsewhere) > 0 {
		return err
	}
	return v.complete(fsys)
}

// complete finds out whether the archive, which is sound, holds what it was to hold.
func (v *verification) complete(fsys storage.ReadFS) error {
	a, err := format.Open(fsys)
	if err != nil {
		return err
	}
	defer a.Close()
	a.IgnoreCatalog()
	c, err := a.Completeness(format.Selection{})
	v.Completeness = newCompleteness(c)
	return err
}

func (v *verification) add(c format.FileCheck) {
	if v.elsewhere[c.Path] {
		return
	}
	v.Files++
	if c.Segment != nil {
		v.Bytes += max(c.Segment.Size, 0) // that of a segment which is missing is not known
	}
	if c.Document != nil {
		v.Records += c.Document.Records
	}
	if len(c.Problems) == 0 {
		return
	}
	bad := badFile{Path: c.Path}
	for _, p := range c.Problems {
		bad.Problems = append(bad.Problems, p.Error())
	}
	v.Bad = append(v.Bad, bad)
}
