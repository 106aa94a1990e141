//go:build iceberg

package iceberg_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/iceberg"
)

func TestATableHasTheSegmentsWithRecordsAndTheirPartitions(t *testing.T) {
	a, at := orders(t)
	seal(t, a, "orders", 0, 3, 0) // a marker alone
	seal(t, a, "orders", 0, 4, 2)
	seal(t, a, "orders", 7, 100, 1)
	cat := tables(t)
	got := export(t, a, cat, iceberg.Options{Location: at + "/"})
	if got.Name != "kafka.orders" || !got.Created || got.Added != 3 || got.Empty != 1 || got.Records != 6 || got.Snapshot == 0 {
		t.Errorf("got %+v", got)
	}
	same(t, files(t, cat, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000000.parquet [0] 3",
		"topic=orders/partition=0/00000000000000000004.parquet [0] 2", "topic=orders/partition=7/00000000000000000100.parquet [7] 1"})
	tbl := load(t, cat, "kafka.orders")
	for f := range dataFiles(t, tbl) {
		if !strings.HasPrefix(f.FilePath(), at+"/data/") {
			t.Errorf("the file is at %s, want below %s", f.FilePath(), at)
		}
		if strings.Contains(f.FilePath(), "0004.") {
			checkBounds(t, tbl.Schema(), f, 4, 5)
		}
	}
	if tbl.NameMapping() == nil || tbl.Properties()["gc.enabled"] != "false" {
		t.Errorf("the properties are %v: no names of columns, or engines may remove segments", tbl.Properties())
	}
}

// checkBounds compares what readers pass over files by.
func checkBounds(t *testing.T, s *ice.Schema, f ice.DataFile, first, last uint64) {
	t.Helper()
	for column, unit := range map[string]uint64{"offset": 1, "timestamp": 1e6} {
		field, _ := s.FindFieldByName(column)
		lower, upper := binary.LittleEndian.Uint64(f.LowerBoundValues()[field.ID]), binary.LittleEndian.Uint64(f.UpperBoundValues()[field.ID])
		if lower != first*unit || upper != last*unit {
			t.Errorf("%s is from %d to %d, want %d to %d", column, lower, upper, first*unit, last*unit)
		}
	}
}

func TestASecondExportChangesNothing(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	first := export(t, a, cat, iceberg.Options{Location: at})
	second := export(t, a, cat, iceberg.Options{Location: at})
	if second.Changed() || second.Metadata != first.Metadata || second.Segments != 1 || second.Records != 3 {
		t.Errorf("got %+v after %+v", second, first)
	}
}

func TestATableFollowsWhatIsSealedAndWhatIsPruned(t *testing.T) {
	a, at := orders(t)
	seal(t, a, "orders", 0, 3, 4)
	cat := tables(t)
	export(t, a, cat, iceberg.Options{Location: at})
	before := load(t, cat, "kafka.orders")
	seal(t, a, "orders", 0, 7, 1)
	prune(t, a, 3)
	got := export(t, a, cat, iceberg.Options{Location: at})
	if got.Created || got.Added != 1 || got.Removed != 1 || got.Segments != 2 || got.Records != 5 || got.AddedRecords != 1 || got.RemovedRecords != 3 {
		t.Errorf("got %+v", got)
	}
	same(t, files(t, cat, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000003.parquet [0] 4",
		"topic=orders/partition=0/00000000000000000007.parquet [0] 1"})
	log := load(t, cat, "kafka.orders").Metadata().PreviousFiles()
	commits := -1
	last := ""
	for e := range log {
		commits, last = commits+1, e.MetadataFile
	}
	if last != before.MetadataLocation() || commits != 1 {
		t.Errorf("%d commits, the last upon %s, want 1 upon %s: it came in parts", commits, last, before.MetadataLocation())
	}
}

func TestOfTwoExportsAtOnceEachSegmentIsAddedOnce(t *testing.T) {
	for name, earlier := range map[string]bool{"of a new table": false, "of a table": true} {
		t.Run(name, func(t *testing.T) {
			a, at := orders(t)
			cat := tables(t)
			o := iceberg.Options{Location: at}
			if earlier {
				export(t, a, cat, o)
				seal(t, a, "orders", 0, 3, 1)
			}
			export(t, a, &between{Catalog: cat, loaded: func() { export(t, a, cat, o) }}, o)
			want := []string{"topic=orders/partition=0/00000000000000000000.parquet [0] 3"}
			if earlier {
				want = append(want, "topic=orders/partition=0/00000000000000000003.parquet [0] 1")
			}
			same(t, files(t, cat, "kafka.orders"), want)
		})
	}
}

