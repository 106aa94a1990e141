// Package seeds holds fuzz targets to having seeds.
package seeds

import (
	"os"
	"testing"
)

// Need fails a fuzz target without committed seeds, which would start from nothing and find nothing.
func Need(f *testing.F) {
	f.Helper()
	if seeds, err := os.ReadDir("testdata/fuzz/" + f.Name()); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds in testdata/fuzz/%s: %v", f.Name(), err)
	}
}
