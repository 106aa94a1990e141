package reshape

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhatIsTheSameHasOneIdentity(t *testing.T) {
	for want, spellings := range map[string][]string{
		"1":                  {`1`, `1.0`, `1e0`, `10e-1`, `0.1e1`, `1E+0`, `1.000`, `0.0000000000000000000000000000000000000000000000000001e52`, `"1"`},
		"0":                  {`0`, `-0`, `0.0`, `0e99`, `-0.00e-5`, `0e99999999999999999999`},
		"-1.5":               {`-1.5`, `-15e-1`, `-1.50`},
		"100":                {`100`, `1e2`, `1.00e2`, `"100"`},
		"0.001":              {`0.001`, `1e-3`, `"0.001"`},
		"9007199254740993":   {`9007199254740993`, `9007199254740993.0`, `9.007199254740993e15`},
		"1e400":              {`1e400`, `10e399`, `0.1e401`},
		"12e-60":             {`12e-60`, `1.2e-59`},
		"A\n\"/":             {`"A\n\"\/"`, `"\u0041\u000a\u0022/"`},
		"😀":                  {`"😀"`, `"\ud83d\ude00"`},
		"\xed\xa0\x80":       {`"\ud800"`, `"\uD800"`},
		"\ufffd":             {`"\ufffd"`},
		`{"a":1,"b":["x"]}`:  {`{"a":1,"b":["x"]}`, ` {"b" : [ "\u0078" ] , "\u0061":1.0}`[1:]},
		`[{"a\"":"\ud800"}]`: nil,
		"true":               {"true"}, "[]": {"[]", "[ ]"}, "{}": {"{}", "{ }"},
	} {
		for _, raw := range spellings {
			if got := string(appendIdentity(nil, []byte(raw))); got != want {
				t.Errorf("%s: got %q, want %q", raw, got, want)
			}
		}
	}
	var all []string
	for _, raw := range []string{`"\ud800"`, `"\udbff"`, `"\udc00"`, `"\ud800\ud800"`, `"\ufffd"`, `{"a":"1"}`, `{"a":1}`, `["a","b"]`, `["a\",\"b"]`, `1e400`, `1e401`, `0.1`, `-0.1`, `1e99999999999`, `1e99999999998`} {
		one := string(appendIdentity(nil, []byte(raw)))
		for _, other := range all {
			if one == other {
				t.Errorf("%s has the identity of another value: %q", raw, one)
			}
		}
		all = append(all, one)
	}
}

func TestTokensJoinWhateverTheSpelling(t *testing.T) {
	r := valueRecord(`{"a":[1,1.0,1e0,"1",{"x":1,"y":2},{ "y":2.0, "x":10e-1 },"\ud800","\udbff"]}`)
	if got := applyTo(t, maskRules(t, "value.a.#=hash"), r); got != Pass {
		t.Fatal(got)
	}
	var made struct{ A []string }
	if err := json.Unmarshal(r.Value, &made); err != nil {
		t.Fatal(err)
	}
	if a := made.A; a[0] != a[1] || a[0] != a[2] || a[0] != a[3] || a[4] != a[5] || a[6] == a[7] || a[0] == a[4] {
		t.Errorf("got %s", r.Value)
	}
}

func TestASampleWithAMaskKeyIsKeyed(t *testing.T) {
	keep := func(secret string) string {
		rules := Rules{secret: []byte(secret)}
		if secret == "" {
			rules.secret = nil
		}
		rules.Sample.Rate, _ = ParseRate("50%")
		var kept strings.Builder
		for i := range 64 {
			r := valueRecord("{}")
			r.Key = []byte{byte(i)}
			kept.WriteString(applyTo(t, rules, r).String()[:1])
		}
		return kept.String()
	}
	plain, one, other := keep(""), keep("0123456789abcdef"), keep("fedcba9876543210")
	if plain == one || one == other || one != keep("0123456789abcdef") {
		t.Errorf("the samples are\n%s without a key\n%s with one\n%s with another", plain, one, other)
	}
}

func TestRulesAreStoredSalted(t *testing.T) {
	rules, other := maskRules(t, "value.a=redact"), maskRules(t, "value.b=redact")
	first := rules.Identify("archive-1")
	switch {
	case len(first) != 32 || first == rules.Identify("archive-2") || strings.Contains(first, rules.Hash()[:8]):
		t.Errorf("got %s and %s of %s", first, rules.Identify("archive-2"), rules.Hash())
	case rules.Identify(first) != first:
		t.Errorf("of %s: got %s", first, rules.Identify(first))
	case other.Identify(first) == first:
		t.Error("other rules have the same identity")
	}
	if none := (&Rules{}); none.Identify("x") != "" {
		t.Errorf("no rules: got %s", none.Identify("x"))
	}
}
