package format_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/memfs"
)

// lastError is the error that a sequence ends with.
func lastError[T any](all iter.Seq2[T, error]) (last error) {
	for _, err := range all {
		last = err
	}
	return last
}

func recordsOf(t *testing.T, a *format.Archive, s format.Selection) (all []string) {
	t.Helper()
	for r, err := range a.Records(t.Context(), s) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("value of %d", r.Offset); string(r.Value) != want {
			t.Fatalf("offset %d: got value %q, want %q", r.Offset, r.Value, want)
		}
		all = append(all, fmt.Sprintf("%s-%d@%d", r.Topic, r.Partition, r.Offset))
	}
	return all
}

func TestRecordsComeByPartitionAndOffsetAsSelected(t *testing.T) {
	a := mustOpen(t, memArchive(t, full(orders0, 0, 2), full(orders0, 2, 4), full(orders1, 10, 12), full(events0, 2, 4)))
	for name, c := range map[string]struct {
		selection format.Selection
		want      string
	}{
		"everything":      {format.Selection{}, "events-0@2 events-0@3 orders-0@0 orders-0@1 orders-0@2 orders-0@3 orders-1@10 orders-1@11"},
		"a topic":         {format.Selection{Topics: []string{"events"}}, "events-0@2 events-0@3"},
		"a partition":     {format.Selection{Partitions: []int32{1}}, "orders-1@10 orders-1@11"},
		"both":            {format.Selection{Topics: []string{"orders"}, Partitions: []int32{0}}, "orders-0@0 orders-0@1 orders-0@2 orders-0@3"},
		"from a time":     {format.Selection{From: time.UnixMilli(3)}, "events-0@3 orders-0@3 orders-1@10 orders-1@11"},
		"within a ms":     {format.Selection{From: time.UnixMilli(2).Add(1), Until: time.UnixMilli(3).Add(1)}, "events-0@3 orders-0@3"},
		"until a time":    {format.Selection{Until: time.UnixMilli(3)}, "events-0@2 orders-0@0 orders-0@1 orders-0@2"},
		"offsets":         {format.Selection{FromOffset: 1, UntilOffset: 3}, "events-0@2 orders-0@1 orders-0@2"},
		"an empty window": {format.Selection{FromOffset: 100}, ""},
	} {
		if got := strings.Join(recordsOf(t, a, c.selection), " "); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestWhatAnArchiveDoesNotHaveCannotBeSelected(t *testing.T) {
	a := mustOpen(t, memArchive(t, full(orders0, 0, 2)))
	for _, s := range []format.Selection{{Topics: []string{"orders", "order"}}, {Partitions: []int32{2}}, {Partitions: []int32{-1}}} {
		if err := lastError(a.Records(t.Context(), s)); !errors.Is(err, format.ErrNotArchived) {
			t.Errorf("%+v: got %v, want ErrNotArchived", s, err)
		}
	}
	// events and the partition 1 of orders are described, and have no record.
	if got := recordsOf(t, a, format.Selection{Topics: []string{"events"}, Partitions: []int32{1}}); len(got) > 0 {
		t.Errorf("got %q of a topic without records", got)
	}
}

func TestRecordsEndWithTheirContextAndWithTheirReader(t *testing.T) {
	fsys := memArchive(t, seg{tp: orders0, next: 40, offsets: offsets(0, 40), groups: 4})
	a := mustOpen(t, fsys)
	open := 0
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		switch o.Call {
		case memfs.Open:
			open++
		case memfs.Close:
			open--
		}
		return nil
	})
	for range a.Records(t.Context(), format.Selection{}) {
		break
	}
	if open != 0 {
		t.Errorf("%d files are open after a break", open)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	seen := 0
	for _, err := range a.Records(ctx, format.Selection{}) {
		if cancel(why); err == nil {
			seen++
		} else if !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
	}
	if seen != 10 || open != 0 {
		t.Errorf("got %d records and %d open files after the end of the context, want one row group and none", seen, open)
	}
}

// readOnlyPlaces are file systems with the same archive.
func readOnlyPlaces(t *testing.T, files map[string][]byte) map[string]fs.FS {
	t.Helper()
	dir, memory := t.TempDir(), fstest.MapFS{}
	for name, content := range files {
		memory[name] = &fstest.MapFile{Data: content}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return map[string]fs.FS{"a directory": os.DirFS(dir), "a root": root.FS(), "memory": memory}
}

func TestAnyFileSystemCanHoldAnArchiveThatIsRead(t *testing.T) {
	files := memArchive(t, full(orders0, 0, 20)).Files()
	for name, place := range readOnlyPlaces(t, files) {
		fsys := storage.FromFS(place)
		if got := recordsOf(t, mustOpen(t, fsys), format.Selection{}); len(got) != 20 {
			t.Errorf("%s: got %d records, want 20", name, len(got))
		}
		err := format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
		if err != nil {
			t.Errorf("%s: verify: %v", name, err)
		}
		for what, want := range map[string]error{"absent": fs.ErrNotExist, "data": nil, "../x": nil} {
			if f, err := fsys.Open(what); f != nil || err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: open %s: got %v, want %v", name, what, err, want)
			}
		}
	}
}

func TestAFileThatCannotBeReadFromTheMiddleIsRefused(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range memArchive(t, full(orders0, 0, 20)).Files() {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := format.Open(storage.FromFS(r)); err == nil || !strings.Contains(err.Error(), "karchive.json") || !strings.Contains(err.Error(), "from the middle") {
		t.Errorf("got %v, want an error that says what the zip cannot do", err)
	}
}

func TestAPathIsOpenedAndNamedInErrors(t *testing.T) {
	dir := t.TempDir()
	onDisk, err := storage.DirFS(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	archiveOf(t, onDisk, full(orders0, 0, 3))
	a, err := format.OpenPath(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := recordsOf(t, a, format.Selection{}), []string{"orders-0@0", "orders-0@1", "orders-0@2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for path, want := range map[string]error{"b": fs.ErrNotExist, ".": format.ErrNotArchive, "a/karchive.json": format.ErrNotArchive} {
		if _, err := format.OpenPath(filepath.Join(dir, path)); !errors.Is(err, want) || !strings.Contains(err.Error(), filepath.Join(dir, path)) {
			t.Errorf("%s: got %v, want %v with the path", path, err, want)
		}
	}
}
