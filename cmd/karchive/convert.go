package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

type convertOptions struct {
	archive     string
	output      string
	encoding    format.Encoding    // empty: the archive's
	compression format.Compression // no codec: the archive's
	incomplete  bool
	format      string
}

func convertCommand(e *env) *cli.Command {
	var o convertOptions
	return &cli.Command{
		Name:      "convert",
		Usage:     "write an archive anew in another encoding or compression",
		ArgsUsage: "ARCHIVE -o NEW [flags]",
		Description: `The new archive has the same records, coverage, gaps, row groups and digests; every digest is checked on the way. Converting it back makes
the bytes that there were. NEW appears when it is complete; an interrupted conversion leaves nothing. A capture can go on with the new archive,
with --compression where it is not the default. Exit code 3: ARCHIVE is not complete, and neither is NEW.

Examples:
  karchive convert run1 -o run1-arrow --encoding arrow
  karchive convert run1-arrow -o run1-small --encoding parquet --compression zstd:19
  karchive convert run1 -o run1-mapped --encoding arrow --compression none`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the new archive's `DIR`, which must not exist", Destination: &o.output},
			encodingFlag("of the new archive: `parquet` or arrow", "that of ARCHIVE", &o.encoding),
			parsed("compression", "of the new archive, as `CODEC`: zstd, zstd:LEVEL (1 to 22) or none", "that of ARCHIVE's capture, or zstd:1", &o.compression, parseCompression),
			allowIncompleteFlag(&o.incomplete), formatFlag(&o.format), quietFlag(e),
		},
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			switch {
			case o.output == "":
				return &usageError{"no place for the new archive given", "give -o NEW"}
			case o.encoding == "" && o.compression.Codec == "":
				return &usageError{"nothing to convert to", "give --encoding or --compression"}
			}
			return runConvert(c.Context, e, o)
		},
	}
}

// conversion is what convert prints, and its JSON form.
type conversion struct {
	Archive     string          `json:"archive"`
	Output      string          `json:"output"`
	From        format.Encoding `json:"from_encoding"`
	Encoding    format.Encoding `json:"encoding"`
	Compression string          `json:"compression"`
	Partitions  int             `json:"partitions"`
	Segments    int             `json:"segments"`
	Records     int64           `json:"records"`
	Bytes       int64           `json:"bytes"` // canonical
	FromDisk    int64           `json:"from_disk_bytes"`
	Disk        int64           `json:"disk_bytes"`
	Elapsed     time.Duration   `json:"elapsed_ns"`

	Completeness *completeness `json:"completeness"`
}

func runConvert(ctx context.Context, e *env, o convertOptions) error {
	from, err := openArchive(o.archive)
	if err != nil {
		return err
	}
	defer from.Close()
	id, compression, err := o.identity(from)
	if err != nil {
		return err
	}
	c := &conversion{Archive: o.archive, Output: o.output, From: from.Identity().Encoding, Encoding: id.Encoding, Compression: compression.String()}
	if err := c.count(from); err != nil {
		return err
	}
	e.warnMissing(o.archive, c.Completeness)
	into, err := createAside(o.output, id)
	if err != nil {
		return err
	}
	defer into.abandon()
	defer e.noteStop(ctx, "ending the conversion")()
	if err := c.run(ctx, e, from, into.Archive, compression); err != nil {
		return err
	}
	if err := into.commit(); err != nil {
		return fmt.Errorf("%s: %w", o.output, err)
	}
	if err := c.report(e, o.format); err != nil {
		return err
	}
	return c.Completeness.accept(o.incomplete)
}

// planCompression is what a capture calls its compression in the plan, which says what to go on with.
const planCompression = "compression"

// identity is that of the new archive, with the compression that it gets.
func (o *convertOptions) identity(from *format.Archive) (format.Identity, format.Compression, error) {
	id, compression := from.Identity(), o.compression
	id.Encoding = cmp.Or(o.encoding, id.Encoding)
	id.CreatedBy = "karchive " + versionText()
	if id.Capture != nil && compression.Codec == "" && id.Capture.Options[planCompression] != "" {
		var err error
		if compression, err = parseCompression(id.Capture.Options[planCompression]); err != nil {
			return id, compression, fmt.Errorf("compression of the archive's capture: %w", err)
		}
	}
	compression, err := compression.Normalize()
	if err == nil && id.Capture != nil && id.Capture.Options != nil {
		id.Capture.Options[planCompression] = compression.String()
	}
	return id, compression, err
}

// count adds up what there is to convert.
func (c *conversion) count(from *format.Archive) error {
	for _, tp := range from.Partitions() {
		coverage, err := from.Coverage(tp)
		if err != nil {
			return err
		}
		c.Partitions++
		c.Segments += coverage.Segments
		c.Records += coverage.Records
		c.Bytes += coverage.Bytes
		c.FromDisk += coverage.DiskBytes
	}
	missing, err := from.Completeness(nil)
	c.Completeness = newCompleteness(missing)
	return err
}

// maxEncoders bounds the row groups in memory on a machine of many processors.
const maxEncoders = 8

func (c *conversion) run(ctx context.Context, e *env, from, into *format.Archive, compression format.Compression) error {
	begun := e.now()
	progress := newProgress(e, "convert")
	defer progress.done()
	var records, bytes int64
	err := format.Convert(from, into, format.ConvertOptions{
		Compression: compression,
		Encoders:    format.NewEncoders(min(runtime.GOMAXPROCS(0), maxEncoders)),
		OnGroup: func(g *format.RowGroup) error {
			records, bytes = records+g.Records, bytes+g.Bytes
			progress.set(bytes, c.Bytes, units.Of(records, "record")+", "+units.Size(bytes))
			return context.Cause(ctx)
		},
	})
	if err != nil {
		return err
	}
	c.Elapsed = e.now().Sub(begun)
	for _, tp := range into.Partitions() {
		for _, s := range into.Segments(tp) {
			c.Disk += s.Size
		}
	}
	return nil
}

func (c *conversion) report(e *env, how string) error {
	if how == "json" {
		return printJSON(e.stdout, c)
	}
	return c.print(e.text)
}

func (c *conversion) print(w io.Writer) error {
	_, err := printable.Fprintf(w, "converted %s, %s, from %s (%s on disk) to %s %s (%s on disk) in %s (%s/s)\n", units.Of(c.Records, "record"), units.Size(c.Bytes),
		c.From, units.Size(c.FromDisk), c.Encoding, c.Compression, units.Size(c.Disk), units.Duration(c.Elapsed), units.Size(units.Rate(c.Bytes, c.Elapsed)))
	return err
}
