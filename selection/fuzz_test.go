package selection

import (
	"testing"

	"github.com/karchive/karchive/test/seeds"
)

// FuzzParsePosition reads text as a position. What is taken is spelled as it was, and its point is spelled so that it is read back as the same.
func FuzzParsePosition(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePosition(s)
		if err != nil {
			return
		}
		made := p
		made.spelled = ""
		again, err := ParsePosition(made.String())
		if err != nil || !same(again, p) || p.String() != s {
			t.Errorf("%q is %+v, spelled %s, which is %+v, %v", s, p, made, again, err)
		}
		if n, ok := p.Offset(); ok && n < 0 {
			t.Errorf("%q is offset %d", s, n)
		}
	})
}
