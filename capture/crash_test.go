package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// The runs here capture a small log from a broker, end the machine, the process or the disk at some operation, and capture again until
// nothing is left to do. A snapshot then holds the same bytes as one that nothing happened to, a follow capture the same records.

const (
	crashRuns       = 60   // seeds in a plain go test
	crashRunsShare  = 0.25 // of KARCHIVE_CRASH_RUNS: each takes some captures from a broker
	crashOperations = 100  // that a capture must have at least, or the tests show little
)

// crashLog is a broker with the log that is captured.
type crashLog struct {
	*broker
	encoding format.Encoding
	whole    *place // an undisturbed snapshot
	records  int64  // in it
	ops      int    // that it took
}

// newCrashLog has transactions, an aborted tail and a start that retention moved.
func newCrashLog(t *testing.T, e format.Encoding, start func(*testing.T, ...kfake.Opt) *broker) *crashLog {
	t.Helper()
	l := &crashLog{broker: start(t, kfake.SeedTopics(2, "orders"), kfake.SeedTopics(1, "_payments")), encoding: e}
	l.fill("orders", 0, 50)
	l.fill("orders", 1, 20)
	l.transact("commits", "orders", 1, 15, kgo.TryCommit)
	l.transact("aborts", "orders", 1, 10, kgo.TryAbort)
	l.fill("orders", 1, 10)
	l.deleteTo("orders", 5)
	l.fill("_payments", 0, 20)
	l.transact("aborts at last", "_payments", 0, 10, kgo.TryAbort)
	l.whole = newPlace(t)
	report, err := l.run(t.Context(), l.whole.fs, l.settings())
	if err != nil {
		t.Fatal(err)
	}
	l.whole.verify()
	l.records, l.ops = report.Records, l.whole.fs.Ops()
	if l.ops < crashOperations {
		t.Fatalf("a capture has only %d operations to crash at", l.ops)
	}
	return l
}

// settings make several segments a partition. With one lane the numbers of the operations are always the same. Fetches are large: to a
// response that is full the embedded broker does not add which transactions were aborted.
func (l *crashLog) settings() Options {
	return l.options(Options{Topics: []string{"orders", "_payments"}, RotateRecords: 15, Lanes: 1})
}

// run captures into whatever is on fsys, as the command does.
func (l *crashLog) run(ctx context.Context, fsys *memfs.FS, o Options) (Report, error) {
	a, err := format.OpenForWriting(fsys)
	if errors.Is(err, format.ErrNotArchive) {
		a, err = format.Create(fsys, format.Identity{Encoding: l.encoding})
	}
	if err != nil {
		return Report{}, err
	}
	r, err := Run(ctx, l.dial, a, o)
	return r, errors.Join(err, a.Close())
}

// crashed is an archive under way, and what its captures were told.
type crashed struct {
	*crashLog
	fs       *memfs.FS
	sealed   map[format.TopicPartition]int64 // the next offsets that reports told
	followed bool                            // some capture was a follow capture: time and memory cut its segments
}

func (l *crashLog) on(fsys *memfs.FS) *crashed {
	return &crashed{crashLog: l, fs: fsys, sealed: map[format.TopicPartition]int64{}}
}

// snapshot captures to the end, or as far as it comes.
func (c *crashed) snapshot(ctx context.Context, lanes int) error {
	o := c.settings()
	o.Lanes = lanes
	return c.capture(ctx, o)
}

// follow captures the records that are left, or some of them.
func (c *crashed) follow(ctx context.Context, r *rand.Rand) error {
	left := c.records
	if a, err := format.Open(c.fs); err == nil {
		for _, tp := range a.Partitions() {
			coverage, err := a.Coverage(tp)
			if err != nil {
				return err
			}
			left -= coverage.Records
		}
	} else if errors.Is(err, memfs.ErrCrashed) {
		return err
	}
	if left == 0 {
		return nil
	}
	c.followed = true
	o := c.settings()
	o.Follow, o.StopAfter.Records = true, 1+r.Int64N(left)
	return c.capture(ctx, o)
}

func (c *crashed) capture(ctx context.Context, o Options) error {
	report, err := c.run(ctx, c.fs, o)
	for _, topic := range report.Topics {
		for _, p := range topic.Partitions {
			tp := format.TopicPartition{Topic: topic.Topic, Partition: p.Partition}
			c.sealed[tp] = max(c.sealed[tp], p.Next*min(int64(p.Segments), 1))
		}
	}
	return err
}

