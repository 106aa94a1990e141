package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/bucketurl"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/pruning"
	"github.com/karchive/karchive/internal/units"
)

type pruneOptions struct {
	archive string
	keep    time.Duration
	bytes   int64
	by      string // as it was asked for
	dry     bool
	format  string
}

func pruneCommand(e *env) *cli.Command {
	var o pruneOptions
	return &cli.Command{
		Name:      "prune",
		Usage:     "remove old segments from an archive",
		ArgsUsage: "ARCHIVE --keep AGE|--keep-bytes SIZE [flags]",
		Description: `Removes whole segments from the beginning of partitions: with --keep those whose records are all older, by their timestamps; with
--keep-bytes the oldest, until the segments of the archive take no more than that. The newest segment of each partition stays, because it
says where a capture goes on. --dry-run shows what would go. Without it nothing is asked: what is removed is gone.

The archive then says what was removed, when, and by what; every command names it, and it does not make the archive incomplete. In a directory
a capture must not be running. In a bucket it may. Nothing is removed when a segment cannot be read. Killed at any moment, the same command ends
what it began.

Examples:
  karchive prune run1 --keep 30d --dry-run
  karchive prune run1 --keep 30d
  karchive prune s3://backup/orders --keep-bytes 500GiB`,
		Flags: []cli.Flag{
			parsed("keep", "keep segments with records that are not older than `AGE`, such as 30d", "", &o.keep, o.notingAge),
			parsed("keep-bytes", "keep the newest segments of the archive, up to `SIZE` together", "", &o.bytes, o.notingSize),
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be removed, and remove nothing", Destination: &o.dry},
			formatFlag(&o.format), quietFlag(e),
		},
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			if c.IsSet("keep") == c.IsSet("keep-bytes") {
				return &usageError{"give one of --keep and --keep-bytes", "--keep 30d keeps what is younger, --keep-bytes 500GiB what is newest; --dry-run first"}
			}
			return runPrune(e, o)
		},
	}
}

// notingAge parses an age that is more than none, and keeps how it was spelled.
func (o *pruneOptions) notingAge(text string) (time.Duration, error) {
	d, err := units.ParseDuration(text)
	switch {
	case err == nil && d == 0:
		err = errKeepsNothing
	case err == nil && onlyMinutes.MatchString(text):
		err = errMinutes
	}
	o.by = "keep " + text
	return d, err
}

var (
	errKeepsNothing = errors.New("that keeps nothing")
	// errMinutes is for an age that may be meant as months, by which backups are kept elsewhere. What is pruned is gone.
	errMinutes  = errors.New("minutes or months? write minutes as 0h30m, and months in days, such as 180d")
	onlyMinutes = regexp.MustCompile(`^[0-9.]+m$`)
)

// notingSize is notingAge for sizes.
func (o *pruneOptions) notingSize(text string) (int64, error) {
	n, err := units.ParseSize(text)
	if err == nil && n == 0 {
		err = errKeepsNothing
	}
	o.by = "keep-bytes " + text
	return n, err
}

// pruneResult is what prune prints, and its JSON form.
type pruneResult struct {
	Archive    string            `json:"archive"`
	DryRun     bool              `json:"dry_run"`
	By         string            `json:"by"`
	Partitions []prunedPartition `json:"partitions"`
	Segments   int               `json:"segments"`
	Records    int64             `json:"records"`
	DiskBytes  int64             `json:"disk_bytes"`
	Kept       keptSegments      `json:"kept"`
	Requests   *bucket.Requests  `json:"requests,omitempty"` // of an archive in a bucket
}

// prunedPartition is what goes of one.
type prunedPartition struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from_offset"`
	Until     int64  `json:"until_offset"`
	Segments  int    `json:"segments"`
	Records   int64  `json:"records"`
	DiskBytes int64  `json:"disk_bytes"`
	NewestMs  int64  `json:"newest_timestamp_ms"`
}

// keptSegments is what stays.
type keptSegments struct {
	Segments  int   `json:"segments"`
	DiskBytes int64 `json:"disk_bytes"`
}

