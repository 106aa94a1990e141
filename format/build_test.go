package format_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

var (
	source   = origin.Source{ClusterID: "cluster-a", TopicID: "topic-id", Isolation: origin.ReadCommitted}
	orders0  = format.TopicPartition{Topic: "orders", Partition: 0}
	orders1  = format.TopicPartition{Topic: "orders", Partition: 1}
	events0  = format.TopicPartition{Topic: "events", Partition: 0}
	identity = format.Identity{
		ClusterID: "cluster-a",
		Topics: []origin.Topic{
			{Name: "orders", ID: "topic-id", Partitions: 2, Configs: map[string]string{"cleanup.policy": "compact"}},
			{Name: "events", Partitions: 1},
		},
	}
)

// seg is a segment as a literal: it covers [base, next) and holds records at the offsets given, each with its offset as its time.
type seg struct {
	tp      format.TopicPartition
	base    int64
	next    int64
	offsets []int64
	groups  int // row groups that the records are spread over; 0: one

	encoding format.Encoding // empty: Parquet
}

// in is s in an encoding.
func (s seg) in(e format.Encoding) seg {
	s.encoding = e
	return s
}

// eachEncoding runs a test of what every encoding promises.
func eachEncoding(t *testing.T, test func(t *testing.T, e format.Encoding)) {
	for _, e := range format.Encodings() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func record(offset int64) format.Record {
	return format.Record{
		Offset: offset, TimestampMs: offset, LeaderEpoch: 1,
		Key: fmt.Appendf(nil, "k%d", offset), Value: fmt.Appendf(nil, "value of %d", offset),
	}
}

func offsets(from, until int64) []int64 {
	var all []int64
	for o := from; o < until; o++ {
		all = append(all, o)
	}
	return all
}

// full is a segment with a record at every offset.
func full(tp format.TopicPartition, base, next int64) seg {
	return seg{tp: tp, base: base, next: next, offsets: offsets(base, next)}
}

func (s seg) path() string {
	return fmt.Sprintf("data/topic=%s/partition=%d/%020d.%s", s.tp.Topic, s.tp.Partition, s.base, cmp.Or(s.encoding, format.Parquet))
}

func (s seg) options() format.WriterOptions {
	return format.WriterOptions{Topic: s.tp.Topic, Partition: s.tp.Partition, Base: s.base, Source: source, Encoding: s.encoding}
}

// rowWriter is a segment that is being written, with or without an archive around it.
type rowWriter interface {
	Write(*format.Record) error
	Cut() error
}

// writeTo writes the records of s.
func (s seg) writeTo(w rowWriter) error {
	every := len(s.offsets)
	if s.groups > 1 {
		every = (len(s.offsets) + s.groups - 1) / s.groups
	}
	for i, o := range s.offsets {
		r := record(o)
		if i > 0 && i%every == 0 {
			if err := w.Cut(); err != nil {
				return err
			}
		}
		if err := w.Write(&r); err != nil {
			return err
		}
	}
	return nil
}

// bytes is the segment's file.
func (s seg) bytes(t testing.TB) []byte {
	t.Helper()
	return s.bytesWith(t, s.options())
}

func (s seg) bytesWith(t testing.TB, o format.WriterOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := format.NewWriter(&b, o)
	if err == nil {
		err = s.writeTo(w)
	}
	if err == nil {
		_, err = w.Finish(s.next)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// seal adds s to an archive.
func (s seg) seal(a *format.Archive) error {
	p, err := a.NewSegment(s.options())
	if err != nil {
		return err
	}
	if err := s.writeTo(p); err != nil {
		return errors.Join(err, p.Discard())
	}
	_, _, err = p.Seal(s.next)
	return err
}

func mustSeal(t testing.TB, a *format.Archive, segments ...seg) {
	t.Helper()
	for _, s := range segments {
		if err := s.seal(a); err != nil {
			t.Fatal(err)
		}
	}
}

// archiveOf makes an archive of segments, in the encoding of the first, and closes it.
func archiveOf(t testing.TB, fsys storage.FS, segments ...seg) {
	t.Helper()
	id := identity
	if len(segments) > 0 {
		id.Encoding = segments[0].encoding
	}
	a, err := format.Create(fsys, id)
	if err != nil {
		t.Fatal(err)
	}
	mustSeal(t, a, segments...)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// memArchive is archiveOf in memory.
func memArchive(t testing.TB, segments ...seg) *memfs.FS {
	t.Helper()
	fsys := memfs.New(memfs.Options{})
	archiveOf(t, fsys, segments...)
	return fsys
}

// changed is a copy of a file system with other content in some files; nil removes one.
func changed(fsys *memfs.FS, files map[string][]byte) *memfs.FS {
	all := fsys.Files()
	for name, content := range files {
		if all[name] = content; content == nil {
			delete(all, name)
		}
	}
	return memfs.FromFiles(memfs.Options{}, all)
}

func mustOpen(t testing.TB, fsys storage.ReadFS) *format.Archive {
	t.Helper()
	a, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mustOpenForWriting(t testing.TB, fsys storage.FS) *format.Archive {
	t.Helper()
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// readAll returns all records of a cursor.
func readAll(c *scan.Cursor) ([]format.Record, error) {
	defer c.Close()
	var all []format.Record
	for {
		records, err := c.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, records...)
	}
}

// offsetsOf reads the offsets of a partition and checks every record against what seg wrote.
func offsetsOf(t testing.TB, a *format.Archive, tp format.TopicPartition, w format.Selection) []int64 {
	t.Helper()
	records, err := readAll(scan.NewCursor(a, tp, w))
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, r := range records {
		want := record(r.Offset)
		if !bytes.Equal(format.AppendCanonical(nil, &r), format.AppendCanonical(nil, &want)) {
			t.Fatalf("got record %+v, want %+v", r, want)
		}
		got = append(got, r.Offset)
	}
	return got
}

// findings verifies and returns every problem as "path: where: what".
func findings(t testing.TB, fsys storage.ReadFS, o format.VerifyOptions) []string {
	t.Helper()
	var got []string
	err := format.Verify(fsys, o, func(c format.FileCheck) error {
		for _, p := range c.Problems {
			got = append(got, c.Path+": "+p.Error())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
