package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/reshaping"
)

// DefaultMemoryBytes is the default of Options.MemoryBytes.
const DefaultMemoryBytes = 64 << 20

// Options say how rows become an archive. The zero value takes all of them, and ends at the first bad one.
type Options struct {
	Topic       string      // of rows that name none
	Partitions  int32       // of a topic, for rows that name none; 0: 1
	Partitioner Partitioner // of those rows; empty: ByKey
	Partition   *int32      // of all rows that name none; nil: by Partitioner
	// Reshape, if set, leaves records out and changes them. What it leaves out is in the archive's ledger as filtered.
	Reshape reshaping.Reshaper
	// SkipBad is how many bad rows may be left out.
	SkipBad int64
	// MemoryBytes bounds the records that are sorted in memory; 0: DefaultMemoryBytes. Beyond it a temporary file in TempDir, which is
	// the system's when empty, takes as many bytes as the records have.
	MemoryBytes int64
	TempDir     string
	Compression format.Compression
	// OnBad, if set, is called for every bad row that is left out.
	OnBad func(*BadRow)
	// OnProgress, if set, is called now and then.
	OnProgress func(Progress)
}

// Progress is how far an import is.
type Progress struct {
	Rows    int64 // read
	Written int64 // records, once all rows are read
}

// File is a file to import. Open is called when its turn comes; close ends its use.
type File struct {
	Name string // for messages
	Open func() (s Source, close func() error, err error)
}

// Report is what became of an import.
type Report struct {
	Rows       int64             `json:"rows"`     // read, bad ones included
	Records    int64             `json:"records"`  // in the archive
	Bytes      int64             `json:"bytes"`    // their canonical bytes
	Filtered   int64             `json:"filtered"` // left out by rules
	Doubled    int64             `json:"doubled"`  // at an offset where the same record was already
	Bad        int64             `json:"bad"`      // left out
	Partitions []PartitionReport `json:"partitions"`
	Segments   int               `json:"segments"`

	// Fingerprint identifies the rows that were taken and their order, before rules: the same files give the same.
	Fingerprint string `json:"-"`
}

// PartitionReport is what an import has of a partition.
type PartitionReport struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // first covered offset
	Next      int64  `json:"next"` // first offset behind the covered ones
	Records   int64  `json:"records"`
	Numbered  bool   `json:"numbered"` // the offsets are not those of the file
}

func (r PartitionReport) place() format.TopicPartition {
	return format.TopicPartition{Topic: r.Topic, Partition: r.Partition}
}

// topic is what an import knows of a topic.
type topic struct {
	number     int32
	turn       int32 // of the partitions, for records without a key
	partitions map[int32]*numbering
}

// numbering is whether the records of a partition have offsets, and the next one where not.
type numbering struct {
	given bool
	next  int64
}

// importer is an import at work.
type importer struct {
	options Options
	archive *format.Archive
	spool   *spool
	byKey   kgo.TopicPartitioner
	apply   func(tp format.TopicPartition, r *format.Record) (bool, error)

	told    *jsonl.Archive // nil: nothing
	covered map[format.TopicPartition]*coverage

	topics map[string]*topic
	names  []string // of topics, by number
	files  []string
	hash   *xxh3.Hasher
	report Report
	line   []byte // scratch
}

// Run imports files into an archive without segments. After an error the archive is not to be used.
func Run(ctx context.Context, archive *format.Archive, files []File, o Options) (Report, error) {
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = DefaultMemoryBytes
	}
	i := &importer{options: o, archive: archive, topics: make(map[string]*topic), covered: make(map[format.TopicPartition]*coverage), hash: xxh3.New(), byKey: kgo.StickyKeyPartitioner(nil).ForTopic("")}
	i.spool = newSpool(o.TempDir, o.MemoryBytes)
	defer i.spool.close()
	if err := i.readAll(ctx, files); err != nil {
		return i.report, err
	}
	i.report.Fingerprint = fmt.Sprintf("%x", i.hash.Sum128().Bytes())
	return i.report, i.write(ctx)
}

func (i *importer) readAll(ctx context.Context, files []File) error {
	if i.options.Reshape != nil {
		apply, end := i.options.Reshape.Begin(reshaping.Use{})
		i.apply = apply
		defer end()
	}
	for n, f := range files {
		i.files = append(i.files, f.Name)
		if err := i.readFile(ctx, int32(n), f); err != nil {
			return err
		}
	}
	return nil
}

