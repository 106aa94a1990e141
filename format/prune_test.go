package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// prunedAt is when archives of tests are pruned.
var prunedAt = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// oldest is what is pruned of crashLanes: two segments of the first partition, one of the last, none of the second.
func oldest() map[format.TopicPartition]int64 {
	lanes := crashLanes()
	return map[format.TopicPartition]int64{lanes[0].tp: lanes[0].segments[2].base, lanes[2].tp: lanes[2].segments[1].base}
}

// unpruned is a whole archive on a new file system.
func unpruned(t *testing.T, o memfs.Options) *memfs.FS {
	t.Helper()
	fsys := memfs.New(o)
	if err := capture(fsys, laneByLane, newProgress(format.Parquet)); err != nil {
		t.Fatal(err)
	}
	return memfs.FromFiles(o, fsys.Files())
}

// pruneOldest prunes what is there of oldest.
func pruneOldest(fsys storage.FS) error {
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		return err
	}
	return errors.Join(a.Prune(oldest(), "keep 30d", prunedAt), a.Close())
}

// soundAfterPrune checks that an archive can be read and verified, and has all of it or what pruning leaves.
func soundAfterPrune(fsys *memfs.FS) error {
	files := memfs.FromFiles(memfs.Options{ReadOnly: true}, fsys.Files())
	if err := format.Verify(files, format.VerifyOptions{Deep: true, Jobs: 1}, func(c format.FileCheck) error { return c.Err() }); err != nil {
		return err
	}
	a, err := format.Open(files)
	if err != nil {
		return err
	}
	for i, l := range crashLanes() {
		c, err := a.Coverage(l.tp)
		if err != nil {
			return err
		}
		from, pruned := l.segments[0].base, oldest()[l.tp]
		if c.From != from && c.From != pruned || c.Next != l.segments[2].next {
			return fmt.Errorf("partition %d: got offsets %d..%d, want them from %d or %d to %d", i, c.From, c.Next, from, pruned, l.segments[2].next)
		}
	}
	return a.Close()
}