func TestAnExportThatPrunesWhileAnotherAddsLosesNothing(t *testing.T) {
	a, at := orders(t)
	seal(t, a, "orders", 0, 3, 1)
	cat := tables(t)
	o := iceberg.Options{Location: at}
	export(t, a, cat, o)
	prune(t, a, 3)
	seal(t, a, "orders", 0, 4, 2)
	export(t, a, &between{Catalog: cat, loaded: func() { export(t, a, cat, o) }}, o)
	same(t, files(t, cat, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000003.parquet [0] 1",
		"topic=orders/partition=0/00000000000000000004.parquet [0] 2"})
}

func TestAnExportThatOpenedTheArchiveEarlierKeepsWhatALaterOneAdded(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	o := iceberg.Options{Location: at}
	early, err := format.OpenPath(strings.TrimPrefix(at, "file://"))
	if err != nil {
		t.Fatal(err)
	}
	seal(t, a, "orders", 0, 3, 1)
	prune(t, a, 3)
	export(t, a, cat, o)
	if got := export(t, early, cat, o); got.Changed() {
		t.Errorf("got %+v, want no change", got)
	}
	same(t, files(t, cat, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000003.parquet [0] 1"})
}

func TestATableThatCannotBeReadDoesNotKeepThoseBeforeItBack(t *testing.T) {
	a, at := orders(t)
	seal(t, a, "users", 0, 0, 1)
	cat := tables(t)
	o := iceberg.Options{Location: at}
	export(t, a, cat, iceberg.Options{Location: at, Topics: []string{"users"}})
	if err := os.Remove(strings.TrimPrefix(load(t, cat, "kafka.users").MetadataLocation(), "file://")); err != nil {
		t.Fatal(err)
	}
	r, err := iceberg.Export(t.Context(), a, cat, o)
	if err == nil || !strings.Contains(err.Error(), "table kafka.users: ") || len(r.Tables) != 1 || r.Tables[0].Records != 3 {
		t.Errorf("got %+v and %v, want the table of orders, and that the other has no metadata", r, err)
	}
}

func TestTheNextExportEndsOneThatWasKilled(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	killed := errors.New("killed")
	if _, err := iceberg.Export(t.Context(), a, &between{Catalog: cat, made: killed}, iceberg.Options{Location: at}); !errors.Is(err, killed) {
		t.Fatalf("got %v, want that it was killed", err)
	}
	if got := files(t, cat, "kafka.orders"); len(got) != 0 {
		t.Fatalf("got %q in the table of one that was killed", got)
	}
	if got := export(t, a, cat, iceberg.Options{Location: at}); got.Added != 1 || got.Created {
		t.Errorf("got %+v, want the segment in the table that was there", got)
	}
}

func TestAnArchiveThatWasMovedReplacesItsFilesAtOnce(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	export(t, a, cat, iceberg.Options{Location: at})
	got := export(t, a, cat, iceberg.Options{Location: "s3://bucket/run"})
	if !got.Moved || got.Added != 1 || got.Removed != 1 || got.Records != 3 {
		t.Errorf("got %+v", got)
	}
	for f := range dataFiles(t, load(t, cat, "kafka.orders")) {
		if f.FilePath() != "s3://bucket/run/data/topic=orders/partition=0/00000000000000000000.parquet" {
			t.Errorf("the file is at %s", f.FilePath())
		}
	}
	if got := export(t, a, cat, iceberg.Options{Location: "s3://bucket/run"}); got.Changed() {
		t.Errorf("got %+v, want no change", got)
	}
	export(t, a, cat, iceberg.Options{Location: at}) // and back, to names that the table had
	if got := files(t, cat, "kafka.orders"); len(got) != 1 {
		t.Errorf("got %q, want one file", got)
	}
}

func TestASegmentWithOtherContentUnderItsNameIsReplaced(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	export(t, a, cat, iceberg.Options{Location: at})
	b, _ := archive(t, format.Identity{})
	seal(t, b, "orders", 0, 0, 5)
	got := export(t, b, cat, iceberg.Options{Location: at, Replace: true})
	if got.Added != 1 || got.Removed != 1 || got.Records != 5 {
		t.Errorf("got %+v", got)
	}
	same(t, files(t, cat, "kafka.orders"), []string{"topic=orders/partition=0/00000000000000000000.parquet [0] 5"})
}

func TestTablesOfOthersAreLeftAlone(t *testing.T) {
	a, at := orders(t)
	b, bAt := archive(t, format.Identity{})
	seal(t, b, "orders", 0, 0, 1)
	c, cAt := archive(t, format.Identity{})
	seal(t, c, "Orders", 0, 0, 1)
	cat := tables(t)
	export(t, a, cat, iceberg.Options{Location: at})
	before := load(t, cat, "kafka.orders").MetadataLocation()
	refuse := func(x *format.Archive, o iceberg.Options, want string, replaceable bool) {
		t.Helper()
		_, err := iceberg.Export(t.Context(), x, cat, o)
		var refused *iceberg.TableError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), want) || refused.Replaceable != replaceable {
			t.Errorf("got %v, want a TableError about %q", err, want)
		}
		if after := load(t, cat, "kafka.orders").MetadataLocation(); after != before {
			t.Errorf("the table is at %s, want as it was, %s", after, before)
		}
	}
	refuse(b, iceberg.Options{Location: bAt}, "another archive", true)
	refuse(c, iceberg.Options{Location: cAt, Replace: true}, "of topic orders, not of Orders", false)
	if got := export(t, b, cat, iceberg.Options{Location: bAt, Replace: true}); !got.Moved || got.Records != 1 || got.Removed != 1 {
		t.Errorf("got %+v", got)
	}
	foreign, err := cat.CreateTable(t.Context(), table.Identifier{"kafka", "theirs"}, ice.NewSchema(0, ice.NestedField{ID: 1, Name: "x", Type: ice.PrimitiveTypes.Int32}))
	if err != nil {
		t.Fatal(err)
	}
	d, dAt := archive(t, format.Identity{})
	seal(t, d, "theirs", 0, 0, 1)
	before = load(t, cat, "kafka.orders").MetadataLocation()
	refuse(d, iceberg.Options{Location: dAt, Replace: true}, "no export made it", false)
	if after := load(t, cat, "kafka.theirs").MetadataLocation(); after != foreign.MetadataLocation() {
		t.Error("the table of somebody else was changed")
	}
}

