package storage_test

import (
	"io"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format/storage"
)

// A lock file that another one took for a leftover, after it was opened and before it was locked, keeps nothing: the temporary directory may go.
func TestSharersWhoBeginTogetherKeepTheirLocks(t *testing.T) {
	dir := t.TempDir()
	const sharers, rounds = 8, 40
	for range rounds {
		shares := make([]io.Closer, sharers)
		var begin errgroup.Group
		for i := range shares {
			begin.Go(func() (err error) {
				d, err := storage.ShareDir(directory(t, dir))
				if err == nil {
					shares[i] = d.(io.Closer)
				}
				return err
			})
		}
		if err := begin.Wait(); err != nil {
			t.Fatal(err)
		}
		locks, err := filepath.Glob(filepath.Join(dir, ".karchive-tmp", "shared-*.lock"))
		if err != nil || len(locks) != sharers {
			t.Fatalf("got %d lock files of %d sharers, %v", len(locks), sharers, err)
		}
		for _, s := range shares {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
