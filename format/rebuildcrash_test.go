package format_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// finished are the files of a finished archive.
func finished(t *testing.T, e format.Encoding) map[string][]byte {
	t.Helper()
	fsys := memfs.New(memfs.Options{})
	if err := capture(fsys, laneByLane, newProgress(e)); err != nil {
		t.Fatal(err)
	}
	return fsys.Files()
}

// withoutSums is an archive of these files that lost some lines of SHA256SUMS, or all of the file.
func withoutSums(files map[string][]byte, r *rand.Rand, o memfs.Options) *memfs.FS {
	files = maps.Clone(files)
	var kept []string
	for line := range strings.Lines(string(files["SHA256SUMS"])) {
		if r.IntN(2) == 0 {
			kept = append(kept, line)
		}
	}
	files["SHA256SUMS"] = []byte(strings.Join(kept, ""))
	if r.IntN(3) == 0 {
		delete(files, "SHA256SUMS")
	}
	return memfs.FromFiles(o, files)
}

func rebuild(fsys *memfs.FS) error {
	return format.RebuildSums(fsys, func(format.FileCheck) error { return nil })
}

// sumsOldOrNew checks that SHA256SUMS is what it was or what it is to be, and that nothing else changed.
func sumsOldOrNew(fsys *memfs.FS, before map[string][]byte, e format.Encoding) error {
	want, _ := undisturbed(e)
	got := archived(fsys)
	for name := range want {
		if name != "SHA256SUMS" && !bytes.Equal(got[name], want[name]) {
			return fmt.Errorf("%s changed", name)
		}
	}
	now, there := fsys.Files()["SHA256SUMS"]
	old, wasThere := before["SHA256SUMS"]
	if !bytes.Equal(got["SHA256SUMS"], want["SHA256SUMS"]) && (there != wasThere || !bytes.Equal(now, old)) {
		return fmt.Errorf("SHA256SUMS is neither the old one nor the new one:\n%s", now)
	}
	return nil
}

func TestARebuildOfTheSumsThatCrashesLeavesTheOldOnesOrTheNew(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		files := finished(t, e)
		whole := withoutSums(files, rand.New(rand.NewPCG(1, 1)), memfs.Options{})
		if err := rebuild(whole); err != nil {
			t.Fatal(err)
		}
		crashruns.Each(t, crashRuns/10, 0.1, func(seed uint64) (*memfs.FS, error) {
			r := rand.New(rand.NewPCG(seed, 21))
			fsys := withoutSums(files, r, memfs.Options{})
			before := fsys.Files()
			fsys.CrashAt(r.IntN(whole.Ops()))
			if err := rebuild(fsys); err != nil && !errors.Is(err, memfs.ErrCrashed) {
				return fsys, err
			}
			fsys = restart(fsys, r)
			if err := sumsOldOrNew(fsys, before, e); err != nil {
				return fsys, err
			}
			if err := rebuild(fsys); err != nil {
				return fsys, fmt.Errorf("again: %w", err)
			}
			return fsys, errors.Join(checkTidy(fsys, e), checkComplete(fsys.CrashBare(), e, false))
		})
	})
}

func TestEveryOperationOfARebuildFailsOnce(t *testing.T) {
	t.Parallel()
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		files := finished(t, e)
		for n := 0; ; n += crashruns.Apart(1) {
			r := rand.New(rand.NewPCG(uint64(n), 22))
			fsys := withoutSums(files, r, memfs.Options{NoLinks: n%2 == 1})
			before := fsys.Files()
			fsys.Inject(func(o memfs.Op) *memfs.Fault {
				if o.N != n {
					return nil
				}
				return &memfs.Fault{Err: syscall.EIO, Done: r.IntN(2) == 0}
			})
			got := rebuild(fsys)
			if fsys.Ops() <= n {
				return
			}
			fsys = restart(fsys, r)
			err := sumsOldOrNew(fsys, before, e)
			if got == nil {
				err = errors.Join(err, checkComplete(fsys, e, false))
			} else if !errors.Is(got, syscall.EIO) {
				err = errors.Join(err, fmt.Errorf("got %w, want it to tell of EIO", got))
			}
			if err = errors.Join(err, rebuild(fsys), checkComplete(fsys, e, false)); err != nil {
				t.Fatalf("operation %d, %v: %v\n%s", n, got, err, fsys.Trace())
			}
		}
	})
}