func (i *importer) readFile(ctx context.Context, n int32, f File) (err error) {
	source, end, err := f.Open()
	if err != nil {
		return err
	}
	defer func() {
		if e := end(); err == nil {
			err = e
		}
	}()
	for {
		row, err := source.Next()
		if err == io.EOF {
			return nil
		}
		if i.report.Rows++; i.report.Rows%1024 == 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			i.progress(0)
		}
		if err == nil {
			err = i.take(n, row)
		}
		if err := i.check(f.Name, row, err); err != nil {
			return err
		}
	}
}

func (i *importer) progress(written int64) {
	if i.options.OnProgress != nil {
		i.options.OnProgress(Progress{i.report.Rows, written})
	}
}

// check returns nil for an error that is a bad row, as long as more of them may be left out.
func (i *importer) check(file string, row *Row, err error) error {
	if err == nil {
		return nil
	}
	bad, ok := errors.AsType[*BadRow](err)
	if !ok {
		if row != nil {
			return fmt.Errorf("%s: line %d: %w", file, row.Line, err)
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	bad.File = file
	return i.leaveOut(bad)
}

func (i *importer) leaveOut(bad *BadRow) error {
	if i.report.Bad == i.options.SkipBad {
		return &TooManyError{Skipped: i.report.Bad, Last: bad}
	}
	i.report.Bad++
	if i.options.OnBad != nil {
		i.options.OnBad(bad)
	}
	return nil
}

// TooManyError is returned for the first bad row that may not be left out.
type TooManyError struct {
	Skipped int64 // left out before
	Last    *BadRow
}

func (e *TooManyError) Error() string { return e.Last.Error() }

func (e *TooManyError) Unwrap() error { return e.Last }

// take gives a row its place and puts it into the spool.
func (i *importer) take(file int32, row *Row) error {
	if row.About != nil {
		return i.tell(row)
	}
	t, err := i.topic(row)
	if err != nil {
		return &BadRow{Line: row.Line, Err: err}
	}
	if row.Partition < 0 || row.Partition == math.MaxInt32 {
		return &BadRow{Line: row.Line, Err: fmt.Errorf("%d is no partition", row.Partition)}
	}
	switch {
	case row.Placed:
	case i.options.Partition != nil:
		row.Partition = *i.options.Partition
	default:
		row.Partition = i.partition(t, row.Key)
	}
	if err := t.assign(row); err != nil {
		return &BadRow{Line: row.Line, Err: err}
	}
	tp := format.TopicPartition{Topic: i.names[t.number], Partition: row.Partition}
	i.remember(tp, &row.Record)
	return i.reshape(key{t.number, row.Partition, row.Offset}, filePlace{file, row.Line}, tp, &row.Record)
}

// remember makes the row part of the fingerprint.
func (i *importer) remember(tp format.TopicPartition, r *format.Record) {
	i.line = append(append(i.line[:0], tp.String()...), 0)
	i.line = format.AppendCanonical(i.line, r)
	i.hash.Write(i.line)
}

func (i *importer) reshape(k key, at filePlace, tp format.TopicPartition, r *format.Record) error {
	if i.apply == nil {
		return i.spool.add(k, at, false, r)
	}
	stays, err := i.apply(tp, r)
	if err != nil {
		return err
	}
	if !stays {
		r = &format.Record{Offset: r.Offset, LeaderEpoch: r.LeaderEpoch}
	}
	return i.spool.add(k, at, !stays, r)
}

func (i *importer) topic(row *Row) (*topic, error) {
	name := row.Topic
	if name == "" {
		name = i.options.Topic
	}
	if t := i.topics[name]; t != nil {
		return t, nil
	}
	if name == "" {
		return nil, ErrNoTopic
	}
	if ondisk.CheckTopic(name) != nil {
		return nil, errTopic
	}
	name = strings.Clone(name) // the row's is the source's
	t := &topic{number: int32(len(i.names)), partitions: make(map[int32]*numbering)}
	i.topics[name] = t
	i.names = append(i.names, name)
	return t, nil
}

// assign gives a row without an offset the next one.
func (t *topic) assign(row *Row) error {
	n := t.partitions[row.Partition]
	switch {
	case n == nil:
		n = &numbering{given: row.Numbered}
		t.partitions[row.Partition] = n
	case n.given != row.Numbered:
		return ErrMixed
	}
	if !n.given {
		row.Offset = n.next
		n.next++
		return nil
	}
	if row.Offset < 0 || row.Offset == math.MaxInt64 {
		return fmt.Errorf("%d: %w", row.Offset, ErrOffset)
	}
	return nil
}
