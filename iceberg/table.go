//go:build iceberg

package iceberg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// What a table says of itself.
const (
	archiveProperty  = "karchive.archive-id"
	locationProperty = "karchive.location"
	topicProperty    = "karchive.topic"

	commitProperty = "karchive.commit" // of a snapshot: by which export it was made
)

// create makes a table, without a file.
func (x *export) create(ctx context.Context, n name) (*table.Table, error) {
	return x.catalog.CreateTable(ctx, n.identifier, newSchema(), catalog.WithPartitionSpec(newSpec()), catalog.WithProperties(x.properties(n.topic)))
}

// properties are those of a new table.
func (x *export) properties(topic string) ice.Properties {
	return ice.Properties{
		topicProperty: topic, archiveProperty: x.id, locationProperty: x.Location,
		// Its files are the archive's: engines must not remove them when they expire snapshots or drop the table.
		table.GCEnabledKey: "false",
		// An export now and then would leave a file of metadata and a manifest each time, for ever.
		table.ManifestMergeEnabledKey: "true", table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.PropertyFormatVersion: "2",
	}
}

// change is what a table lacks, and has too much.
type change struct {
	add    []segment
	remove []ice.DataFile
	moved  bool
	kept   []ice.DataFile

	location, id string
	columns      columns
}

func (c *change) none() bool { return len(c.add)+len(c.remove) == 0 && !c.moved }

// compare says what makes a table have the segments that it is to have.
func (x *export) compare(ctx context.Context, tbl *table.Table, n name, want []segment) (*change, error) {
	properties := tbl.Properties()
	if err := x.owns(properties, n.topic); err != nil {
		return nil, err
	}
	ids, err := columnsOf(tbl)
	if err != nil {
		return nil, err
	}
	live, err := liveFiles(ctx, tbl)
	if err != nil {
		return nil, err
	}
	for path := range live {
		if !x.Replace && !under(path, x.Location) && !under(path, properties[locationProperty]) {
			return nil, &TableError{Why: "it has a file that is not of the archive: " + path, Replaceable: true}
		}
	}
	c := &change{moved: properties[locationProperty] != x.Location || properties[archiveProperty] != x.id, location: x.Location, id: x.id, columns: ids}
	for _, s := range want {
		if f, ok := live[s.path]; ok && s.same(f, ids) {
			c.kept = append(c.kept, f)
			delete(live, s.path)
		} else {
			c.add = append(c.add, s)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(live)) {
		c.remove = append(c.remove, live[path])
	}
	return c, nil
}

func under(path, location string) bool {
	return location != "" && strings.HasPrefix(path, location+"/")
}

// owns refuses a table that was not made of the topic, or of another archive.
func (x *export) owns(p ice.Properties, topic string) error {
	switch {
	case p[topicProperty] == "":
		return &TableError{Why: "it is there already, and no export made it"}
	case p[topicProperty] != topic:
		return &TableError{Why: fmt.Sprintf("it is of topic %s, not of %s", p[topicProperty], topic)}
	case p[archiveProperty] != x.id && !x.Replace:
		return &TableError{Why: fmt.Sprintf("it is of another archive, %s at %s", p[archiveProperty], p[locationProperty]), Replaceable: true, OtherArchive: p[archiveProperty]}
	}
	return nil
}

// liveFiles are the data files of the newest snapshot, by path. Rows that were deleted one by one would come back with the next change.
func liveFiles(ctx context.Context, tbl *table.Table) (map[string]ice.DataFile, error) {
	snapshot := tbl.CurrentSnapshot()
	if snapshot == nil {
		return nil, nil
	}
	fs, err := tbl.FS(ctx)
	if err != nil {
		return nil, err
	}
	manifests, err := snapshot.Manifests(fs)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	live := map[string]ice.DataFile{}
	for _, m := range manifests {
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return nil, fmt.Errorf("read manifest %s: %w", m.FilePath(), err)
			}
			f := e.DataFile()
			if f.ContentType() != ice.EntryContentData {
				return nil, &TableError{Why: "rows of it were deleted by somebody else"}
			}
			live[f.FilePath()] = f
		}
	}
	return live, nil
}

// commit makes a change, all of it at once, if the table is still the one that it was made for.
func (x *export) commit(ctx context.Context, tbl *table.Table, c *change) (*table.Table, error) {
	mark := uuid.NewString()
	tx, err := c.stage(ctx, tbl, ice.Properties{commitProperty: mark})
	if err != nil {
		return nil, err
	}
	done, err := tx.Commit(ctx)
	if err != nil {
		return x.became(ctx, tbl, mark, err)
	}
	return done, nil
}

// stage makes a transaction of a change.
func (c *change) stage(ctx context.Context, tbl *table.Table, summary ice.Properties) (*table.Transaction, error) {
	tx := tbl.NewTransaction()
	if err := tx.AssertRefSnapshotID(table.MainBranch); err != nil {
		return nil, err
	}
	if c.moved {
		if err := tx.SetProperties(ice.Properties{archiveProperty: c.id, locationProperty: c.location}); err != nil {
			return nil, err
		}
	}
	if err := tx.ReplaceDataFilesWithDataFiles(ctx, c.remove, nil, summary); err != nil {
		return nil, fmt.Errorf("remove segments: %w", err)
	}
	var files []ice.DataFile
	for _, s := range c.add {
		f, err := s.file(tbl.Spec(), c.columns)
		if err != nil {
			return nil, fmt.Errorf("describe %s: %w", s.path, err)
		}
		files = append(files, f)
	}
	if err := tx.AddDataFiles(ctx, files, summary, table.WithoutDuplicateCheck()); err != nil {
		return nil, fmt.Errorf("add segments: %w", err)
	}
	return tx, nil
}

// errOvertaken is the error of a commit on a table that somebody else changed in the meantime.
var errOvertaken = errors.New("somebody else changed the table")

// became looks what became of a commit that failed: it was made and the answer lost, somebody else was first, or neither. Catalogs have no
// one error for the second.
func (x *export) became(ctx context.Context, tbl *table.Table, mark string, failed error) (*table.Table, error) {
	now, err := x.catalog.LoadTable(ctx, tbl.Identifier())
	if err != nil {
		return nil, failed
	}
	for _, s := range now.Metadata().Snapshots() {
		if s.Summary != nil && s.Summary.Properties[commitProperty] == mark {
			return now, nil
		}
	}
	if errors.Is(failed, table.ErrCommitFailed) || now.MetadataLocation() != tbl.MetadataLocation() {
		return nil, fmt.Errorf("%w: %w", errOvertaken, failed)
	}
	return nil, failed
}

// result is what a change made of a table; nil: of one that is not there.
func (c *change) result(tbl *table.Table) *Table {
	t := &Table{Moved: c.moved, Added: len(c.add), Removed: len(c.remove), Segments: len(c.add) + len(c.kept)}
	for _, s := range c.add {
		t.AddedRecords += s.records
	}
	for _, f := range c.remove {
		t.RemovedRecords += f.Count()
	}
	t.Records = t.AddedRecords
	for _, f := range c.kept {
		t.Records += f.Count()
	}
	if tbl != nil {
		t.Metadata = tbl.MetadataLocation()
		if s := tbl.CurrentSnapshot(); s != nil {
			t.Snapshot = s.SnapshotID
		}
	}
	return t
}