func TestAFileOfSomebodyElseInATableIsNamed(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	export(t, a, cat, iceberg.Options{Location: at})
	tbl := load(t, cat, "kafka.orders")
	spec := tbl.Spec()
	b, err := ice.NewDataFileBuilder(spec, ice.EntryContentData, "file:///other.parquet", ice.ParquetFile, map[int]any{spec.Field(0).FieldID: int32(0)}, nil, nil, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	tx := tbl.NewTransaction()
	if err := tx.AddDataFiles(t.Context(), []ice.DataFile{b.Build()}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = iceberg.Export(t.Context(), a, cat, iceberg.Options{Location: at})
	if refused, ok := errors.AsType[*iceberg.TableError](err); !ok || !strings.Contains(err.Error(), "file:///other.parquet") || !refused.Replaceable {
		t.Errorf("got %v, want a TableError that names the file", err)
	}
	if got := export(t, a, cat, iceberg.Options{Location: at, Replace: true}); got.Removed != 1 || got.Segments != 1 {
		t.Errorf("got %+v, want the file gone", got)
	}
}

func TestTopicsBecomeNamesThatEnginesTake(t *testing.T) {
	a, at := archive(t, format.Identity{})
	for _, topic := range []string{"Orders.EU-1", "_schemas", "2024"} {
		seal(t, a, topic, 0, 0, 1)
	}
	r, err := iceberg.Export(t.Context(), a, tables(t), iceberg.Options{Location: at, Namespace: "Raw-1.kafka", TablePrefix: "k_"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range r.Tables {
		got = append(got, x.Topic+" "+x.Name)
	}
	same(t, got, []string{"2024 Raw-1.kafka.k_2024", "Orders.EU-1 Raw-1.kafka.k_orders_eu_1", "_schemas Raw-1.kafka.k__schemas"})
}

func TestTwoTopicsOfOneNameAreRefusedBeforeAnythingIsDone(t *testing.T) {
	a, at := archive(t, format.Identity{})
	seal(t, a, "a.b", 0, 0, 1)
	seal(t, a, "a-b", 0, 0, 1)
	cat := tables(t)
	_, err := iceberg.Export(t.Context(), a, cat, iceberg.Options{Location: at})
	if same, ok := errors.AsType[*iceberg.NamesError](err); !ok || same.Topic != "a-b" || same.Other != "a.b" || same.Table != "a_b" {
		t.Errorf("got %v, want a NamesError", err)
	}
	if there, err := cat.CheckNamespaceExists(t.Context(), table.Identifier{"kafka"}); there || err != nil {
		t.Errorf("the namespace is there: %v, %v", there, err)
	}
	for _, topic := range []string{"a.b", "a-b"} {
		export(t, a, cat, iceberg.Options{Location: at, Topics: []string{topic}, TablePrefix: map[string]string{"a-b": "dashed_"}[topic]})
	}
}

func TestNamesAndPlacesThatCannotBeAreRefused(t *testing.T) {
	a, at := archive(t, format.Identity{})
	seal(t, a, "orders", 0, 0, 1)
	for want, o := range map[string]iceberg.Options{
		"no location":        {},
		"namespace \"a..b\"": {Location: at, Namespace: "a..b"},
		"namespace \"a b\"":  {Location: at, Namespace: "a b"},
		"namespace \"a/b\"":  {Location: at, Namespace: "a/b"},
		"namespace \"ä\"":    {Location: at, Namespace: "ä"},
		"prefix \"x.y\"":     {Location: at, TablePrefix: "x.y"},
	} {
		if _, err := iceberg.Export(t.Context(), a, tables(t), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	b, at := archive(t, format.Identity{Encoding: format.Arrow})
	seal(t, b, "orders", 0, 0, 1)
	_, err := iceberg.Export(t.Context(), b, tables(t), iceberg.Options{Location: at})
	if e, ok := errors.AsType[*iceberg.EncodingError](err); !ok || e.Encoding != format.Arrow {
		t.Errorf("got %v, want an EncodingError", err)
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	o := iceberg.Options{Location: at, DryRun: true}
	if got := export(t, a, cat, o); !got.Created || got.Added != 1 || got.Records != 3 || got.Metadata != "" {
		t.Errorf("got %+v", got)
	}
	if there, err := cat.CheckNamespaceExists(t.Context(), table.Identifier{"kafka"}); there || err != nil {
		t.Errorf("the namespace is there: %v, %v", there, err)
	}
	before := export(t, a, cat, iceberg.Options{Location: at})
	seal(t, a, "orders", 0, 3, 1)
	if got := export(t, a, cat, o); got.Added != 1 || got.Records != 4 || got.Metadata != before.Metadata {
		t.Errorf("got %+v", got)
	}
	if got := files(t, cat, "kafka.orders"); len(got) != 1 {
		t.Errorf("got %q, want the one segment that was there", got)
	}
}

func TestASegmentThatCannotBeReadLeavesTheTableAsItIs(t *testing.T) {
	a, at := orders(t)
	cat := tables(t)
	before := export(t, a, cat, iceberg.Options{Location: at})
	seal(t, a, "orders", 0, 3, 1)
	dir := strings.TrimPrefix(at, "file://")
	bad := filepath.Join(dir, a.Segments(format.TopicPartition{Topic: "orders"})[1].Path)
	if err := os.WriteFile(bad, []byte("PAR1 no segment PAR1"), 0o644); err != nil {
		t.Fatal(err)
	}
	reopened, err := format.OpenPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iceberg.Export(t.Context(), reopened, cat, iceberg.Options{Location: at}); !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), "0003.parquet") {
		t.Errorf("got %v, want that the segment is damaged", err)
	}
	if after := load(t, cat, "kafka.orders").MetadataLocation(); after != before.Metadata {
		t.Errorf("the table is at %s, want as it was, %s", after, before.Metadata)
	}
}

// The archive's catalog would vouch for it: it has what the segment said of itself, and the file has its size.
func TestOfManySegmentsEachIsReadBeforeTheTableHasIt(t *testing.T) {
	const many = 70 // have a catalog
	a, at := archive(t, format.Identity{})
	for i := range int64(many) {
		seal(t, a, "orders", 0, i, 1)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimPrefix(at, "file://")
	damage(t, filepath.Join(dir, a.Segments(format.TopicPartition{Topic: "orders"})[many/2].Path))
	reopened, err := format.OpenPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iceberg.Export(t.Context(), reopened, tables(t), iceberg.Options{Location: at}); !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("got %v, want that the segment is damaged", err)
	}
}

// damage changes the end of a file, and leaves its size.
func damage(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	clear(content[len(content)-16:])
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
