package format_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
			a := mustOpen(t, &growing{ReadFS: files, unseen: c.unseen})
			got, err := a.Coverage(orders0)
			if err != nil || got.From != 0 || got.Next != c.want {
				t.Errorf("offsets %d..%d, error %v, want 0..%d", got.From, got.Next, err, c.want)
			}
		})
	}
}

// growingStore is growing in a place that lists all at once.
type growingStore struct {
	storage.ReadFS
	files  map[string][]byte
	unseen string
	lists  int
}

func (g *growingStore) List(dir string, visit func(name string, size int64) error) error {
	g.lists++
	for _, name := range slices.Sorted(maps.Keys(g.files)) {
		if !strings.HasPrefix(name, dir+"/") || g.lists == 1 && strings.Contains(name, g.unseen) {
			continue
		}
		if err := visit(name, int64(len(g.files[name]))); err != nil {
			return err
		}
	}
	return nil
}

func TestAStoreThatGrowsWhileItIsListedHasNoHole(t *testing.T) {
	var segments []seg
	for i := range int64(130) {
		segments = append(segments, full(orders0, i, i+1))
	}
	files := changed(memArchive(t, segments...), map[string][]byte{"SHA256SUMS": nil})
	for name, c := range map[string]struct {
		unseen string
		want   int64
	}{
		"one in the middle":  {"0077.parquet", 130},
		"the last, too late": {"0129.parquet", 129},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustOpen(t, &growingStore{ReadFS: files, files: files.Files(), unseen: c.unseen})
			got, err := a.Coverage(orders0)
			if err != nil || got.From != 0 || got.Next != c.want {
				t.Errorf("offsets %d..%d, error %v, want 0..%d", got.From, got.Next, err, c.want)
			}
		})
	}
}
