//go:build iceberg

package iceberg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/karchive/karchive/format"
)

// Options say what Export makes of an archive. Location is needed, all else may be empty.
type Options struct {
	Location    string   // URL of the archive's root as readers of the tables reach it: file:///archives/run1, s3://bucket/run1
	Namespace   string   // of the tables; a dot is between its parts; empty: kafka
	TablePrefix string   // of the names of tables
	Topics      []string // names; nil: all that have segments
	Replace     bool     // take over tables that an export of another archive made of the same topic
	DryRun      bool     // change nothing
	OnTable     func(done, of int)
}

// DefaultNamespace is where tables are when nothing else is said.
const DefaultNamespace = "kafka"

// Report is what became of the tables, in the order of topics.
type Report struct{ Tables []Table }

// Table is what became of one.
type Table struct {
	Topic          string
	Name           string // with its namespace
	Created        bool
	Moved          bool // its files were those of another archive or another place
	Added, Removed int  // segments
	Segments       int  // that it has now
	Empty          int  // segments without a record, which are not in it
	Records        int64
	AddedRecords   int64
	RemovedRecords int64
	Snapshot       int64  // id of the newest; 0: it has none
	Metadata       string // URL of its newest metadata file; empty: the table is not there yet
}

// Changed says whether anything is new.
func (t *Table) Changed() bool { return t.Created || t.Moved || t.Added+t.Removed > 0 }

// Export makes the tables of a catalog follow an archive. It refreshes the archive, in which no segment may be under way, and reads the document of
// every segment of a topic, from the segment itself, before it changes the topic's table.
// With an error the report has the tables that are done. A table that is not the archive's is a *TableError, and stays as it is.
func Export(ctx context.Context, a *format.Archive, cat catalog.Catalog, o Options) (*Report, error) {
	x, err := newExport(a, cat, o)
	if err != nil {
		return nil, err
	}
	names, err := x.tableNames()
	if err != nil {
		return nil, err
	}
	a.IgnoreCatalog() // readers of the tables believe what is said of files
	r := &Report{}
	if err := x.makeNamespace(ctx); err != nil {
		return nil, fmt.Errorf("namespace %s: %w", x.Namespace, err)
	}
	for some := range slices.Chunk(names, loadedAtOnce) {
		held := x.load(ctx, some)
		for i, n := range some {
			t, err := x.follow(ctx, n, held[i])
			if err != nil {
				return r, fmt.Errorf("table %s: %w", n, err)
			}
			r.Tables = append(r.Tables, *t)
			if x.OnTable != nil {
				x.OnTable(len(r.Tables), len(names))
			}
		}
	}
	return r, nil
}

// loadedAtOnce is of how many tables the archive is listed once. Their metadata is in memory.
const loadedAtOnce = 64

// held is what a catalog has under a name.
type held struct {
	table *table.Table // nil: nothing
	err   error        // it is not known
}

// load loads tables, and lists the archive after that: a list that is older than a table lacks what another export has found and put into the
// table since, which would be taken for pruned.
func (x *export) load(ctx context.Context, names []name) []held {
	list := make([]held, len(names))
	for i, n := range names {
		h := &list[i]
		if h.table, h.err = x.catalog.LoadTable(ctx, n.identifier); errors.Is(h.err, catalog.ErrNoSuchTable) || errors.Is(h.err, catalog.ErrNoSuchNamespace) {
			*h = held{}
		}
	}
	if err := x.archive.Refresh(); err != nil {
		return slices.Repeat([]held{{err: err}}, len(names))
	}
	return list
}

// Check refuses what Export would refuse before it asks the catalog anything.
func (o Options) Check(a *format.Archive) error {
	x, err := newExport(a, nil, o)
	if err == nil {
		_, err = x.tableNames()
	}
	return err
}

// export is one call of Export.
type export struct {
	Options
	archive   *format.Archive
	id        string // of the archive
	catalog   catalog.Catalog
	namespace table.Identifier
}

func newExport(a *format.Archive, cat catalog.Catalog, o Options) (*export, error) {
	x := &export{Options: o, archive: a, catalog: cat}
	identity := a.Identity()
	if identity.Encoding != format.Parquet {
		return nil, &EncodingError{identity.Encoding}
	}
	x.id = identity.ArchiveID
	if x.Location = strings.TrimRight(o.Location, "/"); x.Location == "" {
		return nil, errors.New("no location of the archive")
	}
	if x.Namespace == "" {
		x.Namespace = DefaultNamespace
	}
	x.namespace = strings.Split(x.Namespace, ".")
	if slices.ContainsFunc(x.namespace, func(part string) bool { return !legalNamespace(part) }) {
		return nil, fmt.Errorf("namespace %q: %w", x.Namespace, ErrName)
	}
	if o.TablePrefix != legalName(o.TablePrefix) {
		return nil, fmt.Errorf("table prefix %q: %w", o.TablePrefix, ErrName)
	}
	return x, nil
}

// makeNamespace makes the namespace, and those that it lies in. Somebody may do so at the same time.
func (x *export) makeNamespace(ctx context.Context) error {
	if x.DryRun {
		return nil
	}
	for n := range x.namespace {
		ns := x.namespace[:n+1]
		there, err := x.catalog.CheckNamespaceExists(ctx, ns)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := x.catalog.CreateNamespace(ctx, ns, ice.Properties{}); err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
			return err
		}
	}
	return nil
}

// most is how often a table is looked at anew because somebody else changed it in the meantime.
const most = 10

// follow makes a table have what the archive has of its topic. Whoever loses a race looks again at what there is, in the table and in the
// archive: changes are never replayed on a table that they were not made for, which would add a segment twice.
func (x *export) follow(ctx context.Context, n name, h held) (*Table, error) {
	for tries := 1; ; tries++ {
		t, err := x.once(ctx, n, h)
		if err == nil {
			return t, nil
		}
		lost := errors.Is(err, errOvertaken) || errors.Is(err, catalog.ErrTableAlreadyExists) || errors.Is(err, format.ErrPruned)
		if !lost || tries == most || ctx.Err() != nil {
			return nil, err
		}
		h = x.load(ctx, []name{n})[0]
	}
}

// once compares a table with what it is to have, and commits the difference. It reads the segments before it makes a table.
func (x *export) once(ctx context.Context, n name, h held) (*Table, error) {
	if h.err != nil {
		return nil, h.err
	}
	want, empty, err := x.segments(n.topic)
	if err != nil {
		return nil, err
	}
	tbl, c := h.table, &change{add: want}
	if tbl == nil && !x.DryRun {
		if tbl, err = x.create(ctx, n); err != nil {
			return nil, err
		}
	}
	if tbl != nil {
		if c, err = x.compare(ctx, tbl, n, want); err != nil {
			return nil, err
		}
	}
	if !x.DryRun && !c.none() {
		if tbl, err = x.commit(ctx, tbl, c); err != nil {
			return nil, err
		}
	}
	t := c.result(tbl)
	t.Topic, t.Name, t.Created, t.Empty = n.topic, n.String(), h.table == nil, empty
	return t, nil
}
