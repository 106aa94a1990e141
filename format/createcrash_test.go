package format_test

import (
	"errors"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// A karchive.json that its killed maker did not make durable can be gone after a crash. What the next process made beside it must not
// outlive it: the directory would be neither an archive nor empty.
func TestAnArchiveThatAKilledProcessBeganSurvivesACrashOfTheNext(t *testing.T) {
	t.Parallel()
	for n := 0; n < 30; n += crashruns.Apart(1) {
		for seed := range uint64(20) {
			fsys := memfs.New(memfs.Options{})
			fsys.Inject(func(o memfs.Op) *memfs.Fault {
				if o.Call != memfs.Rename || o.To != "karchive.json" {
					return nil
				}
				return &memfs.Fault{Err: memfs.ErrCrashed}
			})
			done := newProgress(format.Parquet)
			if err := capture(fsys, laneByLane, done); !errors.Is(err, memfs.ErrCrashed) {
				t.Fatal(err)
			}
			fsys = fsys.Kill()
			fsys.CrashAt(n)
			if err := capture(fsys, laneByLane, done); !errors.Is(err, memfs.ErrCrashed) {
				t.Fatal(err)
			}
			fsys = fsys.Crash(seed)
			if err := finish(fsys, laneByLane, false, done); err != nil {
				t.Fatalf("operation %d, seed %d: %v\n%s", n, seed, err, fsys.Trace())
			}
		}
	}
}