// check checks what may be said of the archive at any moment: what reports told is there, each segment of snapshots is the one that an
// undisturbed run makes, and the whole of it can be read.
func (c *crashed) check() error {
	files := c.fs.Files()
	want := c.whole.fs.Files()
	for name, got := range files {
		if isData(name) && !c.followed && !bytes.Equal(got, want[name]) {
			return fmt.Errorf("%s holds %d bytes that are not those of an undisturbed run", name, len(got))
		}
	}
	if len(c.sealed) == 0 {
		return nil
	}
	a, err := format.Open(memfs.FromFiles(memfs.Options{ReadOnly: true}, files))
	if err != nil {
		return fmt.Errorf("what is left cannot be read: %w", err)
	}
	defer a.Close()
	for tp, next := range c.sealed {
		if coverage, err := a.Coverage(tp); next > 0 && (err != nil || coverage.Next < next) {
			return fmt.Errorf("%s was sealed up to %d and goes up to %d: %v", tp, next, coverage.Next, err)
		}
	}
	return nil
}

// finish captures to the end and compares.
func (c *crashed) finish(ctx context.Context, lanes int) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := c.snapshot(ctx, lanes); err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	return errors.Join(c.check(), c.complete(), c.tidy())
}

// complete compares with the undisturbed run: files of snapshots, records otherwise.
func (c *crashed) complete() error {
	if !c.followed {
		got, want := dataOf(c.fs), dataOf(c.whole.fs)
		if !maps.Equal(got, want) {
			return fmt.Errorf("files differ: %v", unequal(got, want))
		}
		return nil
	}
	got, err := contents(c.fs)
	if err != nil {
		return err
	}
	want, err := contents(c.whole.fs)
	if err == nil && !maps.Equal(got, want) {
		err = fmt.Errorf("records or coverage differ: %v", unequal(got, want))
	}
	return errors.Join(err, format.Verify(c.fs, format.VerifyOptions{Deep: true, Jobs: 1}, func(f format.FileCheck) error { return f.Err() }))
}

// tidy checks that nothing lies about that is not the archive's.
func (c *crashed) tidy() error {
	for name := range c.fs.Files() {
		if !isData(name) && name != "karchive.json" && name != "SHA256SUMS" && name != ".karchive-lock" {
			return fmt.Errorf("%s lies about", name)
		}
	}
	return nil
}

// contents are the records of each partition in canonical bytes, and its coverage.
func contents(fsys *memfs.FS) (map[string]string, error) {
	a, err := format.Open(fsys)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	all := map[string]string{}
	for _, tp := range a.Partitions() {
		coverage, err := a.Coverage(tp)
		if err != nil {
			return nil, err
		}
		text := fmt.Appendf(nil, "%d to %d, %d records, %+v\n", coverage.From, coverage.Next, coverage.Records, coverage.Ledger)
		if text, err = appendRecords(text, a, tp); err != nil {
			return nil, err
		}
		all[tp.String()] = string(text)
	}
	return all, nil
}

func appendRecords(b []byte, a *format.Archive, tp format.TopicPartition) ([]byte, error) {
	for r, err := range a.Records(context.Background(), format.Selection{Topics: []string{tp.Topic}, Partitions: []int32{tp.Partition}}) {
		if err != nil {
			return nil, err
		}
		b = format.AppendCanonical(b, &r.Record)
	}
	return b, nil
}

// anyDisk is a kind of file system.
func anyDisk(r *rand.Rand) memfs.Options {
	return memfs.Options{NoLinks: r.IntN(4) == 0, FoldCase: r.IntN(4) == 0, Absent: r.IntN(4) == 0}
}

// eachCrashLog runs test with a log for each encoding.
func eachCrashLog(t *testing.T, test func(*testing.T, *crashLog)) {
	t.Helper()
	for _, e := range format.Encodings() {
		t.Run(string(e), func(t *testing.T) { test(t, newCrashLog(t, e, newBroker)) })
	}
}

