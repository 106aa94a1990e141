package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/copying"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
)

type copyOptions struct {
	archives []string
	output   string
	selected
	reshaping
	maps        []copyRule
	limit, last int64
	encoding    format.Encoding    // empty: that of the first archive
	compression format.Compression // no codec: as it is
	rotate      int64              // 0: as it is
	incomplete  bool
	format      string
}

func copyCommand(e *env) *cli.Command {
	var o copyOptions
	return &cli.Command{
		Name:      "copy",
		Usage:     "write what is selected of archives to a new one: slice, merge, compact, convert",
		ArgsUsage: "ARCHIVE... -o NEW [flags]",
		Description: `Everything is checked on the way. Segments of which all is taken are copied as files, row groups as bytes; only the rest is decoded. Offsets of
--from and --until bound what NEW covers; what a time, a limit or a rule leaves out is a gap of reason filtered. NEW appears when it is
complete; an interrupted copy leaves nothing.

Several archives become their union, by topic, partition and offset: equal records count once, different ones are an error, and what one archive
lost or left out another may have. Topics of one name must be of one cluster and have one id; --map ARCHIVE/OLD:=NEW keeps others
apart. The union of captures of parts is the capture of the whole, byte for byte.

Copy takes the place of convert: --encoding and --compression write an archive anew, and back again. Exit code 3: NEW lacks something that a
capture planned, or rules withheld records.

Examples:
  karchive copy run1 -o hour -t orders --from 2026-03-01T12:00:00Z --until 2026-03-01T13:00:00Z
  karchive copy monday tuesday wednesday -o week
  karchive copy follow -o compact --rotate-size 256MiB
  karchive copy run1 -o run1-arrow --encoding arrow
  karchive copy run1 -o run1-small --compression zstd:19
  karchive copy run1 -o masked --mask value.user.email=redact --sample 5%
  karchive copy prod staging -o both --map 'staging/*:=staging.*'`,
		Flags: slices.Concat(o.selected.flags(), o.flags(e), o.reshaping.flags()),
		Action: func(c *cli.Context) error {
			if err := o.complete(c); err != nil {
				return err
			}
			return runCopy(c.Context, e, &o)
		},
	}
}

func (o *copyOptions) flags(e *env) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the new archive's `DIR`, or its place in a bucket, which must not exist", Destination: &o.output},
		spoolFlag(e),
		countFlag("limit", "at most `N` records, by topic, partition and offset", "no limit", &o.limit),
		countFlag("last", "of each partition only the last `N` selected records, before rules", "all", &o.last),
		repeated("map", "rename topics, as `OLD:=NEW`, * standing for anything, or ARCHIVE/OLD:=NEW for those of one archive; repeatable", &o.maps, parseCopyRule),
		encodingFlag("of the new archive: `parquet` or arrow", "that of the first archive", &o.encoding),
		parsed("compression", "compress all anew, as `CODEC`: zstd, zstd:LEVEL (1 to 22) or none", "as it is", &o.compression, format.ParseCompression),
		sizeFlag("rotate-size", "cut anew, into segments of this `SIZE` of records", "one archive as it is cut, several as captured", &o.rotate),
		allowIncompleteFlag(&o.incomplete), formatFlag(&o.format), identityFlag(e), quietFlag(e),
	}
}

// complete checks what only the whole command line can tell.
func (o *copyOptions) complete(c *cli.Context) error {
	if o.archives = c.Args().Slice(); len(o.archives) == 0 {
		return &usageError{"karchive copy needs an ARCHIVE", "karchive help copy shows examples"}
	}
	if o.output == "" {
		return &usageError{"no place for the new archive given", "give -o NEW"}
	}
	for i, name := range o.archives {
		if slices.Contains(o.archives[:i], name) {
			return usage("%s is given twice", name)
		}
	}
	for _, r := range o.maps {
		if r.archive != "" && !slices.Contains(o.archives, r.archive) {
			return &usageError{fmt.Sprintf("--map names %s, which is none of the archives", r.archive), "write archives as they are given: " + strings.Join(o.archives, ", ")}
		}
	}
	return nil
}

// maxEncoders bounds the row groups in memory on a machine of many processors.
const maxEncoders = 8

// options are those of the library.
func (o *copyOptions) options(window format.Window, rules *reshape.Pipeline) copying.Options {
	out := copying.Options{
		Window: window, Limit: o.limit, Last: o.last, Encoding: o.encoding, RotateBytes: o.rotate,
		Encoders: make(chan struct{}, min(runtime.GOMAXPROCS(0), maxEncoders)),
	}
	if rules != nil {
		out.Reshape = ruled{rules}
	}
	if o.compression != "" {
		out.Compression = &o.compression
	}
	return out
}

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
	id.CreatedBy = "karchive " + versionText()
	c := &copied{Archives: o.archives, Output: o.output, Encoding: id.Encoding}
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

// open opens the archives, as far as it gets.
func (o *copyOptions) open(e *env) (inputs []copying.Input, err error) {
	for _, name := range o.archives {
		a, err := openArchive(e, name)
		if err != nil {
			return inputs, err
		}
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
