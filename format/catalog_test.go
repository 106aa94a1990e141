package format_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

// manySegments is an archive of n segments of ten offsets in each of two partitions, closed by its writer.
func manySegments(t testing.TB, n int64) *memfs.FS {
	t.Helper()
	var all []seg
	for i := range n {
		all = append(all, full(orders0, i*10, i*10+10), full(orders1, i*10, i*10+10))
	}
	return memArchive(t, all...)
}

// opening opens an archive, and tells how many segments are opened from then on.
func opening(t testing.TB, fsys *memfs.FS) (*format.Archive, func() int) {
	t.Helper()
	n := 0
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		if o.Call == memfs.Open && strings.HasSuffix(o.Name, ".parquet") {
			n++
		}
		return nil
	})
	a, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return a, func() int { return n }
}

// told is what an archive says it has.
func told(a *format.Archive) (string, error) {
	var out strings.Builder
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%s %+v\n", tp, c)
	}
	return out.String(), nil
}

// given is the offsets of the records of both partitions in a window.
func given(a *format.Archive, w format.Selection) ([]int64, error) {
	var all []int64
	for _, tp := range a.Partitions() {
		c := scan.NewCursor(a, tp, w)
		defer c.Close()
		for {
			records, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return all, err
			}
			for _, r := range records {
				all = append(all, r.Offset)
			}
		}
	}
	return all, nil
}

// withCatalog is an archive with another catalog.
func withCatalog(fsys *memfs.FS, content []byte) *memfs.FS {
	return changed(fsys, map[string][]byte{ondisk.Catalog: content})
}

func catalogOf(fsys *memfs.FS) []byte { return fsys.Files()[ondisk.Catalog] }

