//go:build kafka

package realkafka

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
)

func openArchive(t *testing.T, dir string) *format.Archive {
	t.Helper()
	archive, err := format.OpenPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { archive.Close() })
	return archive
}

// archived are all records that an archive has of a partition.
func archived(t *testing.T, archive *format.Archive, tp format.TopicPartition) []format.Record {
	t.Helper()
	cursor := scan.NewCursor(archive, tp, format.Selection{})
	defer cursor.Close()
	var all []format.Record
	for {
		records, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
}

// verifyDeep decodes every record of the archive in dir and fails for each problem.
func verifyDeep(t *testing.T, dir string) {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error {
		if err := c.Err(); err != nil {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// sameRecords fails at the first record that differs in anything.
func sameRecords(t *testing.T, what string, got, want []format.Record) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(format.AppendCanonical(nil, &got[i]), format.AppendCanonical(nil, &want[i])) {
			t.Errorf("%s: record %d:\n got %s\nwant %s", what, i, describe(&got[i]), describe(&want[i]))
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: got %d records, want %d", what, len(got), len(want))
	}
}

func describe(r *format.Record) string {
	short := func(b []byte) string {
		if len(b) > 40 {
			return fmt.Sprintf("%q and %d more", b[:40], len(b)-40)
		}
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%q", b)
	}
	s := fmt.Sprintf("offset %d, epoch %d, time %d type %d, key %s, value %s",
		r.Offset, r.LeaderEpoch, r.TimestampMs, r.TimestampType, short(r.Key), short(r.Value))
	for _, h := range r.Headers {
		s += fmt.Sprintf(", header %q %s", h.Key, short(h.Value))
	}
	return s
}

// dataTree is every file under data/ of an archive, with the hash of its bytes.
func dataTree(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	tree := map[string][32]byte{}
	root := os.DirFS(filepath.Join(dir, "data"))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, path)
		tree[path] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// sameTree fails for each file that only one archive has or that differs, and when there are none to compare.
func sameTree(t *testing.T, what string, got, want map[string][32]byte) {
	t.Helper()
	if len(want) == 0 {
		t.Fatalf("%s: no segments to compare", what)
	}
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if got[path] != want[path] {
			t.Errorf("%s: %s differs", what, path)
		}
	}
}
