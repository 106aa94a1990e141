package diff

import (
	"strings"
	"testing"
)

func TestExcerptsShowWhereTextsDiffer(t *testing.T) {
	long := strings.Repeat("本", 1000)
	for _, c := range []struct{ a, b, wantA, wantB string }{
		{"short", "text", "short", "text"},
		{"", long, "", strings.Repeat("本", 20) + "… (1,000 characters)"},
		{long + "x", long + "y", "…本本本本本x (1,001 characters)", "…本本本本本y (1,001 characters)"},
		{long + "x" + long, long, "…本本本本本x" + strings.Repeat("本", 14) + "… (2,001 characters)", "…本本本本本 (1,000 characters)"},
		{"a" + long, "b", "a" + strings.Repeat("本", 19) + "… (1,001 characters)", "b"},
		{long + "é", long + "ê", "…本本本本本é (1,001 characters)", "…本本本本本ê (1,001 characters)"},
		{strings.Repeat("x", 20), strings.Repeat("x", 19) + "y", strings.Repeat("x", 20), strings.Repeat("x", 19) + "y"},
	} {
		if a, b := Excerpts(c.a, c.b, 20); a != c.wantA || b != c.wantB {
			t.Errorf("got %q and %q, want %q and %q", a, b, c.wantA, c.wantB)
		}
	}
}
