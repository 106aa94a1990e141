package reshape

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const allRules = `
# what a team would keep beside its code
filter:
  - topic == "orders" && value.amount > 100
  - has(value.id)
strict: true
sample: 5%
sample-by: [value.user.id, {path: key, topics: users}]
mask:
  - value.user.email=hash
  - {path: value.card, action: fixed, fixed: "0000", topics: [payments-*]}
  - {path: value.age, action: fixed, fixed: 42}
  - {path: value.born, action: shift, shift: -30d}
  - headers.token=drop
mask-key: env:MASK_KEY
unmaskable: redact
require-coverage: true
table:
  - {path: value.tenant, file: t.csv, else: redact}
endpoints: [{from: "*.prod.example.com", to: "*.test.example.com", in: [value.url, headers.*]}]
set: value.env=test
rename: [value.mail=email, {path: headers.a, to: b, topics: [x]}]
remove: [value.debug, {path: headers.trace, topics: orders}]
key: value.id
value: [{path: value.payload, topics: orders}, value.body]
`

func TestRulesFileHoldsEverythingThatFlagsDo(t *testing.T) {
	r := mapRules(t, allRules)
	pipelineOf(t, r)
	var got []string
	for _, m := range r.Mask {
		got = append(got, m.String())
	}
	want := `value.user.email=hash value.card=fixed="0000" value.age=fixed=42 value.born=shift=-30d headers.token=drop`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("masks: got %s, want %s", s, want)
	}
	if !r.Strict || !r.RequireCoverage || r.Unmaskable != RedactAll || r.Sample.Rate.String() != "5%" || len(r.Sample.By) != 2 || len(r.Value) != 2 ||
		r.Remove[1].Topics[0] != "orders" || len(r.Filter) != 2 || r.Endpoints[0].In[1].Path != "headers.*" || r.Steps() != "filter, sample, mask, map" {
		t.Errorf("got %+v", r)
	}
	if r, err := ParseRules("empty", nil); err != nil || !r.Empty() || r.Hash() != "" {
		t.Errorf("an empty file: got %+v, %v", r, err)
	}
	if r, err := ParseRules("comments", []byte("# nothing\n")); err != nil || !r.Empty() {
		t.Errorf("a file of comments: got %+v, %v", r, err)
	}
}

