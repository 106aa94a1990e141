// Package copying makes a new archive of what is selected of one or several: slices, unions, compaction and other encodings are all the same
// walk over their row groups, partition by partition, in offset order.
//
// Of one archive, segments stay as they are cut: one of which all is taken is copied as a file, a row group of which all is taken as
// bytes. Of several archives, and where RotateBytes says so, segments and row groups are cut anew by the rules of a capture, so
// that the union of captures of parts is, byte for byte, the capture of the whole.
package copying

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
)

// Input is an archive that is copied from.
type Input struct {
	Name    string // for messages
	Archive *format.Archive
	// Takes selects partitions by their names in the archive; nil: all.
	Takes func(format.TopicPartition) bool
	// Topic gives topics new names; nil keeps them. Two topics of an archive cannot become one.
	Topic func(topic string) (string, error)
}

// Options say what of the inputs is copied, and how it is written. The zero value copies all as it is.
type Options struct {
	Window format.Selection // records; offsets also bound what NEW covers, times leave records out of it
	Limit  int64            // at most so many records, by topic, partition and offset; 0: no limit
	Last   int64            // of each partition the last so many records of the window, before any rule; 0: all
	// Reshape leaves records out and changes them; nil: they stay as they are. It sees the topics' old names.
	Reshape reshaping.Reshaper

	Encoding    format.Encoding     // of the new archive; empty: of the first input
	Compression *format.Compression // of all that is written; nil: bytes that need no decoding keep theirs, the rest is compressed as in the first input's capture
	RotateBytes int64               // cut anew, into segments of so many canonical bytes; 0: as the inputs are cut, or those of the first input's capture

	Encoders   chan struct{}                             // as in format.WriterOptions
	OnProgress func(records, bytes, ofBytes int64) error // of the inputs, canonical bytes; its error ends the copy. nil: nobody looks
}

// Report says what was done.
type Report struct {
	Partitions    int   // of the new archive
	Segments      int   // of the new archive
	Records       int64 // in the new archive
	Bytes         int64 // canonical, in the new archive
	Disk          int64 // bytes of the new archive's segments
	Filtered      int64 // records of the inputs that were left out
	CopiedFiles   int64 // segments copied as files
	CopiedGroups  int64 // row groups copied as bytes, those of copied files not counted
	DecodedGroups int64 // row groups decoded
}

// Run copies inputs into an archive that was created with the identity that Identity gives and that holds nothing. After an error it holds a
// part of what it should and is not to be used. Errors are *ConflictError, *SourceError and *HoleError where inputs do not fit together.
func Run(ctx context.Context, inputs []Input, into *format.Archive, o Options) (*Report, error) {
	plan, err := newPlan(inputs, o)
	if err != nil {
		return nil, err
	}
	c := &copier{ctx: ctx, into: into, options: o, plan: plan, left: o.Limit, report: &Report{}}
	if err := c.run(); err != nil {
		return nil, err
	}
	return c.report, c.count()
}

// copier is a copy under way.
type copier struct {
	ctx     context.Context
	into    *format.Archive
	options Options
	plan    *plan
	left    int64 // of Limit
	report  *Report

	records, bytes, ofBytes int64 // progress

	apply func(format.TopicPartition, *format.Record) (bool, error) // nil: records stay as they are
}

func (c *copier) run() error {
	if c.options.Reshape != nil {
		apply, end := c.options.Reshape.Begin(reshaping.Use{})
		c.apply = apply
		defer end()
	}
	for _, p := range c.plan.partitions {
		for _, s := range p.shares {
			c.ofBytes += s.coverage.Bytes
		}
	}
	if c.options.Last > 0 {
		c.ofBytes *= 2 // they are counted first
	}
	for _, p := range c.plan.partitions {
		if err := c.copyPartition(p); err != nil {
			return fmt.Errorf("copy %s: %w", p.tp, err)
		}
	}
	return nil
}

// count looks at what was written.
func (c *copier) count() error {
	for _, tp := range c.into.Partitions() {
		coverage, err := c.into.Coverage(tp)
		if err != nil {
			return err
		}
		c.report.Partitions++
		c.report.Segments += coverage.Segments
		c.report.Records += coverage.Records
		c.report.Bytes += coverage.Bytes
		c.report.Disk += coverage.DiskBytes
	}
	return nil
}

// done counts what of the inputs was gone through, and asks whether to go on.
func (c *copier) done(records, bytes int64) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	c.records, c.bytes = c.records+records, c.bytes+bytes
	if c.options.OnProgress == nil {
		return nil
	}
	return c.options.OnProgress(c.records, c.bytes, c.ofBytes)
}

// compression is what is used for records that are encoded here.
func (c *copier) compression() format.Compression {
	if c.options.Compression != nil {
		return *c.options.Compression
	}
	return c.plan.compression
}

// rotation is where segments end that are cut anew.
func (c *copier) rotation() (bytes, records int64) {
	if c.options.RotateBytes > 0 {
		return c.options.RotateBytes, 0
	}
	return cmp.Or(c.plan.rotateBytes, defaultRotateBytes), c.plan.rotateRecords
}

// defaultRotateBytes is where a capture's segments end.
const defaultRotateBytes = 256 << 20

func sortPartitions(all []*partition) {
	slices.SortFunc(all, func(a, b *partition) int { return a.tp.Compare(b.tp) })
}