func runPrune(e *env, o pruneOptions) error {
	a, err := o.open(e)
	if err != nil {
		return err
	}
	plan, err := o.prune(e, a)
	if closing := a.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return pruneHint(fmt.Errorf("%s: %w", o.archive, err))
	}
	if plan.OnlyNewest {
		e.warnf("%s stays larger than %s: the newest segment of each partition says where a capture goes on", o.archive, units.Size(o.bytes))
	}
	if plan.UntimedStayed {
		e.warnf("segments stay whose records do not tell how old they are")
	}
	r := newPruneResult(o, plan)
	r.Requests = e.storeRequests(o.archive)
	if o.format == "json" {
		return printJSON(e.stdout, r)
	}
	return r.print(e.text)
}

// open opens the archive for writing, or for reading when nothing is to be removed.
func (o *pruneOptions) open(e *env) (*format.Archive, error) {
	if o.dry {
		return openArchive(e, o.archive)
	}
	if bucketurl.Is(o.archive) {
		s, err := e.bucketStore(e.ctx, o.archive, "")
		if err != nil {
			return nil, err
		}
		a, err := format.OpenForWriting(s)
		if err != nil {
			err = fmt.Errorf("%s: %w", s.Name(), err)
		}
		return a, err
	}
	fsys, err := archiveFS(e, o.archive, false)
	if err != nil {
		return nil, err
	}
	dir, ok := fsys.(storage.FS)
	if !ok {
		return nil, &usageError{"prune is for an archive in a directory or in a bucket, and " + o.archive + " is a file", "karchive unpack makes a directory of it"}
	}
	a, err := format.OpenForWriting(dir)
	if err != nil {
		err = fmt.Errorf("%s: %w", o.archive, err)
	}
	return a, err
}

func (o *pruneOptions) prune(e *env, a *format.Archive) (*pruning.Plan, error) {
	policy := pruning.Policy{Bytes: o.bytes}
	if o.bytes == 0 {
		policy.Since = e.now().Add(-o.keep)
	}
	plan, err := pruning.Choose(a, policy)
	if err != nil || o.dry {
		return plan, err
	}
	return plan, a.Prune(plan.Until(), o.by, e.now())
}

// pruneHint says what to do about an archive that cannot be pruned.
func pruneHint(err error) error {
	if errors.Is(err, format.ErrCorrupt) || errors.Is(err, format.ErrMissingSegment) {
		return withHint(err, "nothing was removed; karchive verify names every bad file, karchive recover makes a sound archive of the rest")
	}
	return err
}

func newPruneResult(o pruneOptions, plan *pruning.Plan) *pruneResult {
	r := &pruneResult{Archive: o.archive, DryRun: o.dry, By: o.by, Partitions: []prunedPartition{}, Kept: keptSegments{plan.Segments, plan.DiskBytes}}
	for _, c := range plan.Cuts {
		r.Partitions = append(r.Partitions, prunedPartition{c.Topic, c.Partition, c.From, c.Until, c.Segments, c.Records, c.DiskBytes, c.NewestMs})
		r.Segments += c.Segments
		r.Records += c.Records
		r.DiskBytes += c.DiskBytes
	}
	return r
}

func (r *pruneResult) print(w io.Writer) error {
	verb := "removed"
	if r.DryRun {
		verb = "would remove"
	}
	t := newTable(w)
	if len(r.Partitions) > 0 {
		printable.Fprintf(t, "TOPIC\tPARTITION\tOFFSETS\tSEGMENTS\tRECORDS\tON DISK\tNEWEST\n")
	}
	for _, p := range r.Partitions {
		printable.Fprintf(t, "%s\t%d\t%d..%d\t%d\t%s\t%s\t%s\n", p.Topic, p.Partition, p.From, p.Until, p.Segments, units.Count(p.Records), units.Size(p.DiskBytes), timeText(p.NewestMs))
	}
	printable.Fprintf(t, "%s %s, %s, %s; %s, %s stay\n", verb, units.Of(int64(r.Segments), "segment"), units.Of(r.Records, "record"), units.Size(r.DiskBytes),
		units.Of(int64(r.Kept.Segments), "segment"), units.Size(r.Kept.DiskBytes))
	return t.Flush()
}