func TestRulesFilesAreStrict(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"filter: topic == \"a\"\nmaks: value.a=hash\n", `rules.yaml:2: unknown key "maks" (did you mean mask?)`},
		{"strict: true\nstrict: false\n", `rules.yaml:2: key "strict" is there twice`},
		{"mask:\n  - value.a=hash\n  - value.b=hide\n", `rules.yaml:3: "value.b=hide": not a rule: unknown action`},
		{"mask:\n  - {path: value.a, action: redact, topic: x}\n", `rules.yaml:2: unknown key "topic" (did you mean topics?)`},
		{"mask:\n  - {path: value.a, action: redact, fixed: x}\n", `rules.yaml:2: not a rule: fixed goes with`},
		{"mask:\n  - {path: value.a, action: fixed}\n", `rules.yaml:2: not a rule: fixed needs a value`},
		{"mask:\n\n  - {path: value.a, action: shift, shift: soon}\n", `rules.yaml:3: "soon": not a duration`},
		{"\nsample: 500%\n", `rules.yaml:2: "500%": not a part`},
		{"strict: maybe\n", `rules.yaml:1: true or false is wanted here`},
		{"set: 7\n", `rules.yaml:1: "7": not a rule: write PATH=VALUE`},
		{"set: {path: value.a, to: [1]}\n", `rules.yaml:1: a plain value is wanted here`},
		{"unmaskable: ignore\n", `rules.yaml:1: "ignore" is none of withhold, pass and redact`},
		{"remove: &a value.a\nkey: *a\n", `rules.yaml:2: aliases are not taken here`},
		{"mask: !!str [value.a=hash]\n", `rules.yaml:1: tags are not taken here`},
		{"mask:\n  - {path: value.a, action: redact, required: !!bool \"true\"}\n", `rules.yaml:2: tags are not taken here`},
		{"mask: [value.a=hash]\nset: !other\n  value.a=b\n", `rules.yaml:2: tags are not taken here`},
		{"remove: value.a\n---\nremove: value.b\n", `rules.yaml:2: a second document`},
		{"mask: []\n", `rules.yaml:1: a list of nothing: leave it out`},
		{"- filter\n", `rules.yaml:1: a mapping of keys to values is wanted here`},
		{"filter: {a: b}\n", `rules.yaml:1: text is wanted here`},
		{"filter: [\n", `rules.yaml: yaml: line`},
		{"rename: value.a=\n", `rules.yaml:1: "value.a=": not a rule: the new name is empty`},
		{"table: {path: value.a, file: x, else: drop}\n", `rules.yaml:1: "drop" is none of withhold, keep and redact`},
	} {
		_, err := ParseRules("rules.yaml", []byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestFilterErrorsNameTheLineOfTheRules(t *testing.T) {
	r, err := ParseRules("rules.yaml", []byte("strict: true\nfilter:\n  - topic == 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(r)
	var at *FilterError
	if !errors.As(err, &at) || at.FileLine != 3 || at.Column != 7 {
		t.Errorf("got %v", err)
	}
}

func TestCompileRefusesRulesThatMakeNoSense(t *testing.T) {
	for _, c := range []struct{ rules, want string }{
		{"mask: vlue.a=redact", "did you mean value?"},
		{"mask: value.#(x>1).y=redact", "chooses by what is there"},
		{"mask: value.a|b=redact", "has no meaning here"},
		{"mask: value.@this=redact", "has no meaning here"},
		{"mask: value..a=redact", "an empty name"},
		{"mask: offset=redact", "offset cannot be changed so"},
		{"mask: timestamp=redact", "timestamp cannot be changed so"},
		{"mask: topic.x=redact", "topic has no fields"},
		{"mask: headers=redact", "write headers.NAME"},
		{"mask: {path: value.a, action: redact, topics: '[a'}", "a bracket is not closed"},
		{"set: offset=1", "offset cannot be changed so"},
		{"rename: value=x", "value has no name"},
		{"rename: value.items.#=x", "value.items.# has no name"},
		{"endpoints: {from: 'a b', to: c}", "is no host name"},
		{"endpoints: {from: 'a*', to: '*b*'}", "more *"},
		{"endpoints: {to: c}", "is no host name"},
		{"value: nothing", "not a path"},
		{"set: {path: value.a}", "nothing to set it to"},
		{"mask: {path: value.a}", "unknown action"},
	} {
		r, err := ParseRules("rules.yaml", []byte(c.rules))
		if err == nil {
			_, err = Compile(r)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.rules, err, c.want)
		}
	}
}

func TestHashBindsEverythingThatChangesRecords(t *testing.T) {
	seen := map[string]string{}
	for _, rules := range []string{
		"filter: topic == 'a'", "filter: topic == 'b'", "sample: 5%", "sample: 6%", "{sample: 5%, sample-by: value.id}", "{sample: 5%, sample-by: random}",
		"{sample: 5%, sample-by: 'random:7'}", "mask: value.a=redact", "mask: value.a=drop", "mask: value.a=fixed=1", "mask: 'value.a=fixed=\"1\"'",
		"mask: {path: value.a, action: redact, topics: x}", "mask: value.a=shift=1s", "mask: value.a=shift=2s", "{mask: value.a=redact, unmaskable: pass}",
		"{mask: value.a=redact, require-coverage: true}", "set: value.a=1", "rename: value.a=b", "remove: value.a", "key: value.a", "value: value.a",
		"endpoints: {from: a, to: b}", "endpoints: {from: a, to: b, in: key}", "table: {path: value.a, file: t.csv}", "table: {path: value.a, file: t.csv, else: keep}",
		"{mask: value.a=hash, mask-key: '@one'}", "{mask: value.a=hash, mask-key: '@two'}", "mask: [value.a=redact, value.b=redact]", "mask: [value.b=redact, value.a=redact]",
	} {
		r, err := ParseRules("r", []byte(rules))
		if err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
		if err := r.Resolve(testSources(map[string]string{"t.csv": "a,b\n", "one": strings.Repeat("1", 16), "two": strings.Repeat("2", 16)})); err != nil {
			t.Fatal(err)
		}
		h := r.Hash()
		if other, twice := seen[h]; twice || len(h) != 32 {
			t.Errorf("%s and %s have the same hash %q", rules, other, h)
		}
		seen[h] = rules
	}
}

func TestHashIsOfWhatRulesDoAndNotOfTheirSpelling(t *testing.T) {
	same := func(a, b string, files map[string]string) {
		t.Helper()
		var hashes [2]string
		for i, text := range []string{a, b} {
			r, err := ParseRules("r", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Resolve(testSources(files)); err != nil {
				t.Fatal(err)
			}
			hashes[i] = r.Hash()
		}
		if hashes[0] != hashes[1] {
			t.Errorf("%s and %s have different hashes", a, b)
		}
	}
	key := strings.Repeat("k", 16)
	same("sample: 5%", "sample: '0.05'", nil)
	same("{sample: 5%, strict: true}", "sample: 5%", nil)
	same("mask: value.a=redact", "mask: {path: value.a, action: redact}", nil)
	same("{mask: value.a=hash, mask-key: '@k'}", "{mask: value.a=hash, mask-key: '@k2'}", map[string]string{"k": key, "k2": key + "\n"})
	same("table: {path: value.a, file: t.csv}", "table: {path: value.a, file: u.csv, else: withhold}", map[string]string{"t.csv": "a,b\nc,d\n", "u.csv": "c,\"d\"\na,b"})
	if got := (&Rules{}).Hash(); got != "" {
		t.Errorf("no rules: got %q", got)
	}
	// The hash is written into archives: the same rules must have it in every version.
	r := mapRules(t, "{filter: 'topic == \"a\"', mask: value.a=redact}")
	if got, want := r.Hash(), "8b32fb168317f1146340dffdbde6b61a"; got != want {
		t.Errorf("got %s, want %s: raise hashVersion only when the same rules make other records", got, want)
	}
}

func TestFlagsAddToAFileOfRules(t *testing.T) {
	file := mapRules(t, "{filter: topic == 'a', sample: 5%, sample-by: value.id, mask: value.a=redact, unmaskable: pass, value: value.x}")
	flags := mapRules(t, "{filter: offset > 1, sample: 10%, mask: value.b=drop, unmaskable: redact, value: value.y, strict: true}")
	file.Add(flags)
	if len(file.Filter) != 2 || file.Sample.Rate.String() != "10%" || file.Sample.By[0].Path != "value.id" || len(file.Mask) != 2 ||
		file.Unmaskable != RedactAll || len(file.Value) != 1 || file.Value[0].Path != "value.y" || !file.Strict {
		t.Errorf("got %+v", file)
	}
}

func TestAMaskKeyThatIsAddedReachesTheHashesOfAFile(t *testing.T) {
	sources := Sources{Getenv: func(name string) (string, bool) { return strings.Repeat(name, 16), true }}
	hashed := func(file, flag string) string {
		rules, err := ParseRules("rules.yaml", []byte("mask: key=hash\n"+file))
		if err != nil {
			t.Fatal(err)
		}
		more := Rules{MaskKey: flag}
		for _, r := range []*Rules{&rules, &more} {
			if err := r.Resolve(sources); err != nil {
				t.Fatal(err)
			}
		}
		rules.Add(more)
		r := anOrder()
		if _, err := pipelineOf(t, rules).Worker().Apply(r); err != nil {
			t.Fatal(err)
		}
		return string(r.Key)
	}
	a := hashed("mask-key: env:A", "")
	if got := hashed("", "env:A"); got != a {
		t.Errorf("the key given beside the file: got %s, want %s as with the file's", got, a)
	}
	if got := hashed("mask-key: env:A", "env:B"); got == a || got != hashed("", "env:B") {
		t.Errorf("the file's key holds: %s", got)
	}
}

func TestAddTakesEveryFieldOfRules(t *testing.T) {
	rate, err := ParseRate("5%")
	if err != nil {
		t.Fatal(err)
	}
	kind := reflect.TypeFor[Rules]()
	for i := range kind.NumField() {
		var more, got Rules
		switch f, field := kind.Field(i), reflect.ValueOf(&more).Elem().Field(i); {
		case !f.IsExported(): // goes with MaskKey
			continue
		case f.Type.Kind() == reflect.Slice:
			field.Set(reflect.MakeSlice(f.Type, 1, 1))
		case f.Name == "Sample":
			more.Sample = Sample{Rate: rate, By: []Selector{{Path: "key"}}, Random: true, Seed: 1}
		default:
			setField(t, f.Name, field)
		}
		if got.Add(more); !reflect.DeepEqual(got, more) {
			t.Errorf("%s: got %+v, want %+v", kind.Field(i).Name, got, more)
		}
	}
}
