package main

import (
	"io"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

// exported is what export prints, and its JSON form.
type exported struct {
	Archive  string          `json:"archive"`
	Location string          `json:"location"`
	DryRun   bool            `json:"dry_run"`
	Tables   []exportedTable `json:"tables"`
	Changed  int             `json:"changed"` // tables

	Completeness *completeness `json:"completeness"` // of the archive, as far as its topics are exported
}

// exportedTable is what became of one.
type exportedTable struct {
	Topic          string `json:"topic"`
	Table          string `json:"table"`
	Change         string `json:"change"` // created, moved, changed, none
	Added          int    `json:"segments_added"`
	Removed        int    `json:"segments_removed"`
	Segments       int    `json:"segments"`
	Empty          int    `json:"segments_without_records"` // not in the table
	AddedRecords   int64  `json:"records_added"`
	RemovedRecords int64  `json:"records_removed"`
	Records        int64  `json:"records"`
	Snapshot       int64  `json:"snapshot_id,omitempty"`
	Metadata       string `json:"metadata_location,omitempty"`
}

func (r *exported) report(e *env, format string) error {
	if format == "json" {
		return printJSON(e.stdout, r)
	}
	return r.print(e.text)
}

func (r *exported) print(w io.Writer) error {
	t := newTable(w)
	if len(r.Tables) > 0 {
		printable.Fprintf(t, "TOPIC\tTABLE\tCHANGE\tADDED\tREMOVED\tSEGMENTS\tRECORDS\n")
	}
	for _, x := range r.Tables {
		printable.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", x.Topic, x.Table, x.Change, x.Added, x.Removed, x.Segments, units.Count(x.Records))
	}
	verb := "changed"
	if r.DryRun {
		verb = "would change"
	}
	printable.Fprintf(t, "%s %d of %s; the segments are at %s\n", verb, r.Changed, units.Of(int64(len(r.Tables)), "table"), r.Location)
	return t.Flush()
}
