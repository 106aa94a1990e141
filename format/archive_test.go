package format_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

func TestAnArchiveGivesBackWhatWasSealed(t *testing.T) {
	for name, o := range map[string]memfs.Options{
		"links": {}, "no links": {NoLinks: true}, "absent directory": {Absent: true}, "folded case": {FoldCase: true},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := memfs.New(o)
			archiveOf(t, fsys, full(orders0, 5, 8), full(orders1, 0, 3), full(orders0, 8, 12), full(events0, 100, 101))
			a := mustOpen(t, fsys)
			if got, want := a.Partitions(), []format.TopicPartition{events0, orders0, orders1}; !slices.Equal(got, want) {
				t.Errorf("got partitions %v, want %v", got, want)
			}
			if got, want := offsetsOf(t, a, orders0, format.Selection{}), offsets(5, 12); !slices.Equal(got, want) {
				t.Errorf("got offsets %v, want %v", got, want)
			}
			if got := findings(t, fsys, format.VerifyOptions{Deep: true}); len(got) > 0 {
				t.Errorf("got findings %q", got)
			}
		})
	}
}

func TestTheLayoutIsThatOfTheSpecification(t *testing.T) {
	fsys := memArchive(t, full(orders0, 1200, 1203), full(orders1, 0, 1))
	files := fsys.Files()
	want := []string{
		".karchive-lock", "SHA256SUMS", "data/topic=orders/partition=0/00000000000000001200.parquet",
		"data/topic=orders/partition=1/00000000000000000000.parquet", "karchive.json",
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
	sums := fmt.Sprintf("%x  %s\n%x  %s\n", sha256.Sum256(files[want[2]]), want[2], sha256.Sum256(files[want[3]]), want[3])
	if got := string(files["SHA256SUMS"]); got != sums {
		t.Errorf("got SHA256SUMS\n%swant\n%s", got, sums)
	}
}

func TestSha256sumChecksAnArchive(t *testing.T) {
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("sha256sum is not installed")
	}
	dir := t.TempDir()
	archiveOf(t, dirFS(t, dir), full(orders0, 0, 3), full(orders1, 0, 1))
	cmd := exec.Command(tool, "-c", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), ": OK\n") != 2 {
		t.Errorf("got %v:\n%s", err, out)
	}
}

func dirFS(t testing.TB, dir string) storage.FS {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

func TestCreateMakesTheDirectoriesAboveIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
	if got := offsetsOf(t, mustOpen(t, dirFS(t, dir)), orders0, format.Selection{}); len(got) != 3 {
		t.Errorf("got %v, want three records", got)
	}
}

func TestFilesAreNotForEveryone(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateRefusesAPlaceThatIsNotEmpty(t *testing.T) {
	t.Run("an archive", func(t *testing.T) {
		fsys := memArchive(t, full(orders0, 0, 3))
		before := fsys.Files()
		if _, err := format.Create(fsys, identity); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v, want fs.ErrExist", err)
		}
		checkFiles(t, fsys, before)
	})
	t.Run("something else", func(t *testing.T) {
		fsys := memfs.FromFiles(memfs.Options{}, map[string][]byte{"thesis.txt": []byte("…")})
		before := fsys.Files()
		_, err := format.Create(fsys, identity)
		if err == nil || !strings.Contains(err.Error(), "thesis.txt") {
			t.Errorf("got %v, want an error that names thesis.txt", err)
		}
		checkFiles(t, fsys, before)
	})
}

func checkFiles(t *testing.T, fsys *memfs.FS, want map[string][]byte) {
	t.Helper()
	got := fsys.Files()
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Errorf("got files %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for name := range want {
		if string(got[name]) != string(want[name]) {
			t.Errorf("%s changed", name)
		}
	}
}

func TestOpeningWhatIsNoArchiveSaysSoAndLeavesNothingThere(t *testing.T) {
	open := map[string]func(storage.Writable) (*format.Archive, error){"reading": openToRead, "writing": format.OpenForWriting}
	places := map[string]func() *memfs.FS{
		"empty":  func() *memfs.FS { return memfs.New(memfs.Options{}) },
		"absent": func() *memfs.FS { return memfs.New(memfs.Options{Absent: true}) },
		"other":  func() *memfs.FS { return memfs.FromFiles(memfs.Options{}, map[string][]byte{"a/b": nil}) },
	}
	for how, open := range open {
		for place, make := range places {
			fsys := make()
			before := fsys.Files()
			if _, err := open(fsys); !errors.Is(err, format.ErrNotArchive) {
				t.Errorf("%s, %s: got %v, want ErrNotArchive", place, how, err)
			}
			checkFiles(t, fsys, before)
		}
	}
}

