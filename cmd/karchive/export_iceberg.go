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
	cat, err := o.openCatalog(ctx, e)
	if err != nil {
		return nil, err
	}
	defer cat.close()
	progress := newProgress(e, "export")
	defer progress.done()
	r, err := iceberg.Export(ctx, a, cat.Catalog, iceberg.Options{
		Location: o.location, Namespace: o.namespace, TablePrefix: o.prefix, Topics: topics, Replace: o.replace, DryRun: o.dry,
		OnTable: func(done, of int) { progress.set(int64(done), int64(of), fmt.Sprintf("%d of %d tables", done, of)) },
	})
	if err != nil {
		err = exportHint(fmt.Errorf("%s: %w", o.archive, err))
	}
	if r == nil || err != nil && len(r.Tables) == 0 {
		return nil, err
	}
	return o.newExported(r), err
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

// exportHint says what to do about an archive or a table that cannot be exported.
func exportHint(err error) error {
	if _, ok := errors.AsType[*iceberg.EncodingError](err); ok {
		return withHint(err, "karchive copy ARCHIVE -o NEW --encoding parquet makes one that can be")
	}
	if _, ok := errors.AsType[*iceberg.NamesError](err); ok {
		return withHint(err, "export one of them with -t, and the other with -t and --table-prefix")
	}
	if errors.Is(err, iceberg.ErrName) {
		return &usageError{err.Error(), ""}
	}
	t, ok := errors.AsType[*iceberg.TableError](err)
	switch {
	case ok && t.Replaceable:
		return withHint(err, "--replace makes the table follow this archive; another --namespace or --table-prefix leaves it as it is")
	case ok:
		return withHint(err, "use another --namespace or --table-prefix")
	}
	return err
}
