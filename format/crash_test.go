package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/memfs"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// The runs here write a small archive, end it at some operation, and go on as a capture does: from what the archive itself says. In
// the end it holds what an undisturbed run writes. Package crashruns says how to have more runs, or one of them again.

// crashRuns is how many seeds are tried unless the environment says otherwise.
const crashRuns = 300

// lane is one partition of what is written.
type lane struct {
	tp       format.TopicPartition
	segments []laneSegment
}

// laneSegment covers [base, next).
type laneSegment struct {
	base, next int64
	records    []format.Record
	cutAfter   int // records in the first row group; 0: all
}

var crashSource = origin.Source{ClusterID: "cluster", Isolation: origin.ReadCommitted}

// crashLanes are three partitions with segments of one row group, of two, and of none.
var crashLanes = sync.OnceValue(func() []lane {
	r := rand.New(rand.NewPCG(1, 2))
	var lanes []lane
	for i, tp := range []format.TopicPartition{{Topic: "orders", Partition: 0}, {Topic: "orders", Partition: 1}, {Topic: "_payments", Partition: 0}} {
		l := lane{tp: tp}
		base := int64(100 * i)
		for s := range 3 {
			seg := laneSegment{base: base, next: base + 20, cutAfter: 3 * (s % 2)}
			if s+i != 2 {
				seg.records = crashRecords(r, base)
			}
			l.segments = append(l.segments, seg)
			base = seg.next
		}
		lanes = append(lanes, l)
	}
	return lanes
})

// crashRecords are 5 records that do not compress, so that files span several sectors.
func crashRecords(r *rand.Rand, base int64) []format.Record {
	var records []format.Record
	for i := range 5 {
		value := make([]byte, 100+r.IntN(400))
		for j := range value {
			value[j] = byte(r.Uint32())
		}
		records = append(records, format.Record{
			Offset: base + int64(3*i), TimestampMs: 1_700_000_000_000 + base, LeaderEpoch: int32(i),
			Key: []byte(strconv.Itoa(i)), Value: value, Headers: []format.Header{{Key: "h"}},
		})
	}
	return records
}

// write writes the segment's records to p and seals it.
func (s laneSegment) write(p *format.Pending) error {
	for i := range s.records {
		if s.cutAfter > 0 && i == s.cutAfter {
			if err := p.Cut(); err != nil {
				return err
			}
		}
		if err := p.Write(&s.records[i]); err != nil {
			return err
		}
	}
	if err := p.Skip(s.next-1, 7, ledger.Control); err != nil {
		return err
	}
	_, _, err := p.Seal(s.next)
	return err
}

// progress is what a caller was told before the machine stopped, which the archive must keep.
type progress struct {
	encoding format.Encoding // of the archive
	created  bool
	planned  bool
	mu       sync.Mutex
	sealed   map[string]bool // paths
}

func newProgress(e format.Encoding) *progress {
	return &progress{encoding: e, sealed: map[string]bool{}}
}

// capture brings the archive on fsys to its end, from wherever it is.
func capture(fsys storage.FS, by order, done *progress) error {
	a, err := format.OpenForWriting(fsys)
	if errors.Is(err, format.ErrNotArchive) {
		a, err = format.Create(fsys, format.Identity{ClusterID: crashSource.ClusterID, Encoding: done.encoding})
	}
	if err != nil {
		return err
	}
	done.created = true
	return errors.Join(captureAll(a, by, done), a.Close())
}

func captureAll(a *format.Archive, by order, done *progress) error {
	if err := plan(a, done); err != nil {
		return err
	}
	return by(func(l lane, s laneSegment) error { return l.capture(a, s, done) })
}

// order calls write for the segments of all lanes, those of one lane in their order.
type order func(write func(lane, laneSegment) error) error