func TestSnapshotsThatCrashEndWithTheSameBytes(t *testing.T) {
	eachCrashLog(t, func(t *testing.T, l *crashLog) {
		crashruns.Each(t, crashRuns, crashRunsShare/2, func(seed uint64) (*memfs.FS, error) {
			r := rand.New(rand.NewPCG(seed, 11))
			lanes := 1 + 2*r.IntN(2)
			return l.crashing(t, seed, r, lanes, func(c *crashed) error { return c.snapshot(t.Context(), lanes) })
		})
	})
}

// Some of the captures are snapshots: both continue each other.
func TestFollowCapturesThatCrashEndWithTheSameRecords(t *testing.T) {
	for _, e := range format.Encodings() {
		t.Run(string(e), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { followAndCrash(t, newCrashLog(t, e, newVirtualBroker)) })
		})
	}
}

func followAndCrash(t *testing.T, l *crashLog) {
	crashruns.Each(t, crashRuns/2, crashRunsShare/2, func(seed uint64) (*memfs.FS, error) {
		r := rand.New(rand.NewPCG(seed, 12))
		return l.crashing(t, seed, r, 1, func(c *crashed) error {
			if r.IntN(4) == 0 {
				return c.snapshot(t.Context(), 1)
			}
			return c.follow(t.Context(), r)
		})
	})
}

// crashing has a few captures crash, one after the other, and then one come to the end.
func (l *crashLog) crashing(t *testing.T, seed uint64, r *rand.Rand, lanes int, capture func(*crashed) error) (*memfs.FS, error) {
	c := l.on(memfs.New(anyDisk(r)))
	at := int(seed) % l.ops // so that every operation has its turn
	for range 1 + r.IntN(4) {
		c.fs.CrashAt(at)
		if err := capture(c); err != nil && !errors.Is(err, memfs.ErrCrashed) {
			return c.fs, err
		}
		if r.IntN(4) == 0 {
			c.fs = c.fs.Kill()
		} else {
			c.fs = c.fs.Crash(r.Uint64())
		}
		if err := c.check(); err != nil {
			return c.fs, err
		}
		at = r.IntN(l.ops)
	}
	if err := c.finish(t.Context(), lanes); err != nil {
		return c.fs, err
	}
	c.fs = c.fs.CrashBare()
	return c.fs, errors.Join(c.check(), c.complete())
}

func TestEveryOperationOfACaptureFailsOnce(t *testing.T) {
	faults := []memfs.Fault{{Err: syscall.EIO}, {Err: syscall.ENOSPC, Keep: 100}, {Err: syscall.EIO, Done: true}, {Err: syscall.EDQUOT}}
	eachCrashLog(t, func(t *testing.T, l *crashLog) {
		for n := 0; ; n += crashruns.Apart(1) {
			chosen := faults[n%len(faults):][:1]
			if crashruns.Exhaustive() {
				chosen = faults
			}
			reached := false
			for _, fault := range chosen {
				hit, err := l.failing(t, n, fault)
				if err != nil {
					t.Fatalf("operation %d, %v: %v", n, fault, err)
				}
				reached = reached || hit
			}
			if !reached {
				t.Logf("%d operations failed once each, in %d ways", n, len(chosen))
				return
			}
		}
	})
}

// failing has operation n of a snapshot go wrong and says whether there was one. The capture says so or is not hurt, and after it the
// next process goes on, or the next machine.
func (l *crashLog) failing(t *testing.T, n int, fault memfs.Fault) (bool, error) {
	c := l.on(memfs.New(memfs.Options{NoLinks: n%2 == 1}))
	c.fs.Inject(func(o memfs.Op) *memfs.Fault {
		if o.N != n {
			return nil
		}
		return &fault
	})
	got := c.snapshot(t.Context(), 1)
	if c.fs.Ops() <= n {
		return false, nil
	}
	if got != nil && !errors.Is(got, fault.Err) {
		return true, fmt.Errorf("got error %v, want it to tell of %v\n%s", got, fault.Err, c.fs.Trace())
	}
	if got == nil {
		if err := c.complete(); err != nil {
			return true, fmt.Errorf("the capture did not tell: %w\n%s", err, c.fs.Trace())
		}
	}
	next := c.fs.Kill
	if n%2 == 0 {
		next = func() *memfs.FS { return c.fs.Crash(uint64(n)) }
	}
	c.fs = next()
	if err := c.finish(t.Context(), 1); err != nil {
		return true, fmt.Errorf("after %v: %w\n%s", got, err, c.fs.Trace())
	}
	return true, nil
}
