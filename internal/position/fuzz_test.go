package position

import (
	"os"
	"testing"
	"time"
)

// FuzzParse reads text as a position. What is taken is spelled so that it is read back as the same point.
func FuzzParse(f *testing.F) {
	if seeds, err := os.ReadDir("testdata/fuzz/" + f.Name()); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 1, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s, now)
		if err != nil {
			return
		}
		again, err := Parse(p.String(), now)
		if p.Relative = false; err != nil || again != p {
			t.Errorf("%q is %+v, spelled %s, which is %+v, %v", s, p, p, again, err)
		}
		if p.Kind == Offset && p.Offset < 0 {
			t.Errorf("%q is offset %d", s, p.Offset)
		}
	})
}