func TestAFileInPlaceOfADirectoryIsNoArchive(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.DirFS(name); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("got %v, want ErrNotArchive", err)
	}
}

func TestAnArchiveOpenedForReadingIsNeverWrittenTo(t *testing.T) {
	fsys := memArchive(t, full(orders0, 0, 10), full(orders0, 10, 20))
	// One line torn and one missing: a writer would repair both.
	lines := strings.SplitAfter(string(fsys.Files()["SHA256SUMS"]), "\n")
	fsys = changed(fsys, map[string][]byte{"SHA256SUMS": []byte(lines[0] + lines[1][:40])})
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		if o.Changes() {
			t.Errorf("wrote: %v", o)
		}
		return nil
	})
	a := mustOpen(t, fsys)
	offsetsOf(t, a, orders0, format.Selection{})
	if _, err := a.Coverage(orders0); err != nil {
		t.Error(err)
	}
	findings(t, fsys, format.VerifyOptions{Deep: true})
	if _, err := a.NewSegment(full(orders0, 20, 21).options()); !errors.Is(err, format.ErrReadOnly) {
		t.Errorf("NewSegment: got %v, want ErrReadOnly", err)
	}
	if err := a.SetIdentity(identity); !errors.Is(err, format.ErrReadOnly) {
		t.Errorf("SetIdentity: got %v, want ErrReadOnly", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestALockedArchiveSaysWhoHoldsIt(t *testing.T) {
	for name, fsys := range map[string]storage.FS{"memory": memfs.New(memfs.Options{}), "disk": dirFS(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			archiveOf(t, fsys, full(orders0, 0, 3))
			holder := mustOpenForWriting(t, fsys)
			_, err := format.OpenForWriting(fsys)
			if !errors.Is(err, storage.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d on host ", os.Getpid())) {
				t.Errorf("got %v, want ErrLocked by this process", err)
			}
			if err := format.RebuildSums(fsys, ignore); !errors.Is(err, storage.ErrLocked) {
				t.Errorf("rebuild: got %v, want ErrLocked", err)
			}
			mustOpen(t, fsys) // reading needs no lock
			if err := holder.Close(); err != nil {
				t.Fatal(err)
			}
			f, err := fsys.Open(".karchive-lock")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if size, err := f.Size(); size != 0 || err != nil {
				t.Errorf("got a lock file of %d bytes, %v, want one that names nobody", size, err)
			}
			mustOpenForWriting(t, fsys)
		})
	}
}

func ignore(format.FileCheck) error { return nil }

func TestAClosedArchiveTakesNothing(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	p, err := a.NewSegment(full(orders0, 0, 3).options())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	before := fsys.Files()
	if _, _, err := p.Seal(3); err == nil {
		t.Error("sealed a segment")
	}
	if err := a.SetIdentity(identity); err == nil {
		t.Error("set the identity")
	}
	if err := full(orders1, 0, 3).seal(a); err == nil {
		t.Error("made a segment")
	}
	checkFiles(t, fsys, before)
}

func TestAListedSegmentThatIsAbsentStopsEverything(t *testing.T) {
	gone := full(orders0, 10, 20)
	fsys := changed(memArchive(t, full(orders0, 0, 10), gone), map[string][]byte{gone.path(): nil})
	for how, open := range map[string]func(storage.Writable) (*format.Archive, error){"read": openToRead, "write": format.OpenForWriting} {
		_, err := open(fsys)
		if !errors.Is(err, format.ErrMissingSegment) || !strings.Contains(err.Error(), gone.path()) {
			t.Errorf("%s: got %v, want ErrMissingSegment that names %s", how, err, gone.path())
		}
	}
}

func TestForeignFilesInDataAreNamed(t *testing.T) {
	good := full(orders0, 0, 3)
	for _, path := range []string{
		"data/readme.txt",
		"data/topic=events",
		"data/topic=orders/partition=1",
		"data/orders/partition=0/00000000000000000003.parquet",
		"data/topic=a b/partition=0/00000000000000000003.parquet",
		"data/topic=orders/readme.txt",
		"data/topic=orders/partition=00/00000000000000000003.parquet",
		"data/topic=orders/partition=-1/00000000000000000003.parquet",
		"data/topic=orders/partition=2147483648/00000000000000000003.parquet",
		"data/topic=orders/partition=0/3.parquet",
		"data/topic=orders/partition=0/00000000000000000003.csv",
		"data/topic=orders/partition=0/00000000000000000003.parquet.bak",
		"data/topic=orders/partition=0/09999999999999999999.parquet",
		"data/topic=orders/partition=0/00000000000000000003.parquet/x",
	} {
		fsys := changed(memArchive(t, good), map[string][]byte{path: []byte("x")})
		for how, open := range map[string]func(storage.Writable) (*format.Archive, error){"read": openToRead, "write": format.OpenForWriting} {
			if _, err := open(fsys); !errors.Is(err, format.ErrForeignFile) {
				t.Errorf("%s, %s: got %v, want ErrForeignFile", path, how, err)
			}
		}
		if string(fsys.Files()[path]) != "x" {
			t.Errorf("%s was touched", path)
		}
	}
}

func TestHiddenFilesInDataAreNoneOfOurs(t *testing.T) {
	fsys := changed(memArchive(t, full(orders0, 0, 3)), map[string][]byte{
		"data/.DS_Store": nil, "data/topic=orders/.x/y": {}, "data/topic=orders/partition=0/.nfs01": {}, "notes.txt": {},
	})
	if got := offsetsOf(t, mustOpen(t, fsys), orders0, format.Selection{}); len(got) != 3 {
		t.Errorf("got %v, want three records", got)
	}
}

func TestASegmentFileThatIsNoRegularFileIsForeign(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
	link := filepath.Join(dir, filepath.FromSlash(full(orders0, 3, 4).path()))
	if err := os.Symlink("00000000000000000000.parquet", link); err != nil {
		t.Skip(err)
	}
	if _, err := format.Open(dirFS(t, dir)); !errors.Is(err, format.ErrForeignFile) {
		t.Errorf("got %v, want ErrForeignFile", err)
	}
}

func TestSegmentsThatDoNotAdjoinAreRefused(t *testing.T) {
	for name, bad := range map[string]seg{"overlap": full(orders0, 8, 20), "hole": full(orders0, 11, 20)} {
		t.Run(name, func(t *testing.T) {
			archive := memArchive(t, full(orders0, 0, 10))
			sum := fmt.Sprintf("%s%x  %s\n", archive.Files()["SHA256SUMS"], sha256.Sum256(bad.bytes(t)), bad.path())
			fsys := changed(archive, map[string][]byte{bad.path(): bad.bytes(t), "SHA256SUMS": []byte(sum)})
			a := mustOpenForWriting(t, fsys)
			if _, err := readAll(scan.NewCursor(a, orders0, format.Selection{})); !errors.Is(err, format.ErrCorrupt) {
				t.Errorf("cursor: got %v, want ErrCorrupt", err)
			}
			if _, err := a.Coverage(orders0); !errors.Is(err, format.ErrCorrupt) {
				t.Errorf("coverage: got %v, want ErrCorrupt", err)
			}
			if _, _, err := a.Resume(orders0); !errors.Is(err, format.ErrCorrupt) {
				t.Errorf("resume: got %v, want ErrCorrupt", err)
			}
			if err := full(orders0, 20, 21).seal(a); !errors.Is(err, format.ErrCorrupt) {
				t.Errorf("seal: got %v, want ErrCorrupt", err)
			}
		})
	}
}

func TestASegmentInTheWrongPlaceIsRefused(t *testing.T) {
	right := full(orders0, 0, 3)
	for what, place := range map[string]seg{"topic": full(events0, 0, 3), "partition": full(orders1, 0, 3), "offset": full(orders0, 3, 6)} {
		a := mustOpen(t, changed(memArchive(t, right), map[string][]byte{place.path(): right.bytes(t)}))
		segments := a.Segments(place.tp)
		if _, err := readAll(scan.NewCursor(a, place.tp, format.Selection{FromOffset: place.base})); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("another %s: cursor: got %v, want ErrCorrupt", what, err)
		}
		if _, err := a.Document(segments[len(segments)-1]); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("another %s: document: got %v, want ErrCorrupt", what, err)
		}
	}
}

