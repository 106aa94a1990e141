package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/units"
)

func skipCorruptFlag(to *bool) cli.Flag {
	return &cli.BoolFlag{Name: "skip-corrupt", Usage: "of a damaged archive take what is intact, name the rest, and exit with 3", Destination: to}
}

// openWhole opens an archive for reading, or with skip what is intact of it. Then everything is checked first, and what is wrong is said
// on stderr; damaged is errIncomplete when something is.
func openWhole(ctx context.Context, e *env, dir string, skip bool) (a *format.Archive, damaged, err error) {
	if !skip {
		a, err = openArchive(e, dir)
		return a, nil, err
	}
	a, bad, err := openIntact(ctx, e, dir)
	if bad > 0 {
		damaged = errIncomplete
	}
	return a, damaged, err
}

// openIntact checks an archive deeply, names on stderr what is wrong with it, and opens what is intact.
func openIntact(ctx context.Context, e *env, dir string) (a *format.Archive, bad int, err error) {
	fsys, err := archiveFS(e, dir, true)
	if err != nil {
		return nil, 0, err
	}
	progress := newProgress(e, "check")
	files := 0
	a, err = format.OpenIntact(fsys, func(c format.FileCheck) error {
		if err := undecided(ctx, c); err != nil {
			return err
		}
		files++
		for _, p := range c.Problems {
			bad++
			e.warnf("%s: %s", c.Path, p)
		}
		progress.set(0, 0, units.Of(int64(files), "file"))
		return nil
	})
	progress.done()
	if err != nil {
		return nil, bad, fmt.Errorf("%s: %w", dir, err)
	}
	return a, bad, nil
}

// undecided is why a check tells nothing of its file: it was interrupted, or a store that should give the file did not answer. That is no damage.
func undecided(ctx context.Context, c format.FileCheck) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for _, p := range c.Problems {
		if _, ok := errors.AsType[*bucket.GaveUpError](p); ok {
			return fmt.Errorf("%s: %w", c.Path, p)
		}
	}
	return nil
}
