package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/copying"
	"github.com/karchive/karchive/internal/reshape"
)

type copyOptions struct {
	archives []string
	output   string
	selected
	reshapeFlags
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
		Flags: slices.Concat(o.selected.flags(), o.flags(e), o.reshapeFlags.flags()),
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
		countFlag("last-per-partition", "of each partition only the last `N` selected records, before rules", "all", &o.last),
		mapFlag("rename topics, as `OLD:=NEW`, * standing for anything, or ARCHIVE/OLD:=NEW for those of one archive", &o.maps, parseCopyRule),
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
func (o *copyOptions) options(window format.Selection, rules *reshape.Pipeline) copying.Options {
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