func TestPruningRemovesSegmentsAndSaysSo(t *testing.T) {
	fsys := unpruned(t, memfs.Options{})
	if err := pruneOldest(fsys); err != nil {
		t.Fatal(err)
	}
	a, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	id, lane := a.Identity(), crashLanes()[0]
	if id.Version != "1.4" || len(id.Pruned) != 2 || id.Pruned[1].From != lane.segments[0].base || id.Pruned[1].Until != lane.segments[2].base || id.Pruned[1].By != "keep 30d" {
		t.Errorf("got version %s and %+v pruned, want 1.4 and both partitions", id.Version, id.Pruned)
	}
	c, err := a.Completeness(format.Selection{})
	if err != nil || !c.Complete() || len(c.Lost) != 2 || c.Lost[1].Reason != ledger.Retention || c.Lost[1].Pruned == nil || c.Lost[1].Until != lane.segments[2].base {
		t.Errorf("got %+v, %v, want it complete, with two gaps of retention that say what pruned them", c, err)
	}
	for name := range fsys.Files() {
		if strings.Contains(name, "topic=orders/partition=0") && !strings.HasSuffix(name, lane.path(lane.segments[2], format.Parquet)) {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestAPruneThatAnyOperationEndsIsEndedByTheNextWriter(t *testing.T) {
	t.Parallel()
	whole := unpruned(t, memfs.Options{})
	undisturbed := memfs.FromFiles(memfs.Options{}, whole.Files())
	if err := pruneOldest(undisturbed); err != nil {
		t.Fatal(err)
	}
	ends := []func(*memfs.FS, uint64) *memfs.FS{
		func(f *memfs.FS, _ uint64) *memfs.FS { return f.Kill() }, func(f *memfs.FS, _ uint64) *memfs.FS { return f.CrashBare() },
		(*memfs.FS).Crash, func(f *memfs.FS, s uint64) *memfs.FS { return f.Crash(s + 1000) },
	}
	for i, end := range ends {
		if i > 1 && testing.Short() && !crashruns.Exhaustive() {
			break
		}
		for n := 0; ; n += crashruns.Apart(1) {
			fsys := memfs.FromFiles(memfs.Options{}, whole.Files())
			fsys.CrashAt(n)
			err := pruneOldest(fsys)
			if err == nil {
				if n < 20 {
					t.Errorf("a prune has %d operations, the test shows little", n)
				}
				break
			}
			if !errors.Is(err, memfs.ErrCrashed) {
				t.Fatalf("operation %d: got error %v, want %v", n, err, memfs.ErrCrashed)
			}
			next := end(fsys, uint64(n))
			if err := soundAfterPrune(next); err != nil {
				t.Fatalf("end %d at operation %d: %v\n%s", i, n, err, fsys.Trace())
			}
			if err := pruneOldest(next); err != nil {
				t.Fatalf("end %d at operation %d: again: %v", i, n, err)
			}
			if got := next.Files(); !maps.EqualFunc(got, undisturbed.Files(), bytes.Equal) {
				t.Fatalf("end %d at operation %d: got %d files, want the %d of an undisturbed prune, byte for byte", i, n, len(got), len(undisturbed.Files()))
			}
		}
	}
}

func TestAnyFailureOfAPruneLeavesASoundArchive(t *testing.T) {
	t.Parallel()
	whole := unpruned(t, memfs.Options{})
	for _, f := range failures {
		for n := 0; ; n += crashruns.Apart(1) {
			fsys := memfs.FromFiles(memfs.Options{}, whole.Files())
			fsys.Inject(func(o memfs.Op) *memfs.Fault {
				if o.N != n {
					return nil
				}
				return &f.fault
			})
			err := pruneOldest(fsys)
			if fsys.Ops() <= n {
				break
			}
			if err != nil && !errors.Is(err, f.fault.Err) {
				t.Fatalf("%s at %d: got error %v, want it to tell of %v", f.name, n, err, f.fault.Err)
			}
			if err := errors.Join(soundAfterPrune(fsys.CrashBare()), soundAfterPrune(fsys.Kill())); err != nil {
				t.Fatalf("%s at %d: %v\n%s", f.name, n, err, fsys.Trace())
			}
		}
	}
}

func TestAPrunedArchiveGoesOn(t *testing.T) {
	fsys := unpruned(t, memfs.Options{})
	if err := pruneOldest(fsys); err != nil {
		t.Fatal(err)
	}
	for _, l := range crashLanes() {
		a, err := format.OpenForWriting(fsys)
		if err != nil {
			t.Fatal(err)
		}
		at, ok, err := a.Resume(l.tp)
		if err != nil || !ok || at.Next != l.segments[2].next {
			t.Errorf("%s goes on at %+v, %v, %v, want %d", l.tp, at, ok, err, l.segments[2].next)
		}
		id := a.Identity()
		id.ClusterID, id.Pruned = crashSource.ClusterID, nil
		if err := errors.Join(a.SetIdentity(id), a.Close()); err != nil {
			t.Fatal(err)
		}
	}
	a, err := format.Open(fsys)
	if err != nil || len(a.Identity().Pruned) != 2 {
		t.Errorf("got %v, want an archive that still says what was pruned", err)
	}
}

func TestAReaderBesideAPruneIsToldOfIt(t *testing.T) {
	fsys := unpruned(t, memfs.Options{})
	a, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if err := pruneOldest(fsys); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Coverage(crashLanes()[0].tp); !errors.Is(err, format.ErrPruned) {
		t.Errorf("got error %v, want %v", err, format.ErrPruned)
	}
	c := scan.NewCursor(a, crashLanes()[0].tp, format.Selection{})
	defer c.Close()
	if _, err := c.Next(); !errors.Is(err, format.ErrPruned) {
		t.Errorf("got error %v of a cursor, want %v", err, format.ErrPruned)
	}
}

// openedInBetween is a file system on which an archive is pruned once SHA256SUMS was read.
type openedInBetween struct {
	storage.FS
	prune func()
}

func (o *openedInBetween) Open(name string) (storage.ReadFile, error) {
	f, err := o.FS.Open(name)
	if name == "SHA256SUMS" && o.prune != nil {
		prune := o.prune
		o.prune = nil
		prune()
	}
	return f, err
}

func TestAnArchiveThatIsPrunedWhileItIsOpenedIsOpened(t *testing.T) {
	fsys := unpruned(t, memfs.Options{})
	a, err := format.Open(&openedInBetween{fsys, func() {
		if err := pruneOldest(fsys); err != nil {
			t.Fatal(err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(a.Segments(crashLanes()[0].tp)); n != 1 {
		t.Errorf("got %d segments, want the one that is left", n)
	}
}

func TestPruningRefusesWhatIsNoBeginning(t *testing.T) {
	fsys := unpruned(t, memfs.Options{})
	before := fsys.Files()
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		t.Fatal(err)
	}
	l := crashLanes()[0]
	for _, until := range []int64{l.segments[0].base, l.segments[0].base + 1, l.segments[2].next, -1} {
		if err := a.Prune(map[format.TopicPartition]int64{l.tp: until}, "x", prunedAt); err == nil {
			t.Errorf("offset %d is taken for the base of a segment behind the first", until)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if got := fsys.Files(); len(got) != len(before) {
		t.Errorf("got %d files, want the %d from before", len(got), len(before))
	}
}

// A damaged archive that was pruned has not lost what was pruned.
func TestNothingThatWasPrunedIsTakenForDamage(t *testing.T) {
	fsys := unpruned(t, memfs.Options{})
	if err := pruneOldest(fsys); err != nil {
		t.Fatal(err)
	}
	files, l := fsys.Files(), crashLanes()[2]
	delete(files, l.path(l.segments[1], format.Parquet))
	a, err := format.OpenIntact(memfs.FromFiles(memfs.Options{ReadOnly: true}, files), func(format.FileCheck) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Coverage(l.tp)
	if err != nil || c.From != l.segments[1].base || c.Ledger.Corrupt != l.segments[2].base-l.segments[1].base {
		t.Errorf("got %+v, %v, want it to begin at %d, with one segment lost", c, err, l.segments[1].base)
	}
}