func TestAnArchiveOfManySegmentsIsDescribedByItsCatalog(t *testing.T) {
	fsys := manySegments(t, 100)
	a, opened := opening(t, fsys)
	got, err := told(a)
	if err != nil {
		t.Fatal(err)
	}
	if n := opened(); n != format.FootersFirst {
		t.Errorf("%d segments were opened, want %d", n, format.FootersFirst)
	}
	a, opened = opening(t, fsys)
	a.IgnoreCatalog()
	want, err := told(a)
	if err != nil {
		t.Fatal(err)
	}
	if n := opened(); n != 200 {
		t.Errorf("%d segments were opened without the catalog, want 200", n)
	}
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestANarrowWindowInTimeOpensOnlyTheSegmentsThatHaveIt(t *testing.T) {
	a, opened := opening(t, manySegments(t, 100))
	got, err := given(a, format.Selection{From: time.UnixMilli(705), Until: time.UnixMilli(725)})
	if err != nil {
		t.Fatal(err)
	}
	if want := append(offsets(705, 725), offsets(705, 725)...); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n, most := opened(), format.FootersFirst+2*3; n > most {
		t.Errorf("%d segments were opened, want at most %d of 200", n, most)
	}
}

func TestAnArchiveOfFewSegmentsHasNoCatalog(t *testing.T) {
	if _, err := manySegments(t, format.CatalogFrom/2-1).Stat(ondisk.Catalog); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestWhatAnotherWriterAddsAndACrashLosesOfTheCatalogIsReadFromTheSegments(t *testing.T) {
	fsys := manySegments(t, 40)
	old := catalogOf(fsys)
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for i := int64(40); i < 44; i++ {
		if err := full(orders0, i*10, i*10+10).seal(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		catalog []byte
		opened  int
	}{"as it was": {old, format.FootersFirst + 4}, "as it is": {catalogOf(fsys), format.FootersFirst}} {
		a, opened := opening(t, withCatalog(fsys, c.catalog))
		if got, err := a.Coverage(orders0); err != nil || got.Records != 440 {
			t.Errorf("%s: got %d records, %v, want 440", name, got.Records, err)
		}
		if n := opened(); n != c.opened {
			t.Errorf("%s: %d segments were opened, want %d", name, n, c.opened)
		}
	}
}

// Whatever is in the place of the catalog, an archive is what its segments say.
func TestACatalogThatIsOfNoUseChangesNothing(t *testing.T) {
	fsys := manySegments(t, 40)
	good := catalogOf(fsys)
	want, err := told(mustOpen(t, fsys))
	if err != nil {
		t.Fatal(err)
	}
	head := bytes.IndexByte(good, '\n')
	bad := map[string][]byte{
		"nothing": {}, "a line": good[:head+1], "half a header": good[:head/2], "half": good[:len(good)/2], "all but a byte": good[:len(good)-1],
		"more": append(bytes.Clone(good), 1), "no JSON": []byte("no\n"), "empty": []byte("{}\n"), "zeros": make([]byte, 1<<20),
		"of another archive": catalogOf(manySegments(t, 40)),
		"of other sizes":     forged(t, fsys, func(s *format.Segment, d *format.Document) { s.Size++; d.Records = 0 }),
		"of other files":     forged(t, fsys, func(s *format.Segment, d *format.Document) { s.SHA256 = strings.Repeat("0", 64); d.Partition = 7 }),
		"of other places":    forged(t, fsys, func(_ *format.Segment, d *format.Document) { d.Topic = "elsewhere" }),
		"of another cluster": forged(t, fsys, func(_ *format.Segment, d *format.Document) { d.Source.ClusterID = "cluster-b" }),
		"of no sense":        forged(t, fsys, func(_ *format.Segment, d *format.Document) { d.Records = 1 << 60 }),
	}
	for at := 0; at < len(good); at += 701 {
		flipped := bytes.Clone(good)
		flipped[at] ^= 0x10
		bad[fmt.Sprintf("byte %d flipped", at)] = flipped
	}
	for name, catalog := range bad {
		a := mustOpen(t, withCatalog(fsys, catalog))
		if got, err := told(a); err != nil || got != want {
			t.Errorf("%s: got\n%s%v, want\n%s", name, got, err, want)
		}
	}
}

func forged(t testing.TB, fsys *memfs.FS, change func(*format.Segment, *format.Document)) []byte {
	t.Helper()
	content, err := format.ForgedCatalog(mustOpen(t, fsys), change)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// unsaid makes a document that says nothing of the records.
func unsaid(_ *format.Segment, d *format.Document) {
	d.Records, d.Bytes, d.Groups = 0, 0, []format.RowGroup{}
}

// later makes all timestamps greater.
func later(_ *format.Segment, d *format.Document) {
	for i := range d.Groups {
		d.Groups[i].MinTimestampMs, d.Groups[i].MaxTimestampMs = 700, 720
	}
}

func TestACatalogThatLiesDoesNotChangeWhichRecordsAreGiven(t *testing.T) {
	everything := append(offsets(0, 400), offsets(0, 400)...)
	for name, c := range map[string]struct {
		lie    func(*format.Segment, *format.Document)
		window format.Selection
	}{
		"no records":                     {unsaid, format.Selection{}},
		"no records of some offsets":     {unsaid, format.Selection{FromOffset: 300}},
		"other times, of all":            {later, format.Selection{}},
		"other times, of those in there": {later, format.Selection{From: time.UnixMilli(700)}},
	} {
		fsys := manySegments(t, 40)
		fsys = withCatalog(fsys, forged(t, fsys, c.lie))
		a := mustOpen(t, fsys)
		if _, err := told(a); err != nil && !errors.Is(err, format.ErrCorrupt) { // which reads the catalog
			t.Fatal(err)
		}
		got, err := given(a, c.window)
		var want []int64
		for _, o := range everything {
			if o >= c.window.FromOffset && (c.window.From.IsZero() || o >= c.window.From.UnixMilli()) {
				want = append(want, o)
			}
		}
		if err == nil && !slices.Equal(got, want) {
			t.Errorf("%s: got %d records and no error, want %d", name, len(got), len(want))
		}
		if err != nil && (!errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), ondisk.Catalog)) {
			t.Errorf("%s: got %v, want an error that names %s", name, err, ondisk.Catalog)
		}
		a = mustOpen(t, fsys)
		a.IgnoreCatalog()
		if got, err := given(a, c.window); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s, without the catalog: got %d records, %v, want %d", name, len(got), err, len(want))
		}
	}
}

func TestVerifyDoesNotBelieveTheCatalogAndNamesOneThatLies(t *testing.T) {
	fsys := manySegments(t, 40)
	for name, c := range map[string]struct {
		catalog []byte
		want    []string
	}{
		"good": {catalogOf(fsys), nil}, "lies": {forged(t, fsys, unsaid), []string{ondisk.Catalog}},
		"broken": {[]byte("{"), []string{ondisk.Catalog}}, "broken in a frame": {flipped(catalogOf(fsys)), []string{ondisk.Catalog}}, "of another archive": {catalogOf(manySegments(t, 40)), nil},
	} {
		var bad []string
		records := int64(0)
		err := format.Verify(withCatalog(fsys, c.catalog), format.VerifyOptions{}, func(f format.FileCheck) error {
			if f.Err() != nil {
				bad = append(bad, f.Path)
			}
			if f.Document != nil {
				records += f.Document.Records
			}
			return nil
		})
		if err != nil || !slices.Equal(bad, c.want) || records != 800 {
			t.Errorf("%s: got %v bad, %d records, %v, want %v", name, bad, records, err, c.want)
		}
	}
}

func TestWritingTheSumsAnewMakesTheCatalogAnew(t *testing.T) {
	fsys := manySegments(t, 40)
	good := catalogOf(fsys)
	fsys = withCatalog(fsys, forged(t, fsys, unsaid))
	if err := format.RebuildSums(fsys, func(format.FileCheck) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got := catalogOf(fsys); !bytes.Equal(got, good) {
		t.Errorf("got a catalog of %d bytes, want that of the writer, of %d", len(got), len(good))
	}
}

func TestPrunedSegmentsAreTakenOutOfTheCatalog(t *testing.T) {
	fsys := manySegments(t, 40)
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Prune(map[format.TopicPartition]int64{orders0: 390, orders1: 390}, "test", prunedAt), a.Close()); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(catalogOf(fsys), []byte(`"segments":2,`)); n != 1 {
		t.Errorf("the catalog does not say that it has two segments")
	}
}

// flipped has another byte before the last one.
func flipped(content []byte) []byte {
	content = bytes.Clone(content)
	content[len(content)-2] ^= 1
	return content
}

// A place that knows the SHA-256 of its files, as buckets do.
type noting struct{ *memfs.FS }

func (f noting) SHA256(name string) (string, error) {
	return fmt.Sprintf("%x", sha256.Sum256(f.Files()[name])), nil
}

// A reader asks for no SHA-256, so it believes a catalog of any other where SHA256SUMS has none.
func TestVerifyNamesALieThatStandsBehindAWrongSHA256(t *testing.T) {
	fsys := changed(manySegments(t, 40), map[string][]byte{ondisk.Sums: nil})
	fsys = withCatalog(fsys, forged(t, fsys, func(s *format.Segment, d *format.Document) {
		s.SHA256 = strings.Repeat("0", 64)
		later(s, d)
	}))
	var bad []string
	err := format.Verify(noting{fsys}, format.VerifyOptions{}, func(f format.FileCheck) error {
		if f.Err() != nil {
			bad = append(bad, f.Path)
		}
		return nil
	})
	if err != nil || !slices.Contains(bad, ondisk.Catalog) {
		t.Errorf("got %v, %v, want %s among them", bad, err, ondisk.Catalog)
	}
}

func TestACatalogOfWrongEndsOrSourcesIsNamedAndNotTheSegments(t *testing.T) {
	fsys := manySegments(t, 40)
	n := 0
	for name, lie := range map[string]func(*format.Segment, *format.Document){
		"ends":    func(_ *format.Segment, d *format.Document) { d.NextOffset += 5 },
		"sources": func(_ *format.Segment, d *format.Document) { n++; d.Source.Rules = fmt.Sprintf("%032x", n%3) },
	} {
		_, err := told(mustOpen(t, withCatalog(fsys, forged(t, fsys, lie))))
		if !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), ondisk.Catalog) {
			t.Errorf("%s: got %v, want an error that names %s", name, err, ondisk.Catalog)
		}
	}
}

