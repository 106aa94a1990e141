package format

import "testing"

func TestAnOlderPartDoesNotLowerAVersion(t *testing.T) {
	for _, c := range []struct {
		has, needed string
		there       bool
		want        string
	}{
		{"1.0", "1.3", true, "1.3"},
		{"1.0", "1.3", false, "1.0"},
		{"1.5", "1.3", true, "1.5"},
		{"1.9", "1.10", true, "1.10"},
	} {
		id := Identity{Version: c.has}
		if id.needs(c.needed, c.there); id.Version != c.want {
			t.Errorf("%s with a part of %s, there %v: got %s, want %s", c.has, c.needed, c.there, id.Version, c.want)
		}
	}
}
