package pack

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// newArchive makes an archive of one topic with segments of ten records in each partition.
func newArchive(t testing.TB, partitions, segments int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	fsys, err := storage.DirFS(dir)
	must(t, err)
	a, err := format.Create(fsys, format.Identity{Topics: []origin.Topic{{Name: "orders", Partitions: int32(partitions)}}})
	must(t, err)
	must(t, a.Close())
	grow(t, dir, partitions, segments)
	return dir
}

// grow adds segments to each partition.
func grow(t testing.TB, dir string, partitions, segments int) {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	must(t, err)
	a, err := format.OpenForWriting(fsys)
	must(t, err)
	defer a.Close()
	for partition := range int32(partitions) {
		base := int64(len(a.Segments(format.TopicPartition{Topic: "orders", Partition: partition}))) * 10
		for range segments {
			seal(t, a, partition, base)
			base += 10
		}
	}
}

func seal(t testing.TB, a *format.Archive, partition int32, base int64) {
	t.Helper()
	p, err := a.NewSegment(format.WriterOptions{Topic: "orders", Partition: partition, Base: base})
	must(t, err)
	defer p.Discard()
	for i := range int64(10) {
		must(t, p.Write(&format.Record{Offset: base + i, TimestampMs: 1700000000000 + i, LeaderEpoch: format.NoLeaderEpoch,
			Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, `{"partition":%d,"offset":%d}`, partition, base+i)}))
	}
	_, _, err = p.Seal(base + 10)
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// packInto packs an archive and returns its files.
func packInto(t testing.TB, dir, to string, o Options) []string {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	must(t, err)
	p, err := New(context.Background(), fsys, o)
	must(t, err)
	var files []string
	for i := range p.Manifest.Parts {
		var b bytes.Buffer
		must(t, p.WritePart(context.Background(), i, &b))
		if o.Split > 0 && int64(b.Len()) > o.Split {
			t.Errorf("part %d has %d bytes, want at most %d", i+1, b.Len(), o.Split)
		}
		name := PartName(to, i, len(p.Manifest.Parts))
		must(t, os.WriteFile(name, b.Bytes(), 0o600))
		files = append(files, name)
	}
	return files
}

// contents are all files below a directory but locks.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ondisk.Lock {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = string(b)
		return err
	}))
	return all
}

func unpackAll(t testing.TB, dir string, o OpenOptions, files ...string) error {
	t.Helper()
	p, err := Open(files, o)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Unpack(context.Background(), dir, UnpackOptions{})
}

func flipBit(t testing.TB, file string, at int64) {
	t.Helper()
	b, err := os.ReadFile(file)
	must(t, err)
	b[at] ^= 1
	must(t, os.WriteFile(file, b, 0o600))
}
