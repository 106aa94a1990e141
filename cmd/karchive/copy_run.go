package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/copying"
	"github.com/karchive/karchive/internal/units"
)

func runCopy(ctx context.Context, e *env, o *copyOptions) error {
	limitMemory(defaultMemory)
	if err := o.checkWindow(); err != nil {
		return err
	}
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	inputs, err := o.open(e)
	defer closeInputs(inputs)
	if err != nil {
		return err
	}
	o.warnUnused(e, inputs)
	window, err := o.window(e, archivesOf(inputs)...)
	if err != nil {
		return err
	}
	if err := o.load(ctx, e, rules, o.takes, archivesOf(inputs)...); err != nil {
		return err
	}
	options := o.options(window, rules)
	id, err := copying.Identity(inputs, options)
	if err != nil {
		return o.hinted(err)
	}
	id.CreatedBy = madeBy()
	c := &copied{Archives: o.archives, Output: o.output, Encoding: id.Encoding, Unlisted: map[string][]string{}}
	if len(inputs) == 1 {
		e.warnSelected(o.archives[0], inputs[0].Archive, &o.selected)
	}
	if err := c.write(ctx, e, inputs, id, options); err != nil {
		return o.hinted(err)
	}
	c.Reshaped = newReshaped(rules)
	if err := c.report(e, o.format); err != nil {
		return err
	}
	return cmp.Or(c.Reshaped.incomplete(), c.Completeness.accept(o.incomplete))
}

// write makes the new archive, which appears when it is whole.
func (c *copied) write(ctx context.Context, e *env, inputs []copying.Input, id format.Identity, options copying.Options) error {
	if err := c.noteUnlisted(e, inputs); err != nil {
		return err
	}
	into, err := createArchive(e, c.Output, id)
	if err != nil {
		return err
	}
	defer into.Abandon()
	defer e.noteStop(ctx, "ending the copy")()
	if err := c.run(ctx, e, inputs, into.Archive, options); err != nil {
		return err
	}
	if len(inputs) > 1 {
		e.warnMissing(c.Output, c.Completeness)
	}
	if err := into.Commit(); err != nil {
		return fmt.Errorf("%s: %w", c.Output, err)
	}
	return nil
}

// noteUnlisted says which segments nothing vouches for.
func (c *copied) noteUnlisted(e *env, inputs []copying.Input) error {
	for _, in := range inputs {
		paths, err := e.warnUnlisted(in.Name, in.Archive, in.Takes)
		if err != nil {
			return err
		}
		if len(paths) > 0 {
			c.Unlisted[in.Name] = paths
		}
	}
	return nil
}

// run copies, and counts what comes of it.
func (c *copied) run(ctx context.Context, e *env, inputs []copying.Input, into *format.Archive, o copying.Options) error {
	begun := e.now()
	progress := newProgress(e, "copy")
	defer progress.done()
	o.OnProgress = func(records, bytes, of int64) error {
		progress.set(bytes, of, copyProgress(records, bytes))
		return nil
	}
	r, err := copying.Run(ctx, inputs, into, o)
	if err != nil {
		return err
	}
	c.Elapsed = e.now().Sub(begun)
	c.Partitions, c.Segments, c.Records, c.Bytes, c.Disk, c.LeftOut = r.Partitions, r.Segments, r.Records, r.Bytes, r.Disk, r.Filtered
	c.CopiedFiles, c.CopiedGroups, c.DecodedGroups = r.CopiedFiles, r.CopiedGroups, r.DecodedGroups
	missing, err := into.Completeness(format.Selection{})
	c.Completeness = newCompleteness(missing)
	return err
}

// open opens the archives, as far as it gets.
func (o *copyOptions) open(e *env) (inputs []copying.Input, err error) {
	for _, name := range o.archives {
		a, err := openArchive(e, name)
		if err != nil {
			return inputs, err
		}
		a.IgnoreCatalog()
		inputs = append(inputs, copying.Input{Name: name, Archive: a, Takes: o.takes, Topic: o.renaming(name)})
	}
	_, err = o.check(archivesOf(inputs)...)
	return inputs, err
}

func archivesOf(inputs []copying.Input) (archives []*format.Archive) {
	for _, in := range inputs {
		archives = append(archives, in.Archive)
	}
	return archives
}

func closeInputs(inputs []copying.Input) {
	for _, in := range inputs {
		in.Archive.Close()
	}
}

// hinted adds what to do about archives that do not fit together.
func (o *copyOptions) hinted(err error) error {
	if source, ok := errors.AsType[*copying.SourceError](err); ok {
		return withHint(err, fmt.Sprintf("--map '%s/%s:=OTHER' keeps them apart", source.Inputs[1], source.Topic))
	}
	if _, ok := errors.AsType[*copying.ConflictError](err); ok {
		return withHint(err, "karchive diff shows all that differs")
	}
	if _, ok := errors.AsType[*copying.HoleError](err); ok {
		return withHint(err, "--from and --until select what adjoins; or copy the parts into archives of their own")
	}
	return err
}

// copyProgress is what is shown while records are copied.
func copyProgress(records, bytes int64) string {
	return units.Of(records, "record") + ", " + units.Size(bytes)
}
