package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/copying"
	"github.com/karchive/karchive/internal/scan"
)

var update = flag.Bool("update", false, "write the golden archives of the current format version anew")

const goldenDir = "../../testdata"

// goldens are the golden archives that this version writes. Those of older ones stay.
var goldens = map[string]kind{
	"golden-1.0":       {encoding: format.Parquet},
	"golden-1.1-arrow": {encoding: format.Arrow},
}

// goldenSegments are the torture segments without their bulk.
func goldenSegments() []segment {
	var small []segment
	for _, s := range tortureSegments() {
		if s.topic == "orders" {
			s.records = s.records[:20]
			s.next = s.base + 30
			if len(small) > 0 && small[len(small)-1].topic == "orders" {
				s.base = small[len(small)-1].next
				s.next = s.base + 30
				s.records = number(s.base+1, s.records)
			}
		}
		s.records = dropLong(s.records)
		small = append(small, s)
	}
	return small
}

func dropLong(records []format.Record) []format.Record {
	var short []format.Record
	for _, r := range records {
		if len(r.Key)+len(r.Value) < 4096 {
			short = append(short, r)
		}
	}
	return short
}

func TestGoldenArchivesAreUpToDate(t *testing.T) {
	for name, k := range goldens {
		t.Run(name, func(t *testing.T) { checkFresh(t, filepath.Join(goldenDir, name), k) })
	}
}

func checkFresh(t *testing.T, root string, k kind) {
	renewed(t, root, func(root string) error { return writeArchive(root, k, goldenSegments()) }, goldenSegments())
	fresh := t.TempDir()
	if err := writeArchive(fresh, k, goldenSegments()); err != nil {
		t.Fatal(err)
	}
	got, want := dataFiles(t, fresh), dataFiles(t, root)
	if len(want) == 0 {
		t.Fatal("the golden archive has no segments: make it with -update")
	}
	for name, b := range want {
		if !bytes.Equal(got[name], b) {
			t.Errorf("%s is written with other bytes than before: if that is meant, run this test with -update", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d segments, want %d", len(got), len(want))
	}
}

// renewed writes a golden archive of segments anew when it is asked to.
func renewed(t *testing.T, root string, write func(root string) error, segments []segment) {
	t.Helper()
	if !*update {
		return
	}
	for _, err := range []error{os.RemoveAll(root), os.MkdirAll(root, 0o755), write(root), writeExpected(root+".expected.jsonl", segments), removeLocks(root)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// writtenAsItIs checks that a golden archive is written today with the same bytes in data/, and the same text in karchive.json from a member on.
func writtenAsItIs(t *testing.T, root string, write func(root string) error, member string) {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "fresh")
	if err := write(fresh); err != nil {
		t.Fatal(err)
	}
	if got, want := dataFiles(t, fresh), dataFiles(t, root); len(want) == 0 || !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %d files, want the bytes of the %d of the golden archive: if that is meant, run this test with -update", len(got), len(want))
	}
	if got, want := identityText(t, fresh, member), identityText(t, root, member); !bytes.Equal(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// They hold the same records.
func TestConvertingOneGoldenArchiveMakesTheOther(t *testing.T) {
	dir := t.TempDir()
	parquet, err := format.OpenPath(filepath.Join(goldenDir, "golden-1.0"))
	if err != nil {
		t.Fatal(err)
	}
	into, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	arrow, err := format.Create(into, format.Identity{Encoding: format.Arrow})
	if err != nil {
		t.Fatal(err)
	}
	_, err = copying.Run(t.Context(), []copying.Input{{Archive: parquet}}, arrow, copying.Options{})
	if err := errors.Join(err, arrow.Close()); err != nil {
		t.Fatal(err)
	}
	if got, want := dataFiles(t, dir), dataFiles(t, filepath.Join(goldenDir, "golden-1.1-arrow")); len(want) == 0 || !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %d files, want the %d of the golden archive", len(got), len(want))
	}
}

// removeLocks removes the lock file, which names this machine.
func removeLocks(root string) error {
	names, err := filepath.Glob(filepath.Join(root, ".karchive-*"))
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}

func dataFiles(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	data := os.DirFS(filepath.Join(root, "data"))
	err := fs.WalkDir(data, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(data, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestGoldenArchivesOfEveryVersionGiveTheirRecords(t *testing.T) {
	roots, err := filepath.Glob(goldenDir + "/golden-*/karchive.json")
	if err != nil || len(roots) == 0 {
		t.Fatalf("got %d golden archives, %v", len(roots), err)
	}
	for _, name := range roots {
		root := filepath.Dir(name)
		t.Run(filepath.Base(root), func(t *testing.T) { checkGolden(t, root) })
	}
}

func checkGolden(t *testing.T, root string) {
	fsys, err := storage.DirFS(root)
	if err != nil {
		t.Fatal(err)
	}
	err = format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
	if err != nil {
		t.Fatal(err)
	}
	archive, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	want := readExpected(t, root+".expected.jsonl")
	for _, tp := range archive.Partitions() {
		for _, r := range readAll(t, archive, tp) {
			key := fmt.Sprintf("%s/%d/%d", tp.Topic, tp.Partition, r.Offset)
			if !bytes.Equal(format.AppendCanonical(nil, &r), want[key]) {
				t.Errorf("%s: got %.200v, want %.200x", key, r, want[key])
			}
			delete(want, key)
		}
	}
	for key := range want {
		t.Errorf("%s is missing", key)
	}
}

func readAll(t *testing.T, archive *format.Archive, tp format.TopicPartition) (all []format.Record) {
	t.Helper()
	cursor := scan.NewCursor(archive, tp, format.Selection{})
	defer cursor.Close()
	for {
		records, err := cursor.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
}

// readExpected returns the canonical bytes of every expected record, by its place.
func readExpected(t *testing.T, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string][]byte{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e expected
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		r := format.Record{Offset: e.Offset, TimestampMs: e.Timestamp, TimestampType: format.TimestampType(e.TimestampType),
			LeaderEpoch: e.LeaderEpoch, Key: e.Key, Value: e.Value}
		for _, h := range e.Headers {
			r.Headers = append(r.Headers, format.Header{Key: string(h[0]), Value: h[1]})
		}
		want[fmt.Sprintf("%s/%d/%d", e.Topic, e.Partition, e.Offset)] = format.AppendCanonical(nil, &r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return want
}
