package reshape

import (
	"errors"
	"strings"
	"testing"
)

func TestStrictJSONIsTakenAndNothingElse(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{`{}`, true}, {` [ ] `, true}, {`null`, true}, {`true`, true}, {`false`, true}, {`""`, true}, {`0`, true}, {`-0`, true},
		{`-1.5e+10`, true}, {`1E5`, true}, {`"é\u00e9\ud83d\ude00\ud800\n\/"`, true}, {`{"a":{"a":1},"b":[{"a":1},{"a":2}]}`, true},
		{"\"0123456\x7f89abcdef\"", true}, {deep(maxDepth), true},
		{``, false}, {` `, false}, {`{`, false}, {`[1,]`, false}, {`{"a":1,}`, false}, {`{"a"}`, false}, {`{a:1}`, false}, {`[1 2]`, false},
		{`01`, false}, {`-`, false}, {`1.`, false}, {`.5`, false}, {`1e`, false}, {`+1`, false}, {`NaN`, false}, {`tru`, false}, {`nulll`, false},
		{`"a`, false}, {`"\x"`, false}, {`"\u00g0"`, false}, {`"\u12"`, false}, {"\"a\tb\"", false}, {"\"01234567\x1f\"", false},
		{"\"\xff\"", false}, {"\"0123456789\xc3\"", false}, {`{} {}`, false}, {`{"a":1}x`, false}, {deep(maxDepth + 1), false},
		{`{"a":1,"a":2}`, false}, {`{"a":1,"\u0061":2}`, false}, {`{"x":{"b":1,"c":2,"b":3}}`, false}, {`[{"a":1},{"a":1,"a":1}]`, false},
		{"\xef\xbb\xbf{}", false},
	} {
		if err := CheckJSON([]byte(c.text)); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrNotJSON) {
			t.Errorf("%.40q: got %v, want valid %v", c.text, err, c.ok)
		}
	}
}

func TestEqualNamesAreFoundInObjectsOfAnySize(t *testing.T) {
	for _, n := range []int{2, maxNames - 1, maxNames, maxNames + 1, 3 * maxNames, maxShapes + 10} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strings.Repeat("n", i%7) + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + `":1,`)
		}
		once := "{" + strings.TrimSuffix(b.String(), ",") + "}"
		name, _, _ := strings.Cut(b.String()[max(0, strings.LastIndex(b.String()[:b.Len()-1], ",")+1):], ":")
		twice := "{" + b.String() + name + ":2}"
		w := walker{root: newRoot(nil, false)}
		for range 3 { // what is learned must not change the answer
			if err := w.walk([]byte(once)); err != nil {
				t.Fatalf("%d names: %v", n, err)
			}
			if err := w.walk([]byte(twice)); err == nil {
				t.Fatalf("%d names: the name that is there twice was not found", n)
			}
		}
	}
}
