//go:build buckets && unix

package buckets

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTablesOfArchivesInStoresFollowThem exports archives in stores of each kind to Iceberg, with the metadata of the tables in the same store.
func TestTablesOfArchivesInStoresFollowThem(t *testing.T) {
	karchive := build(t, full)
	t.Run("versitygw", func(t *testing.T) {
		g := startGateway(t)
		followedByTables(t, karchive, g.at("run1"), "--warehouse", g.at("tables"))
	})
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			server := os.Getenv(s.variable)
			if server == "" {
				t.Skipf("%s names no %s: make test-buckets says where to get it", s.variable, name)
			}
			var addr string
			karchive.env, addr = s.start(t, server)
			properties := filepath.Join(t.TempDir(), "properties.yaml")
			must(t, os.WriteFile(properties, []byte(s.known(addr)), 0o600))
			followedByTables(t, karchive, s.url+"run1"+s.options, "--warehouse", s.tables+"tables", "--location", s.tables+"run1",
				"--catalog-properties", properties)
		})
	}
}

// followedByTables has an archive grow and shrink, and looks at what each export changes.
func followedByTables(t *testing.T, karchive program, place string, options ...string) {
	t.Helper()
	broker := fill(t, 2000)
	export := append([]string{"export", "iceberg", place, "--catalog", "sqlite:///" + filepath.Join(t.TempDir(), "tables.db")}, options...)
	follows := func(want string) {
		t.Helper()
		if out := strings.Join(strings.Fields(karchive.run(t, export...)), " "); !strings.Contains(out, want) {
			t.Errorf("export: got %s, want %s", out, want)
		}
	}
	karchive.run(t, "capture", "-b", broker, "-t", "orders", "--partitions", "0", "--rotate-records", "50", "--quiet", "-o", place)
	follows("orders kafka.orders created 10 0 10 500")
	follows("orders kafka.orders none 0 0 10 500")
	more(t, broker, 0, 200)
	karchive.run(t, "capture", "-b", broker, "-t", "orders", "--partitions", "0", "--rotate-records", "50", "--quiet", "-o", place)
	follows("orders kafka.orders changed 1 0 11 550")
	karchive.run(t, "prune", place, "--keep-bytes", "1", "--quiet")
	follows("orders kafka.orders changed 0 10 1 50")
}
