package units

import (
	"testing"
	"time"

	"github.com/karchive/karchive/test/seeds"
)

// FuzzQuantities reads text as everything that a flag may hold. A quantity that is taken is not negative.
func FuzzQuantities(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseSize(s); err == nil && n < 0 {
			t.Errorf("size %d", n)
		}
		if n, err := ParseCount(s); err == nil && n < 0 {
			t.Errorf("count %d", n)
		}
		if d, err := ParseDuration(s); err == nil && d < 0 {
			t.Errorf("duration %s", d)
		}
		checkRate(t, s)
		if n, d, err := ParseDecimal(s); err == nil && (d == 0 || d > 1_000_000 || n >= 1e15) {
			t.Errorf("decimal %d/%d", n, d)
		}
	})
}

func checkRate(t *testing.T, s string) {
	t.Helper()
	const longest = 1_000_000 * time.Hour // a decimal of six digits an hour
	if n, per, err := ParseRate(s); err == nil && (n == 0 || per <= 0 || per > longest) {
		t.Errorf("rate %d per %s", n, per)
	}
	if n, per, err := ParseByteRate(s); err == nil && (n <= 0 || per <= 0 || per > longest) {
		t.Errorf("bandwidth %d per %s", n, per)
	}
}