func TestAFileInPlaceOfTheDataIsNamed(t *testing.T) {
	fsys := changed(memArchive(t), map[string][]byte{"data": []byte("x")})
	if _, err := format.Open(fsys); !errors.Is(err, format.ErrForeignFile) {
		t.Errorf("got %v, want ErrForeignFile", err)
	}
}

func TestTopicsThatDifferByCaseNeedAFileSystemThatTellsThemApart(t *testing.T) {
	upper := full(format.TopicPartition{Topic: "Orders"}, 0, 3)
	both := format.Identity{Topics: []origin.Topic{{Name: "orders"}, {Name: "Orders"}}}
	folding := func() *memfs.FS { return memfs.New(memfs.Options{FoldCase: true}) }

	fsys := folding()
	if _, err := format.Create(fsys, both); !errors.Is(err, format.ErrTopicCase) {
		t.Errorf("create: got %v, want ErrTopicCase", err)
	}
	if _, err := format.Open(fsys); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("create: got %v, want no archive", err)
	}
	archiveOf(t, fsys, full(orders0, 0, 3))
	a := mustOpenForWriting(t, fsys)
	if err := upper.seal(a); !errors.Is(err, format.ErrTopicCase) {
		t.Errorf("seal: got %v, want ErrTopicCase", err)
	}
	if err := a.SetIdentity(both); !errors.Is(err, format.ErrTopicCase) {
		t.Errorf("set identity: got %v, want ErrTopicCase", err)
	}
	archiveOf(t, memfs.New(memfs.Options{}), full(orders0, 0, 3), upper)
}

