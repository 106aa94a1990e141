package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

var damagedTP = format.TopicPartition{Topic: "orders", Partition: 2}

// damagedPath is the path of the segment of damagedTP that begins at base.
func damagedPath(base int64) string {
	return fmt.Sprintf("data/topic=orders/partition=2/%020d.parquet", base)
}

// wholeArchive has segments [0, 100), [100, 200) and [200, 300) of row groups of twenty records; offset 5 is a marker, [110, 115) is gone
// by retention.
func wholeArchive(t *testing.T) map[string][]byte {
	t.Helper()
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, format.Identity{ClusterID: "c", Topics: []origin.Topic{{Name: "orders", ID: "t", Partitions: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	for base := int64(0); base < 300; base += 100 {
		addHundred(t, a, base, origin.Source{ClusterID: "c", TopicID: "t"})
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return fsys.Files()
}

// addHundred adds the segment [base, base+100).
func addHundred(t *testing.T, a *format.Archive, base int64, source origin.Source) {
	t.Helper()
	p, err := a.NewSegment(format.WriterOptions{Topic: "orders", Partition: 2, Base: base, Source: source})
	if err != nil {
		t.Fatal(err)
	}
	for offset := base; offset < base+100; offset++ {
		if err := writeDamaged(p, offset); err != nil {
			t.Fatal(err)
		}
		if offset%20 == 19 {
			if err := p.Cut(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := p.Seal(base + 100); err != nil {
		t.Fatal(err)
	}
}

// strangeSegment is a segment [base, base+100) of an archive of its own.
func strangeSegment(t *testing.T, base int64, source origin.Source) []byte {
	t.Helper()
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	addHundred(t, a, base, source)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return fsys.Files()[damagedPath(base)]
}

func writeDamaged(w *format.Pending, offset int64) error {
	switch {
	case offset == 5:
		return w.Skip(5, 0, ledger.Control)
	case offset == 110:
		return w.Gap(ledger.Gap{From: 110, Until: 115, Reason: ledger.Retention})
	case offset > 110 && offset < 115:
		return nil
	}
	return w.Write(&format.Record{Offset: offset, TimestampMs: 1000 + offset, Value: fmt.Appendf(nil, "value %d", offset)})
}

// spoilGroup flips a bit of the row group that begins at offset first of a segment.
func spoilGroup(t *testing.T, files map[string][]byte, path string, first int64) {
	t.Helper()
	// Small pages of text stand in the file as they are, or nearly so: any byte of theirs will do.
	at := bytes.Index(files[path], fmt.Appendf(nil, "value %d", first))
	if at < 0 {
		t.Fatalf("%s has no text of offset %d", path, first)
	}
	files[path][at] ^= 1
}

func openIntact(t *testing.T, files map[string][]byte) (*format.Archive, []string) {
	t.Helper()
	var found []string
	a, err := format.OpenIntact(memfs.FromFiles(memfs.Options{}, files), func(c format.FileCheck) error {
		if err := c.Err(); err != nil {
			found = append(found, err.Error())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, found
}

func intactIn(t *testing.T, a *format.Archive) (offsets []int64) {
	t.Helper()
	c := scan.NewCursor(a, damagedTP, format.Selection{})
	defer c.Close()
	for {
		records, err := c.Next()
		if err == io.EOF {
			return offsets
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			if want := fmt.Sprintf("value %d", records[i].Offset); string(records[i].Value) != want {
				t.Fatalf("offset %d: got %q, want %q", records[i].Offset, records[i].Value, want)
			}
			offsets = append(offsets, records[i].Offset)
		}
	}
}

// intactOffsets are those with a record, but for lost ranges of from and until.
func intactOffsets(lost ...int64) (offsets []int64) {
	for o := range int64(300) {
		inside := o == 5 || o >= 110 && o < 115
		for i := 0; i < len(lost); i += 2 {
			inside = inside || o >= lost[i] && o < lost[i+1]
		}
		if !inside {
			offsets = append(offsets, o)
		}
	}
	return offsets
}

func TestWhatIsIntactOfADamagedArchiveCanBeReadAndRecovered(t *testing.T) {
	tests := []struct {
		name   string
		damage func(t *testing.T, files map[string][]byte)
		want   []int64
		lost   []ledger.Gap
	}{
		{"nothing", func(*testing.T, map[string][]byte) {}, intactOffsets(), []ledger.Gap{{From: 110, Until: 115, Reason: ledger.Retention}}},
		{"a row group", func(t *testing.T, files map[string][]byte) { spoilGroup(t, files, damagedPath(0), 40) },
			intactOffsets(40, 60), []ledger.Gap{{From: 40, Until: 60, Reason: ledger.Corrupt}, {From: 110, Until: 115, Reason: ledger.Retention}}},
		{"the row group of the marker", func(t *testing.T, files map[string][]byte) { spoilGroup(t, files, damagedPath(0), 0) },
			intactOffsets(0, 20), []ledger.Gap{{From: 0, Until: 20, Reason: ledger.Corrupt}, {From: 110, Until: 115, Reason: ledger.Retention}}},
		{"the row group of the gap", func(t *testing.T, files map[string][]byte) { spoilGroup(t, files, damagedPath(100), 100) },
			intactOffsets(100, 120), []ledger.Gap{{From: 100, Until: 110, Reason: ledger.Corrupt}, {From: 110, Until: 115, Reason: ledger.Retention},
				{From: 115, Until: 120, Reason: ledger.Corrupt}}},
		{"a missing segment", func(_ *testing.T, files map[string][]byte) { delete(files, damagedPath(100)) },
			intactOffsets(100, 200), []ledger.Gap{{From: 100, Until: 200, Reason: ledger.Corrupt}}},
		{"a cut segment", func(_ *testing.T, files map[string][]byte) { files[damagedPath(100)] = files[damagedPath(100)][:50] },
			intactOffsets(100, 200), []ledger.Gap{{From: 100, Until: 200, Reason: ledger.Corrupt}}},
		{"an empty segment", func(_ *testing.T, files map[string][]byte) { files[damagedPath(100)] = nil },
			intactOffsets(100, 200), []ledger.Gap{{From: 100, Until: 200, Reason: ledger.Corrupt}}},
		{"the first segment", func(_ *testing.T, files map[string][]byte) { delete(files, damagedPath(0)) },
			intactOffsets(0, 100), []ledger.Gap{{From: 0, Until: 100, Reason: ledger.Corrupt}, {From: 110, Until: 115, Reason: ledger.Retention}}},
		{"the last segment", func(_ *testing.T, files map[string][]byte) { delete(files, damagedPath(200)) },
			intactOffsets(200, 300), []ledger.Gap{{From: 110, Until: 115, Reason: ledger.Retention}, {From: 200, Until: 201, Reason: ledger.Corrupt}}},
		{"all segments", func(_ *testing.T, files map[string][]byte) {
			delete(files, damagedPath(0))
			files[damagedPath(100)] = nil
			delete(files, damagedPath(200))
		}, nil, []ledger.Gap{{From: 0, Until: 201, Reason: ledger.Corrupt}}},
		{"swapped segments", func(_ *testing.T, files map[string][]byte) {
			files[damagedPath(100)], files[damagedPath(200)] = files[damagedPath(200)], files[damagedPath(100)]
		}, intactOffsets(100, 300), []ledger.Gap{{From: 100, Until: 201, Reason: ledger.Corrupt}}},
		{"a doubled segment", func(_ *testing.T, files map[string][]byte) { files[damagedPath(150)] = files[damagedPath(100)] },
			intactOffsets(), []ledger.Gap{{From: 110, Until: 115, Reason: ledger.Retention}}},
		{"a segment that overlaps", func(t *testing.T, files map[string][]byte) {
			files[damagedPath(150)] = strangeSegment(t, 150, origin.Source{ClusterID: "c", TopicID: "t"})
		}, intactOffsets(), []ledger.Gap{{From: 110, Until: 115, Reason: ledger.Retention}}},
		{"a segment of other rules", func(t *testing.T, files map[string][]byte) {
			files[damagedPath(100)] = strangeSegment(t, 100, origin.Source{ClusterID: "c", TopicID: "t", Rules: "r"})
		}, intactOffsets(100, 200), []ledger.Gap{{From: 100, Until: 200, Reason: ledger.Corrupt}}},
		{"karchive.json", func(_ *testing.T, files map[string][]byte) { files["karchive.json"][30] ^= 4 },
			intactOffsets(), []ledger.Gap{{From: 110, Until: 115, Reason: ledger.Retention}}},
		{"SHA256SUMS", func(_ *testing.T, files map[string][]byte) { files["SHA256SUMS"][3] ^= 1 },
			intactOffsets(), []ledger.Gap{{From: 110, Until: 115, Reason: ledger.Retention}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := wholeArchive(t)
			test.damage(t, files)
			a, found := openIntact(t, files)
			if damaged := test.name != "nothing"; damaged != (len(found) > 0) {
				t.Errorf("got findings %q", found)
			}
			if got := intactIn(t, a); !slices.Equal(got, test.want) {
				t.Errorf("got offsets %v, want %v", got, test.want)
			}
			checkRecovered(t, a, test.want, test.lost)
		})
	}
}

func checkRecovered(t *testing.T, from *format.Archive, want []int64, lost []ledger.Gap) {
	t.Helper()
	before, err := from.Coverage(damagedTP)
	if err != nil {
		t.Fatal(err)
	}
	fsys := memfs.New(memfs.Options{})
	into, err := format.Create(fsys, from.Identity())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(format.Recover(from, into, format.ConvertOptions{}), into.Close()); err != nil {
		t.Fatal(err)
	}
	err = format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
	if err != nil {
		t.Errorf("the recovered archive: %v", err)
	}
	if got := intactIn(t, into); !slices.Equal(got, want) {
		t.Errorf("recovered: got offsets %v, want %v", got, want)
	}
	after, err := into.Coverage(damagedTP)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(after.Ledger.Ranges, lost) || !reflect.DeepEqual(before.Ledger, after.Ledger) {
		t.Errorf("got ledger %+v, before the recovery %+v, want ranges %v", after.Ledger, before.Ledger, lost)
	}
}

// goldenArchives are the small archives of testdata, one in each encoding.
var goldenArchives = []string{"golden-1.0", "golden-1.1-arrow"}

func readTree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files[name], err = os.ReadFile(filepath.Join(dir, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestEveryFlippedBitOfAnArchiveIsFound flips bits of all files of the golden archives: one in 500, all of them with KARCHIVE_FLIPS=all.
func TestEveryFlippedBitOfAnArchiveIsFound(t *testing.T) {
	share := 500
	if os.Getenv("KARCHIVE_FLIPS") == "all" {
		share = 1
	}
	for _, name := range goldenArchives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := readTree(t, filepath.Join("..", "testdata", name))
			random := rand.New(rand.NewPCG(rand.Uint64(), 1))
			flips := 0
			for name, good := range files {
				bad := bytes.Clone(good)
				files[name] = bad
				for bit := range len(good) * 8 {
					if random.IntN(share) > 0 {
						continue
					}
					flips++
					bad[bit/8] ^= 1 << (bit % 8)
					if !finds(t, files) {
						t.Errorf("bit %d of %s: flipped and not found", bit, name)
					}
					bad[bit/8] ^= 1 << (bit % 8)
				}
				files[name] = good
			}
			if flips == 0 {
				t.Fatal("nothing was flipped")
			}
			t.Logf("flips: %d bits of %s flipped one by one, all of them found by verify", flips, name)
		})
	}
}

// finds says whether Verify sees that something is wrong.
func finds(t *testing.T, files map[string][]byte) bool {
	t.Helper()
	found := false
	err := format.Verify(memfs.FromFiles(memfs.Options{}, files), format.VerifyOptions{}, func(c format.FileCheck) error {
		found = found || len(c.Problems) > 0
		return nil
	})
	return found || err != nil
}
