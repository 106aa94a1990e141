//go:build iceberg

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	_ "github.com/apache/iceberg-go/catalog/rest" // registers rest
	icesql "github.com/apache/iceberg-go/catalog/sql"
	_ "github.com/apache/iceberg-go/io/gocloud/azure" // registers abfss
	_ "github.com/apache/iceberg-go/io/gocloud/s3"    // registers s3
	_ "github.com/jackc/pgx/v5/stdlib"                // registers pgx
	"go.yaml.in/yaml/v3"
	_ "modernc.org/sqlite" // registers sqlite
)

// openedCatalog is a catalog with what ends it.
type openedCatalog struct {
	catalog.Catalog
	close func() error
}

// sqlitePrefix is how SQLAlchemy, and with it PyIceberg, begins the URL of a file.
const sqlitePrefix = "sqlite:///"

func (o *exportOptions) openCatalog(ctx context.Context, e *env) (*openedCatalog, error) {
	properties, err := o.catalogProperties(e)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(o.catalog)
	if err != nil || u.Scheme == "" {
		return nil, o.badCatalog("not a URL")
	}
	if hasSecret(u) {
		return nil, o.badCatalog("a command line is no place for a password")
	}
	switch {
	case strings.HasPrefix(o.catalog, sqlitePrefix):
		return o.openSQLite(ctx, properties)
	case u.Scheme == "postgresql" || u.Scheme == "postgres":
		return o.openSQL(ctx, "pgx", o.catalog, icesql.Postgres, properties)
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return o.openREST(ctx, properties)
	}
	return nil, o.badCatalog("not of a kind that is known")
}

func (o *exportOptions) badCatalog(why string) error {
	name, _, _ := strings.Cut(withoutQuery(o.catalog), "?")
	return &usageError{fmt.Sprintf("--catalog %s: %s", name, why), "sqlite:///FILE, postgresql://USER@HOST/DATABASE or https://HOST/PATH; secrets are for --catalog-properties, PGPASSWORD and ~/.pgpass"}
}

// catalogProperties are those of the options of the archive's URL and the warehouse's, of the file, and of flags, the later before the earlier.
func (o *exportOptions) catalogProperties(e *env) (ice.Properties, error) {
	p := ice.Properties(storeProperties(o.archive))
	maps.Copy(p, storeProperties(o.warehouse))
	if o.properties != "" {
		text, err := os.ReadFile(o.properties)
		if err != nil {
			return nil, fmt.Errorf("--catalog-properties: %w", err)
		}
		if err := yaml.Unmarshal(text, &p); err != nil { // its message would show a value
			return nil, usage("--catalog-properties %s: not a name and a value a line, as token: ABC", o.properties)
		}
	}
	if p == nil { // the file says null
		p = ice.Properties{}
	}
	e.hidden.learn(secretsOf(p))
	if o.warehouse != "" {
		p["warehouse"] = o.warehouse
	}
	return p, nil
}

func (o *exportOptions) openREST(ctx context.Context, p ice.Properties) (*openedCatalog, error) {
	p["type"], p["uri"] = string(catalog.REST), o.catalog
	cat, err := catalog.Load(ctx, "karchive", p) // the name of a section of ~/.iceberg-go.yaml, which is nobody's here
	if err != nil {
		return nil, o.unopened(err)
	}
	return &openedCatalog{cat, func() error { return nil }}, nil
}

func (o *exportOptions) openSQLite(ctx context.Context, p ice.Properties) (*openedCatalog, error) {
	file := strings.TrimPrefix(o.catalog, sqlitePrefix)
	if file == "" || file == ":memory:" || strings.Contains(file, "?") {
		return nil, o.badCatalog("not a file")
	}
	mode := "rwc"
	if o.dry {
		mode = "ro"
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return o.noCatalog(p)
		}
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: "mode=" + mode + "&_pragma=busy_timeout(10000)&_txlock=immediate"}
	return o.openSQL(ctx, "sqlite", name.String(), icesql.SQLite, p)
}

// openSQL opens a catalog in a database. Where its tables are not there yet, they are made, but not by a dry run.
func (o *exportOptions) openSQL(ctx context.Context, driver, source string, dialect icesql.SupportedDialect, p ice.Properties) (*openedCatalog, error) {
	if err := o.findWarehouse(p); err != nil {
		return nil, err
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, o.unopened(err)
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, o.unopened(errors.Join(err, db.Close()))
	}
	if o.dry {
		if _, err := db.ExecContext(ctx, "SELECT 1 FROM iceberg_tables LIMIT 1"); err != nil {
			db.Close()
			return o.noCatalog(p)
		}
		p["init_catalog_tables"] = "false"
	}
	cat, err := icesql.NewCatalog(o.name, db, dialect, p)
	if err != nil {
		return nil, o.unopened(errors.Join(err, db.Close()))
	}
	return &openedCatalog{cat, db.Close}, nil
}

// catalogError is what a catalog said when it was opened, in one line.
type catalogError struct {
	catalog string
	err     error
}

func (e *catalogError) Error() string {
	return "catalog " + e.catalog + ": " + strings.Join(strings.Fields(e.err.Error()), " ")
}

// Unwrap returns what it said.
func (e *catalogError) Unwrap() error { return e.err }

func (o *exportOptions) unopened(err error) error {
	return withHint(&catalogError{withoutQuery(o.catalog), err}, "is the catalog there, and are its properties and passwords right?")
}

// noCatalog stands, in a dry run, for one that is not there yet.
func (o *exportOptions) noCatalog(p ice.Properties) (*openedCatalog, error) {
	if err := o.findWarehouse(p); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each would be another database
	cat, err := icesql.NewCatalog(o.name, db, icesql.SQLite, p)
	return &openedCatalog{cat, db.Close}, err
}

// findWarehouse makes a URL of a warehouse that is a directory.
func (o *exportOptions) findWarehouse(p ice.Properties) (err error) {
	w := p["warehouse"]
	switch {
	case w == "":
		return &usageError{"an SQL catalog needs --warehouse: a place for the metadata of new tables", "a directory, or s3://BUCKET/PREFIX; not in the archive"}
	case !strings.Contains(w, "://"):
		if w, err = fileURL(w); err != nil {
			return err
		}
	default:
		w, _, _ = strings.Cut(w, "?")
	}
	if u, err := url.Parse(w); err != nil || u.EscapedPath() != u.Path || u.Fragment != "" {
		return &usageError{"--warehouse " + withoutQuery(w) + ": some readers of tables take what URLs escape in a path as it is, others not", "a place of letters, digits and - _ . / alone"}
	}
	if strings.HasPrefix(w+"/", strings.TrimRight(o.location, "/")+"/data/") {
		return usage("--warehouse %s: the data of an archive holds nothing but segments", w)
	}
	p["warehouse"] = w
	return nil
}
