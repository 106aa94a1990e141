// Package crashruns runs crash tests over package memfs as often as the environment asks for: KARCHIVE_CRASH_RUNS sets how many seeds are
// tried, KARCHIVE_CRASH_SEED tries only that one, as the message of a failed run says.
package crashruns

import (
	"os"
	"strconv"
	"testing"

	"github.com/karchive/karchive/test/memfs"
)

// mostFailures is how many failed seeds are reported: their operations are long.
const mostFailures = 3

// Exhaustive says whether the environment asks for more runs than a plain go test makes.
func Exhaustive() bool { return os.Getenv("KARCHIVE_CRASH_RUNS") != "" }

// Seeds is how many seeds a test tries that does not run over package memfs: usual, short with -short, or 1,000 where the environment asks for more
// runs than a plain go test makes.
func Seeds(usual, short uint64) uint64 {
	switch {
	case Exhaustive():
		return 1000
	case testing.Short():
		return short
	}
	return usual
}

// Apart is how many operations lie between those that a test tries: n, or with -short a few times as many, of which every second one is odd.
func Apart(n int) int {
	if testing.Short() && !Exhaustive() {
		return 7 * n
	}
	return n
}

// Each calls run with the seeds below n (a tenth with -short), or with those that the environment asks for. A seed fails when run returns an error; the file
// system that it returns with that tells the operations. Share is the part of KARCHIVE_CRASH_RUNS that falls to this test.
func Each(t *testing.T, n uint64, share float64, run func(seed uint64) (*memfs.FS, error)) {
	t.Helper()
	first, last := uint64(0), n
	if testing.Short() {
		last = max(n/10, 1)
	}
	if s := os.Getenv("KARCHIVE_CRASH_SEED"); s != "" {
		first = Number(t, s)
		last = first + 1
	} else if s := os.Getenv("KARCHIVE_CRASH_RUNS"); s != "" {
		last = uint64(float64(Number(t, s)) * share)
	}
	failed := 0
	for seed := first; seed < last && failed < mostFailures; seed++ {
		if fsys, err := run(seed); err != nil {
			failed++
			t.Errorf("KARCHIVE_CRASH_SEED=%d: %v\n%s", seed, err, fsys.Trace())
		}
	}
	t.Logf("crash runs: %d seeds, %d failed", last-first, failed)
}

// Number reads a number that a variable of the environment holds.
func Number(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