func TestPartitionsAreWrittenAtTheSameTime(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, identity)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for p := range int32(20) {
		wg.Go(func() {
			tp := format.TopicPartition{Topic: "orders", Partition: p}
			for base := int64(0); base < 50; base += 10 {
				if err := full(tp, base, base+10).seal(a); err != nil {
					t.Error(err)
				}
			}
			if _, err := readAll(scan.NewCursor(a, tp, format.Selection{})); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	fsys = fsys.CrashBare() // all of it was durable, also the directories that several partitions share
	a = mustOpen(t, fsys)
	for p := range int32(20) {
		if got := offsetsOf(t, a, format.TopicPartition{Topic: "orders", Partition: p}, format.Selection{}); len(got) != 50 {
			t.Errorf("partition %d: got %d records, want 50", p, len(got))
		}
	}
	if got := findings(t, fsys, format.VerifyOptions{}); len(got) > 0 {
		t.Errorf("got findings %q", got)
	}
}

func openToRead(fsys storage.Writable) (*format.Archive, error) { return format.Open(fsys) }

func TestAnArchiveIsOpenedOrMadeInAPlaceOfEitherKind(t *testing.T) {
	for what, place := range map[string]storage.FS{"a file system": memfs.New(memfs.Options{Absent: true}), "shared": dirFS(t, filepath.Join(t.TempDir(), "run"))} {
		t.Run(what, func(t *testing.T) {
			var ids []string
			for range 2 {
				var in storage.Writable = place
				if what == "shared" {
					d, err := storage.ShareDir(place)
					must(t, err)
					in = d
				}
				a, err := format.OpenOrCreate(in, identity)
				must(t, err)
				if a.Shared() != (what == "shared") {
					t.Errorf("shared: %t", a.Shared())
				}
				must(t, a.SetIdentity(a.Identity()))
				ids = append(ids, a.Identity().ArchiveID)
				must(t, a.Close())
			}
			if ids[0] != ids[1] {
				t.Errorf("opened %s, made %s", ids[1], ids[0])
			}
		})
	}
}

// removable can be written to no more than that.
type removable struct{ storage.ReadFS }

func (removable) Remove(string) error { return nil }

func TestAPlaceOfNoKnownKindIsRefused(t *testing.T) {
	place := removable{memfs.New(memfs.Options{})}
	_, made := format.Create(place, identity)
	_, opened := format.OpenForWriting(place)
	_, either := format.OpenOrCreate(place, identity)
	for what, err := range map[string]error{"Create": made, "OpenForWriting": opened, "OpenOrCreate": either} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: got %v, want ErrUnsupported", what, err)
		}
	}
}
