package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/pack"
)

func runPack(ctx context.Context, e *env, o *packOptions) error {
	if err := checkNoFile(o.output); err != nil {
		return err
	}
	fsys, err := archiveFS(e, o.archive, false)
	if err != nil {
		return err
	}
	missing, unlisted, err := o.check(e, fsys)
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
		return ofPlace(o.archive, packHint(err))
	}
	result := &packed{Archive: o.archive, Contents: p.Manifest.Contents, Presumed: len(p.Manifest.Presumed), SignedBy: signedBy(opts.Signers), Sheet: o.sheet, Unlisted: unlisted, Completeness: missing}
	if p.Manifest.Since != nil {
		result.Since = p.Manifest.Since.Contents
	}
	if err := o.write(ctx, e, fsys, p, result); err != nil {
		return err
	}
	return result.print(e, o.format)
}

// check looks at the archive before anything is written, and says which of its segments nothing vouches for.
func (o *packOptions) check(e *env, fsys storage.ReadFS) (missing *completeness, unlisted []string, err error) {
	a, err := format.Open(fsys)
	if err != nil {
		return nil, nil, ofPlace(o.archive, err)
	}
	defer a.Close()
	a.IgnoreCatalog() // what is carried away is judged by its segments
	if missing, err = o.checkComplete(e, a); err == nil {
		unlisted, err = e.warnUnlisted(o.archive, a, func(format.TopicPartition) bool { return true })
	}
	return missing, unlisted, err
}

// checkComplete refuses an archive that is not complete: what is carried away cannot be captured again on the other side.
func (o *packOptions) checkComplete(e *env, a *format.Archive) (*completeness, error) {
	c, err := a.Completeness(format.Selection{})
	if err != nil {
		return nil, ofPlace(o.archive, err)
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
func (o *packOptions) write(ctx context.Context, e *env, fsys storage.ReadFS, p *pack.Packing, result *packed) error {
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
