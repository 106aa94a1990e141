package format_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
)

// A part of an archive that is a link to the same part elsewhere would be read, and written, if anything followed it.
func TestNoLinkInAnArchiveIsFollowedOutOfIt(t *testing.T) {
	parts := []string{
		"karchive.json", "SHA256SUMS", "data", "data/topic=orders", "data/topic=orders/partition=0",
		"data/topic=orders/partition=0/00000000000000000000.parquet", ".karchive-tmp", ".karchive-lock",
	}
	for _, part := range parts {
		t.Run(part, func(t *testing.T) {
			outside, dir := t.TempDir(), filepath.Join(t.TempDir(), "archive")
			archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
			moved := filepath.Join(outside, "moved")
			if part == ".karchive-tmp" {
				must(t, os.MkdirAll(filepath.Join(dir, part, "keep"), 0o700))
			}
			must(t, os.Rename(filepath.Join(dir, part), moved))
			if err := os.Symlink(moved, filepath.Join(dir, part)); err != nil {
				t.Skip(err)
			}
			before := contentsOf(t, outside)
			_, err := format.Open(dirFS(t, dir))
			needed := !strings.HasPrefix(part, ".")
			if needed && err == nil && part != "SHA256SUMS" {
				t.Errorf("opened an archive whose %s is elsewhere", part)
			}
			if a, err := format.OpenForWriting(dirFS(t, dir)); err == nil {
				t.Errorf("opened for writing an archive whose %s is elsewhere", part)
				a.Close()
			}
			found := 0
			err = format.Verify(dirFS(t, dir), format.VerifyOptions{Deep: true}, func(c format.FileCheck) error {
				found += len(c.Problems)
				return nil
			})
			if needed && err == nil && found == 0 {
				t.Errorf("verify sees nothing wrong with %s elsewhere", part)
			}
			format.RebuildSums(dirFS(t, dir), func(format.FileCheck) error { return nil })
			if after := contentsOf(t, outside); after != before {
				t.Errorf("outside was\n%s, and is\n%s", before, after)
			}
		})
	}
}

// contentsOf spells all that lies below a directory.
func contentsOf(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	must(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		all.WriteString(strings.TrimPrefix(name, dir))
		if !e.IsDir() {
			b, err := os.ReadFile(name)
			all.WriteString(" " + ondisk.Digest(b))
			return err
		}
		all.WriteString("\n")
		return nil
	}))
	return all.String()
}

// A link within an archive leads to another file of it: a lock that is one must not empty a segment, nor sums be appended to one.
func TestALinkWithinAnArchiveIsNotWrittenThrough(t *testing.T) {
	for _, name := range []string{".karchive-lock", "SHA256SUMS"} {
		dir := filepath.Join(t.TempDir(), "archive")
		archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
		segment := filepath.Join("data", "topic=orders", "partition=0", "00000000000000000000.parquet")
		before := contentsOf(t, filepath.Join(dir, "data"))
		must(t, os.Remove(filepath.Join(dir, name)))
		if err := os.Symlink(segment, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
		if a, err := format.OpenForWriting(dirFS(t, dir)); err == nil {
			t.Errorf("opened for writing with %s being a link", name)
			a.Close()
		}
		if contentsOf(t, filepath.Join(dir, "data")) != before {
			t.Errorf("%s being a link to a segment, the segment was written to", name)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
