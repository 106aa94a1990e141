//go:build iceberg

package iceberg_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	icesql "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	_ "modernc.org/sqlite"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/iceberg"
)

// archive makes an empty archive, which stays open for writing.
func archive(t *testing.T, id format.Identity) (a *format.Archive, location string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err = format.Create(fsys, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, "file://" + dir
}

// orders makes an archive with a segment of the topic of that name: three records of partition 0.
func orders(t *testing.T) (a *format.Archive, location string) {
	t.Helper()
	a, location = archive(t, format.Identity{})
	seal(t, a, "orders", 0, 0, 3)
	return a, location
}

// seal adds a segment of n records, at base and behind, one a second from the moment of their offset.
func seal(t *testing.T, a *format.Archive, topic string, partition int32, base, n int64) {
	t.Helper()
	p, err := a.NewSegment(format.WriterOptions{Topic: topic, Partition: partition, Base: base, Encoding: a.Identity().Encoding})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Discard()
	for i := range n {
		r := format.Record{Offset: base + i, TimestampMs: (base + i) * 1000, LeaderEpoch: format.NoLeaderEpoch, Key: []byte("k")}
		if err := p.Write(&r); err != nil {
			t.Fatal(err)
		}
	}
	next := base + n
	if n == 0 {
		next++
		if err := p.Skip(base, format.NoLeaderEpoch, ledger.Control); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := p.Seal(next); err != nil {
		t.Fatal(err)
	}
}

// tables is an empty catalog in a file.
func tables(t *testing.T) *icesql.Catalog {
	t.Helper()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", "file:"+dir+"/tables.db?_pragma=busy_timeout(10000)&_pragma=synchronous(off)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	cat, err := icesql.NewCatalog("default", db, icesql.SQLite, ice.Properties{"warehouse": "file://" + dir + "/warehouse"})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func export(t *testing.T, a *format.Archive, cat catalog.Catalog, o iceberg.Options) iceberg.Table {
	t.Helper()
	r, err := iceberg.Export(t.Context(), a, cat, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tables) != 1 {
		t.Fatalf("got %d tables, want 1", len(r.Tables))
	}
	return r.Tables[0]
}

func load(t *testing.T, cat catalog.Catalog, name string) *table.Table {
	t.Helper()
	tbl, err := cat.LoadTable(t.Context(), strings.Split(name, "."))
	if err != nil {
		t.Fatal(err)
	}
	return tbl
}

// files are the data files of a table: "path partition records", the path from the archive's root, in their order.
func files(t *testing.T, cat catalog.Catalog, name string) []string {
	t.Helper()
	tbl := load(t, cat, name)
	var list []string
	for f := range dataFiles(t, tbl) {
		_, path, _ := strings.Cut(f.FilePath(), "/data/")
		list = append(list, fmt.Sprintf("%s %v %d", path, slices.Collect(maps.Values(f.Partition())), f.Count()))
	}
	slices.Sort(list)
	return list
}

func dataFiles(t *testing.T, tbl *table.Table) func(func(ice.DataFile) bool) {
	return func(yield func(ice.DataFile) bool) {
		t.Helper()
		fs, err := tbl.FS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if tbl.CurrentSnapshot() == nil {
			return
		}
		manifests, err := tbl.CurrentSnapshot().Manifests(fs)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range manifests {
			for e, err := range m.Entries(fs, true) {
				if err != nil {
					t.Fatal(err)
				}
				if !yield(e.DataFile()) {
					return
				}
			}
		}
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// prune removes what is before an offset of partition 0 of orders.
func prune(t *testing.T, a *format.Archive, until int64) {
	t.Helper()
	if err := a.Prune(map[format.TopicPartition]int64{{Topic: "orders"}: until}, "test", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
}

// between is a catalog in which something happens between a table is loaded, or made, and what is done with it.
type between struct {
	catalog.Catalog
	loaded func()
	made   error // the answer that is got when a table was made
}

func (b *between) LoadTable(ctx context.Context, n table.Identifier) (*table.Table, error) {
	tbl, err := b.Catalog.LoadTable(ctx, n)
	if happens := b.loaded; happens != nil {
		b.loaded = nil
		happens()
	}
	return tbl, err
}

func (b *between) CreateTable(ctx context.Context, n table.Identifier, s *ice.Schema, o ...catalog.CreateTableOpt) (*table.Table, error) {
	tbl, err := b.Catalog.CreateTable(ctx, n, s, o...)
	if b.made != nil {
		return nil, b.made
	}
	return tbl, err
}