func TestWhereAPartitionEndsIsNotTakenFromTheCatalog(t *testing.T) {
	fsys := manySegments(t, 40)
	for name, lie := range map[string]func(*format.Segment, *format.Document){
		"later":   func(_ *format.Segment, d *format.Document) { d.NextOffset += 5 },
		"earlier": func(s *format.Segment, d *format.Document) { unsaid(s, d); d.NextOffset = d.BaseOffset + 1 },
	} {
		a := mustOpen(t, withCatalog(fsys, forged(t, fsys, func(s *format.Segment, d *format.Document) {
			if s.Base == 390 {
				lie(s, d)
			}
		})))
		if _, err := a.Completeness(format.Selection{}); err != nil { // which reads the catalog
			t.Fatal(err)
		}
		_, _, err := a.Resume(orders1)
		if !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), ondisk.Catalog) {
			t.Errorf("%s: got %v, want an error that names %s", name, err, ondisk.Catalog)
		}
	}
}

// Another writer may spell a list that is empty, which this one leaves out.
func TestADocumentWithEmptyListsIsWhatTheCatalogSaysOfIt(t *testing.T) {
	fsys := manySegments(t, 40)
	a, files := mustOpen(t, fsys), map[string][]byte{ondisk.Catalog: nil, ondisk.Sums: nil}
	for _, s := range a.Segments(orders0) {
		d, err := a.Document(s)
		if err != nil {
			t.Fatal(err)
		}
		old := fmt.Sprintf(`"cluster_id":%q,"topic_id":%q,"isolation":%q},`, d.Source.ClusterID, d.Source.TopicID, d.Source.Isolation)
		spelled := fmt.Sprintf(`"cluster_id":"","topic_id":"","isolation":%q},"gaps":[],`, d.Source.Isolation)
		files[s.Path] = withDocument(t, fsys.Files()[s.Path], d, old, spelled+strings.Repeat(" ", len(old)-len(spelled)))
	}
	fsys = changed(fsys, files)
	if err := mustOpenForWriting(t, fsys).Close(); err != nil {
		t.Fatal(err)
	}
	a, opened := opening(t, fsys)
	if _, err := told(a); err != nil {
		t.Fatal(err)
	}
	if n := opened(); n != format.FootersFirst {
		t.Errorf("%d segments were opened, want %d", n, format.FootersFirst)
	}
	if got, err := given(a, format.Selection{}); err != nil || len(got) != 800 {
		t.Errorf("got %d records, %v, want 800", len(got), err)
	}
}