func laneByLane(write func(lane, laneSegment) error) error {
	for _, l := range crashLanes() {
		for _, s := range l.segments {
			if err := write(l, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func byTurns(write func(lane, laneSegment) error) error {
	for i := range 3 {
		for _, l := range crashLanes() {
			if err := write(l, l.segments[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func allAtOnce(write func(lane, laneSegment) error) error {
	var g errgroup.Group
	for _, l := range crashLanes() {
		g.Go(func() error {
			for _, s := range l.segments {
				if err := write(l, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func anyOrder(r *rand.Rand) order { return []order{laneByLane, byTurns}[r.IntN(2)] }

// plan makes the plan durable unless a run before this one has.
func plan(a *format.Archive, done *progress) error {
	id := a.Identity()
	if id.Capture == nil {
		if done.planned {
			return errors.New("the plan is lost")
		}
		id.Capture = &origin.Plan{Mode: "snapshot", From: "beginning"}
		if err := a.SetIdentity(id); err != nil {
			return err
		}
	}
	done.planned = true
	return nil
}

// capture writes a segment unless the archive goes on behind it.
func (l lane) capture(a *format.Archive, s laneSegment, done *progress) error {
	at, ok, err := a.Resume(l.tp)
	if err != nil || ok && at.Next >= s.next {
		return err
	}
	p, err := a.NewSegment(format.WriterOptions{Topic: l.tp.Topic, Partition: l.tp.Partition, Base: s.base, Source: crashSource})
	if err != nil {
		return err
	}
	if err := s.write(p); err != nil {
		p.Discard()
		return err
	}
	done.mu.Lock()
	defer done.mu.Unlock()
	done.sealed[l.path(s, done.encoding)] = true
	return nil
}

func (l lane) path(s laneSegment, e format.Encoding) string {
	return fmt.Sprintf("data/topic=%s/partition=%d/%020d.%s", l.tp.Topic, l.tp.Partition, s.base, e)
}

// undisturbed is what a run writes to which nothing happens, and how many operations it takes.
func undisturbed(e format.Encoding) (files map[string][]byte, ops int) { return undisturbedRuns[e]() }

var undisturbedRuns = map[format.Encoding]func() (map[string][]byte, int){}

func init() {
	for _, e := range format.Encodings() {
		undisturbedRuns[e] = sync.OnceValues(func() (map[string][]byte, int) { return runUndisturbed(e) })
	}
}

func runUndisturbed(e format.Encoding) (map[string][]byte, int) {
	fsys := memfs.New(memfs.Options{})
	if err := capture(fsys, laneByLane, newProgress(e)); err != nil {
		panic(err)
	}
	return archived(fsys), fsys.Ops()
}

// archived is what lies in data/, and SHA256SUMS with its lines sorted: their order is that of the seals.
func archived(fsys *memfs.FS) map[string][]byte {
	files := fsys.Files()
	lines := strings.SplitAfter(string(files["SHA256SUMS"]), "\n")
	slices.Sort(lines)
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return !strings.HasPrefix(name, "data/") })
	files["SHA256SUMS"] = []byte(strings.Join(lines, ""))
	return files
}

// checkSurvivors checks what may be said of an archive at any moment: what is in data/ is whole and right, and what a caller was told
// is there is there, and can be read.
func checkSurvivors(fsys *memfs.FS, done *progress) error {
	want, _ := undisturbed(done.encoding)
	files := fsys.Files()
	for name, got := range files {
		if strings.HasPrefix(name, "data/") && !bytes.Equal(got, want[name]) {
			return fmt.Errorf("%s holds %d bytes that are not those of an undisturbed run", name, len(got))
		}
	}
	for name := range done.sealed {
		if files[name] == nil {
			return fmt.Errorf("%s was sealed and is lost", name)
		}
		if !bytes.Contains(files["SHA256SUMS"], []byte("  "+name+"\n")) {
			return fmt.Errorf("%s was sealed and its line is lost", name)
		}
	}
	if !done.created {
		return nil
	}
	a, err := format.Open(memfs.FromFiles(memfs.Options{ReadOnly: true}, files))
	if err != nil {
		return fmt.Errorf("what a crash left cannot be read: %w", err)
	}
	return a.Close()
}

// checkComplete checks that the archive is what an undisturbed run makes, byte by byte, and if deep also what Verify says to that.
func checkComplete(fsys *memfs.FS, e format.Encoding, deep bool) error {
	want, _ := undisturbed(e)
	got := archived(fsys)
	for name := range want {
		if !bytes.Equal(got[name], want[name]) {
			return fmt.Errorf("%s: got %d bytes, want the %d of an undisturbed run", name, len(got[name]), len(want[name]))
		}
	}
	files := memfs.FromFiles(memfs.Options{ReadOnly: true}, fsys.Files())
	if !deep {
		_, err := format.Open(files)
		return err
	}
	return format.Verify(files, format.VerifyOptions{Deep: true, Jobs: 1}, func(c format.FileCheck) error { return c.Err() })
}

// checkTidy checks that nothing lies about that is not the archive's.
func checkTidy(fsys *memfs.FS, e format.Encoding) error {
	want, _ := undisturbed(e)
	for name := range fsys.Files() {
		if want[name] == nil && !slices.Contains([]string{"karchive.json", "SHA256SUMS", ".karchive-lock"}, name) {
			return fmt.Errorf("%s lies about", name)
		}
	}
	return nil
}

// finish goes on to the end, checks the archive, and checks that what it says survives the next crash too.
func finish(fsys *memfs.FS, by order, deep bool, done *progress) error {
	if err := checkSurvivors(fsys, done); err != nil {
		return err
	}
	if err := capture(fsys, by, done); err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	if err := errors.Join(checkComplete(fsys, done.encoding, deep), checkTidy(fsys, done.encoding)); err != nil {
		return err
	}
	if err := checkComplete(fsys.CrashBare(), done.encoding, false); err != nil {
		return fmt.Errorf("after a crash of the finished archive: %w", err)
	}
	return nil
}

// anyOptions is a kind of file system.
func anyOptions(r *rand.Rand) memfs.Options {
	return memfs.Options{NoLinks: r.IntN(4) == 0, FoldCase: r.IntN(4) == 0, Absent: r.IntN(4) == 0}
}

// restart ends a machine, or only its process.
func restart(fsys *memfs.FS, r *rand.Rand) *memfs.FS {
	if r.IntN(4) == 0 {
		return fsys.Kill()
	}
	return fsys.Crash(r.Uint64())
}

func TestACaptureGoesOnAfterCrashesAsIfThereHadBeenNone(t *testing.T) {
	t.Parallel()
	crashruns.Each(t, crashRuns, 1, func(seed uint64) (*memfs.FS, error) { return crashing(seed, anyOrder) })
}

// The numbers of operations depend on the scheduler here, so a seed alone does not bring a failure back.
func TestLanesThatAreSealedAtOnceGoOnAfterCrashes(t *testing.T) {
	t.Parallel()
	atOnce := func(*rand.Rand) order { return allAtOnce }
	crashruns.Each(t, crashRuns/10, 0.1, func(seed uint64) (*memfs.FS, error) { return crashing(seed, atOnce) })
}

// crashing captures to the end with a few crashes on the way.
func crashing(seed uint64, by func(*rand.Rand) order) (*memfs.FS, error) {
	r := rand.New(rand.NewPCG(seed, 3))
	e := format.Encodings()[r.IntN(len(format.Encodings()))]
	_, ops := undisturbed(e)
	fsys := memfs.New(anyOptions(r))
	done := newProgress(e)
	at := int(seed % uint64(ops)) // so that every operation has its turn
	for range 1 + r.IntN(3) {
		fsys.CrashAt(at)
		err := capture(fsys, by(r), done)
		if err == nil {
			break
		}
		if !errors.Is(err, memfs.ErrCrashed) {
			return fsys, err
		}
		fsys = restart(fsys, r)
		if err := checkSurvivors(fsys, done); err != nil {
			return fsys, err
		}
		at = r.IntN(ops)
	}
	fsys = fsys.Kill()
	return fsys, finish(fsys, by(r), r.IntN(8) == 0, done)
}

// failures are the ways in which one operation goes wrong.
var failures = []struct {
	name  string
	fault memfs.Fault
}{
	{"EIO", memfs.Fault{Err: syscall.EIO}},
	{"ENOSPC in the middle", memfs.Fault{Err: syscall.ENOSPC, Keep: 100}},
	{"EIO of what was done", memfs.Fault{Err: syscall.EIO, Done: true}},
}

func TestEveryOperationFailsOnce(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		for i, f := range failures {
			if i > 0 && !crashruns.Exhaustive() {
				break
			}
			t.Run(f.name, func(t *testing.T) {
				for n := 0; ; n += crashruns.Apart(1) {
					fsys := memfs.New(memfs.Options{NoLinks: n%2 == 1})
					fsys.Inject(func(o memfs.Op) *memfs.Fault {
						if o.N != n {
							return nil
						}
						return &f.fault
					})
					done := newProgress(e)
					err := capture(fsys, laneByLane, done)
					if fsys.Ops() <= n {
						break
					}
					if err := survives(fsys, n, err, f.fault.Err, done); err != nil {
						t.Fatalf("operation %d: %v\n%s", n, err, fsys.Trace())
					}
				}
			})
		}
	})
}

// survives checks what remains after a run that met a failure at n: the next process may go on, or the next machine.
func survives(fsys *memfs.FS, n int, got, injected error, done *progress) error {
	if got != nil && !errors.Is(got, injected) {
		return fmt.Errorf("got error %v, want it to tell of %v", got, injected)
	}
	crashed := fsys.CrashBare()
	if n%4 < 2 {
		crashed = fsys.Crash(uint64(n))
	}
	for _, next := range []*memfs.FS{fsys.Kill(), crashed} {
		d := &progress{encoding: done.encoding, created: done.created, planned: done.planned, sealed: maps.Clone(done.sealed)}
		if err := finish(next, laneByLane, false, d); err != nil {
			return fmt.Errorf("after error %v: %w\n%s", got, err, next.Trace())
		}
	}
	return nil
}

func TestADiskThatFillsUpLeavesWhatIsSealed(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		total := 0
		files, _ := undisturbed(e)
		for _, data := range files {
			total += len(data)
		}
		r := rand.New(rand.NewPCG(5, 6))
		for free := 0; free < total; free += 1 + r.IntN(1000) {
			fsys := memfs.New(memfs.Options{})
			fsys.SetFree(int64(free))
			done := newProgress(e)
			err := capture(fsys, laneByLane, done)
			if err == nil {
				t.Fatalf("%d bytes free: no error\n%s", free, fsys.Trace())
			}
			if err := errors.Join(survives(fsys, free, err, syscall.ENOSPC, done), checkTidy(fsys, e)); err != nil {
				t.Fatalf("%d bytes free: %v\n%s", free, err, fsys.Trace())
			}
		}
	})
}

// captureFails captures into a file system whose operations fail with want from the n-th on, and wants what was sealed to survive it.
func captureFails(t *testing.T, fsys *memfs.FS, e format.Encoding, n int, want error) {
	t.Helper()
	done := newProgress(e)
	err := capture(fsys, laneByLane, done)
	if err == nil {
		t.Fatalf("from operation %d: no error\n%s", n, fsys.Trace())
	}
	if err := survives(fsys, n, err, want, done); err != nil {
		t.Fatalf("from operation %d: %v\n%s", n, err, fsys.Trace())
	}
}

func TestADiskThatGoesAwayLeavesWhatIsSealed(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		_, ops := undisturbed(e)
		for n := 0; n < ops; n += crashruns.Apart(3) {
			fsys := memfs.New(memfs.Options{})
			fsys.FailFrom(n, syscall.EIO)
			captureFails(t, fsys, e, n, syscall.EIO)
		}
	})
}

func TestAFileSystemRemountedReadOnlyLeavesWhatIsSealed(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		_, ops := undisturbed(e)
		for n := 0; n < ops; n += crashruns.Apart(5) {
			fsys := memfs.New(memfs.Options{})
			fsys.Inject(func(o memfs.Op) *memfs.Fault {
				if o.N < n || !o.Changes() {
					return nil
				}
				return &memfs.Fault{Err: syscall.EROFS}
			})
			captureFails(t, fsys, e, n, syscall.EROFS)
		}
	})
}

// What a writer sees it builds upon, so it makes it durable first, whoever left it unsynced.
func TestWhatAKilledProcessLeftIsDurableOnceAnotherOneHasOpenedIt(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		_, ops := undisturbed(e)
		for n := 0; n < ops; n += crashruns.Apart(1) {
			fsys := memfs.New(memfs.Options{NoLinks: n%2 == 1})
			fsys.CrashAt(n)
			done := newProgress(e)
			if err := capture(fsys, laneByLane, done); !errors.Is(err, memfs.ErrCrashed) {
				t.Fatalf("operation %d: got error %v", n, err)
			}
			fsys = fsys.Kill()
			a, err := format.OpenForWriting(fsys)
			if errors.Is(err, format.ErrNotArchive) && !done.created {
				continue
			}
			if err != nil {
				t.Fatalf("operation %d: %v\n%s", n, err, fsys.Trace())
			}
			done.created, done.planned = true, a.Identity().Capture != nil
			for _, tp := range a.Partitions() {
				for _, s := range a.Segments(tp) {
					done.sealed[s.Path] = true
				}
			}
			if err := finish(fsys.CrashBare(), laneByLane, false, done); err != nil {
				t.Fatalf("operation %d: %v\n%s", n, err, fsys.Trace())
			}
		}
	})
}
