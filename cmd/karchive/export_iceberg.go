//go:build iceberg

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/iceberg"
)

func init() { makeTables = makeIcebergTables }

func makeIcebergTables(ctx context.Context, e *env, o *exportOptions, a *format.Archive, topics []string) (*exported, error) {
	log.SetOutput(io.Discard) // the library prints warnings there
	progress := newProgress(e, "export")
	defer progress.done()
	options := iceberg.Options{
		Location: o.location, Namespace: o.namespace, TablePrefix: o.prefix, Topics: topics, Replace: o.replace, DryRun: o.dry,
		OnTable: func(done, of int) { progress.set(int64(done), int64(of), fmt.Sprintf("%d of %d tables", done, of)) },
	}
	if err := options.Check(a); err != nil {
		return nil, o.hinted(err)
	}
	cat, err := o.openCatalog(ctx, e)
	if err != nil {
		return nil, err
	}
	defer cat.close()
	r, err := iceberg.Export(ctx, a, cat.Catalog, options)
	if r == nil || err != nil && len(r.Tables) == 0 {
		return nil, o.hinted(err)
	}
	return o.newExported(r), o.hinted(err)
}

func (o *exportOptions) newExported(r *iceberg.Report) *exported {
	out := &exported{Archive: o.archive, Location: o.location, DryRun: o.dry, Tables: []exportedTable{}}
	for _, t := range r.Tables {
		if t.Changed() {
			out.Changed++
		}
		out.Tables = append(out.Tables, exportedTable{t.Topic, t.Name, changeOf(t), t.Added, t.Removed, t.Segments, t.Empty,
			t.AddedRecords, t.RemovedRecords, t.Records, t.Snapshot, t.Metadata})
	}
	return out
}

func changeOf(t iceberg.Table) string {
	switch {
	case t.Created:
		return "created"
	case t.Moved:
		return "moved"
	case t.Changed():
		return "changed"
	}
	return "none"
}

// hinted says of which archive an error is, and what to do about it.
func (o *exportOptions) hinted(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", o.archive, err)
	if errors.Is(err, iceberg.ErrName) {
		return &usageError{err.Error(), ""}
	}
	if t, ok := errors.AsType[*iceberg.TableError](err); ok {
		return withHint(err, tableHint(t))
	}
	if _, ok := errors.AsType[*iceberg.EncodingError](err); ok {
		return withHint(err, "karchive copy ARCHIVE -o NEW --encoding parquet makes one that can be")
	}
	if _, ok := errors.AsType[*iceberg.NamesError](err); ok {
		return withHint(err, "export one of them with -t, and the other with -t and --table-prefix")
	}
	return err
}

func tableHint(t *iceberg.TableError) string {
	if t.Replaceable {
		return "--replace makes the table follow this archive; another --namespace or --table-prefix leaves it as it is"
	}
	return "use another --namespace or --table-prefix"
}