func TestWhatIsInTheWayOfTheCatalogFailsNoWriterAndIsNamedByVerify(t *testing.T) {
	fsys := changed(manySegments(t, 40), map[string][]byte{ondisk.Catalog: nil})
	if err := fsys.Mkdir(ondisk.Catalog); err != nil {
		t.Fatal(err)
	}
	a := mustOpenForWriting(t, fsys)
	err := full(orders0, 400, 410).seal(a)
	if err := errors.Join(err, a.Prune(map[format.TopicPartition]int64{orders0: 10}, "test", prunedAt), a.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := given(mustOpen(t, fsys), format.Selection{}); err != nil || len(got) != 800 {
		t.Errorf("got %d records, %v, want 800", len(got), err)
	}
	got := findings(t, fsys, format.VerifyOptions{})
	if len(got) != 1 || !strings.HasPrefix(got[0], ondisk.Catalog+": open") {
		t.Errorf("got %q, want what is wrong with %s", got, ondisk.Catalog)
	}
}

func TestTheNextWriterPutsRightWhatTheCatalogSaysOfOtherFiles(t *testing.T) {
	fsys := manySegments(t, 40)
	good := catalogOf(fsys)
	fsys = withCatalog(fsys, forged(t, fsys, func(s *format.Segment, d *format.Document) {
		s.SHA256 = strings.Repeat("0", 64)
		later(s, d)
	}))
	if err := mustOpenForWriting(t, fsys).Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(catalogOf(fsys), good) {
		t.Error("the catalog is not what it was")
	}
}

// vast has a catalog that is too large to be read.
type vast struct {
	*memfs.FS
	t *testing.T
}

func (f vast) Open(name string) (storage.ReadFile, error) {
	file, err := f.FS.Open(name)
	if name == ondisk.Catalog {
		return vastFile{file, f.t}, err
	}
	return file, err
}

type vastFile struct {
	storage.ReadFile
	t *testing.T
}

func (vastFile) Size() (int64, error) { return 1 << 40, nil }

func (f vastFile) ReadAt(b []byte, at int64) (int, error) {
	f.t.Errorf("%d bytes at %d were read of what is of no use", len(b), at)
	return f.ReadFile.ReadAt(b, at)
}

func TestAVastCatalogIsNotRead(t *testing.T) {
	fsys := manySegments(t, 40)
	a, err := format.Open(vast{fsys, t})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := told(a); err != nil {
		t.Error(err)
	}
}

// ofVersion is a catalog that says that it has another version.
func ofVersion(t testing.TB, catalog []byte, version string) []byte {
	t.Helper()
	line, frames, _ := bytes.Cut(catalog, []byte("\n"))
	_, value, ok := bytes.Cut(line, []byte(`"catalog":`))
	value = bytes.TrimSuffix(value, []byte("}"))
	other := bytes.Replace(value, []byte(`"version":"1.0"`), fmt.Appendf(nil, `"version":%q`, version), 1)
	if !ok || bytes.Equal(value, other) {
		t.Fatalf("no version in %s", line)
	}
	return append(fmt.Appendf(nil, "{\"checksum\":%q,\"catalog\":%s}\n", ondisk.Digest(other), other), frames...)
}

func TestAWriterLeavesACatalogAloneThatItCannotRead(t *testing.T) {
	good := manySegments(t, 33)
	trouble := errors.New("trouble")
	asItIs := func(fsys *memfs.FS) storage.FS { return fsys }
	unreadable := func(fsys *memfs.FS) storage.FS {
		fsys.Inject(func(o memfs.Op) *memfs.Fault {
			if o.Call == memfs.Open && o.Name == ondisk.Catalog {
				return &memfs.Fault{Err: trouble}
			}
			return nil
		})
		return fsys
	}
	for name, c := range map[string]struct {
		catalog []byte
		place   func(*memfs.FS) storage.FS
		made    error // of making it anew
	}{
		"a newer major version":             {ofVersion(t, catalogOf(good), "2.0"), asItIs, nil},
		"a newer major version, of others":  {fmt.Appendf(nil, "{\"checksum\":%q,\"catalog\":%s,\"more\":1}\nmore", ondisk.Digest([]byte(`{"version":"7.1"}`)), `{"version":"7.1"}`), asItIs, nil},
		"a newer major version, in objects": {manyObjects(), asItIs, nil},
		"a newer minor version":             {ofVersion(t, catalogOf(good), "1.999"), asItIs, nil},
		"what cannot be read":               {catalogOf(good), unreadable, trouble},
		"more than is read":                 {catalogOf(good), func(fsys *memfs.FS) storage.FS { return vast{fsys, t} }, format.ErrCorrupt},
	} {
		fsys := withCatalog(good, c.catalog)
		place := c.place(fsys)
		a, err := format.OpenForWriting(place)
		if err != nil {
			t.Fatal(err)
		}
		err = full(orders0, 330, 340).seal(a)
		if err := errors.Join(err, a.Prune(map[format.TopicPartition]int64{orders0: 10}, "test", prunedAt), a.Close()); err != nil {
			t.Fatal(err)
		}
		if err := format.RebuildSums(place, func(format.FileCheck) error { return nil }); !errors.Is(err, c.made) {
			t.Errorf("%s: got %v, want %v", name, err, c.made)
		}
		if !bytes.Equal(catalogOf(fsys), c.catalog) {
			t.Errorf("%s: it was replaced", name)
		}
		if got, err := given(mustOpen(t, place), format.Selection{}); err != nil || len(got) != 660 {
			t.Errorf("%s: got %d records, %v, want 660", name, len(got), err)
		}
	}
}

// manyObjects is a catalog of a version that has more of them than this one's.
func manyObjects() []byte {
	value := []byte(`{"version":"2.0","frames":[{}` + strings.Repeat(",{}", 1000) + `]}`)
	return fmt.Appendf(nil, "{\"checksum\":%q,\"catalog\":%s}\n", ondisk.Digest(value), value)
}

func TestAWriterReplacesACatalogThatIsDamaged(t *testing.T) {
	fsys := manySegments(t, 32)
	good := catalogOf(fsys)
	for _, damaged := range [][]byte{{}, good[:len(good)/2], bytes.Replace(good, []byte(`"1.0"`), []byte(`"2.0"`), 1)} {
		fsys := withCatalog(fsys, damaged)
		if err := mustOpenForWriting(t, fsys).Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(catalogOf(fsys), good) {
			t.Errorf("%.60q was not replaced", damaged)
		}
	}
}

func TestAWriterThatWasKilledWhileItWroteTheCatalogLocksNobodyOut(t *testing.T) {
	fsys := changed(manySegments(t, 32), map[string][]byte{ondisk.Temp + "/" + ondisk.Catalog: []byte("half")})
	if err := mustOpenForWriting(t, fsys).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := fsys.Stat(ondisk.Temp + "/" + ondisk.Catalog); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover is still there: %v", err)
	}
}
