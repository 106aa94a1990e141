package format_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// growing is an archive to which a segment was added while a directory was read for the first time: what came before it is not in what was read.
type growing struct {
	storage.ReadFS
	unseen string // part of a path
	read   bool
}

// changedAt is a description of what was changed at a time.
type changedAt struct {
	fs.FileInfo
	time time.Time
}

func (c changedAt) ModTime() time.Time { return c.time }

func (g *growing) Stat(name string) (fs.FileInfo, error) {
	info, err := g.ReadFS.Stat(name)
	at := time.Unix(1_700_000_000, 0)
	if g.read {
		at = at.Add(time.Second)
	}
	return changedAt{info, at}, err
}

func (g *growing) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := g.ReadFS.ReadDir(name)
	if !g.read && strings.HasSuffix(name, "/partition=0") {
		g.read = true
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.Contains(e.Name(), g.unseen) })
	}
	return entries, err
}

func TestAPartitionThatGrowsWhileItIsListedHasNoHole(t *testing.T) {
	files := changed(memArchive(t, full(orders0, 0, 10), full(orders0, 10, 20), full(orders0, 20, 30)), map[string][]byte{"SHA256SUMS": nil})
	for name, c := range map[string]struct {
		unseen string
		want   int64
	}{
		"the second":         {"0010.parquet", 30},
		"the last, too late": {"0020.parquet", 20},
		"the one before it":  {"0000.parquet", 30},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := format.Open(&growing{ReadFS: files, unseen: c.unseen})
			if err != nil {
				t.Fatal(err)
			}
			got, err := a.Coverage(orders0)
			if err != nil || got.From != 0 || got.Next != c.want {
				t.Errorf("offsets %d..%d, error %v, want 0..%d", got.From, got.Next, err, c.want)
			}
		})
	}
}
