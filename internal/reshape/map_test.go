package reshape

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

// mapRules reads rules and gives them a table.
func mapRules(t *testing.T, text string) Rules {
	t.Helper()
	r, err := ParseRules("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Resolve(testSources(map[string]string{"t.csv": "jane,user-1\n42,7\n\"a,b\",\"x\"\"y\"\n"})); err != nil {
		t.Fatal(err)
	}
	return r
}

func testSources(files map[string]string) Sources {
	return Sources{
		ReadFile: func(name string) ([]byte, error) {
			text, ok := files[name]
			if !ok {
				return nil, os.ErrNotExist
			}
			return []byte(text), nil
		},
		Getenv: func(name string) (string, bool) { return "0123456789abcdef", name == "MASK_KEY" },
	}
}

func TestMapsChangeFields(t *testing.T) {
	for _, c := range []struct{ name, rules, value, want string }{
		{"set what is there", "set: value.env=test", `{ "env" : "prod", "x": 1.0 }`, `{ "env" : "test", "x": 1.0 }`},
		{"set what is missing", "set: value.env=test", `{ "x": 1.0 }`, `{ "x": 1.0,"env":"test" }`},
		{"set in an empty object", "set: value.env=test", "{\n}", "{\"env\":\"test\"\n}"},
		{"set deep", "set: value.a.b.c=[1]", `{"a":{}}`, `{"a":{"b":{"c":[1]}}}`},
		{"set all the way", "set: value.a.b.c=1", `{}`, `{"a":{"b":{"c":1}}}`},
		{"set two in one object", "set: [value.m.a=1, value.m.b=2]", `{"x":0}`, `{"x":0,"m":{"a":1,"b":2}}`},
		{"set in every element", "set: value.items.#.env=test", `{"items":[{},{"env":1},{"x":[{}]},3]}`, `{"items":[{"env":"test"},{"env":"test"},{"x":[{}],"env":"test"},3]}`},
		{"set below a scalar", "set: value.a.b=1", `{"a":"x"}`, `{"a":"x"}`},
		{"set no element", "set: value.a.5=1", `{"a":[1]}`, `{"a":[1]}`},
		{"set null", "set: value.a=null", `{"a":1}`, `{"a":null}`},
		{"set text that looks like a number", `set: value.a="007"`, `{"a":1}`, `{"a":"007"}`},
		{"rename", "rename: value.u.mail=email", `{"u":{"x":1, "mail" : "m" }}`, `{"u":{"x":1, "email" : "m" }}`},
		{"rename by glob and within", "rename: [value.a*=b, value.a1.c=d]", `{"a1":{"c":1}}`, `{"b":{"d":1}}`},
		{"remove", "remove: [value.a, value.list.#.b]", `{"a":1,"list":[{"b":1},{"c":1,"b":2}]}`, `{"list":[{},{"c":1}]}`},
		{"table", "table: {path: value.*, file: t.csv, else: keep}", `{"a":"jane","b":42,"c":"42","d":"a,b","e":"bob","f":null,"g":true}`,
			`{"a":"user-1","b":7,"c":"7","d":"x\"y","e":"bob","f":null,"g":true}`},
		{"table else redact", "table: {path: value.#, file: t.csv, else: redact}", `["jane","bob",43]`, `["user-1","***",0]`},
		{"endpoints everywhere", `endpoints: {from: "*.prod.example.com", to: "*.test.example.com"}`,
			`{"a":"https://shop.prod.example.com:8443/x?y=a.b.prod.example.com","shop.prod.example.com":["x@mail.prod.example.com, (eu.prod.example.com.)"],"n":1}`,
			`{"a":"https://shop.test.example.com:8443/x?y=a.b.test.example.com","shop.test.example.com":["x@mail.test.example.com, (eu.test.example.com.)"],"n":1}`},
		{"endpoints beside escapes", `endpoints: {from: "prod.example.com", to: "localhost"}`,
			`["\nprod.example.com\u0020prod.example.com\\prod.example.com","http:\/\/prod.example.com\/","notprod.example.com"]`,
			`["\nlocalhost\u0020localhost\\localhost","http:\/\/localhost\/","notprod.example.com"]`},
		{"endpoints with a port", `endpoints: [{from: "kafka-*:9092", to: "localhost:1*"}]`, `["kafka-3:9092,kafka-4:9093,kafka-5"]`, `["localhost:13,kafka-4:9093,kafka-5"]`},
		{"endpoints in a field", `endpoints: {from: a.b, to: c.d, in: value.u}`, `{"u":"a.b","v":"a.b"}`, `{"u":"c.d","v":"a.b"}`},
		{"a field as value", "value: value.payload", `{"payload": {"a" : 1.0} }`, `{"a" : 1.0}`},
		{"a string as value", "value: value.payload", `{"payload":"{\"a\":\u0031}"}`, `{"a":1}`},
		{"an element by a query", `value: 'value.list.#(t=="b").v'`, `{"list":[{"t":"a","v":1},{"t":"b","v":2}]}`, `2`},
		{"in order", "{table: {path: value.a, file: t.csv}, set: value.b=1, rename: value.a=c, remove: value.x}", `{"a":"jane","x":0}`, `{"c":"user-1","b":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valueRecord(c.value)
			if got := applyTo(t, mapRules(t, c.rules), r); got != Pass || string(r.Value) != c.want {
				t.Errorf("%s on %s:\n got %v %s\nwant      %s", c.rules, c.value, got, r.Value, c.want)
			}
		})
	}
}

func TestMapsChangeKeysAndHeaders(t *testing.T) {
	for _, c := range []struct{ name, rules, want string }{
		{"key from a field", "key: value.id", `"42" "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.prod" a="2" 1700000000000`},
		{"key from a header", "key: headers.a", `"2" "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.prod" a="2" 1700000000000`},
		{"key from the place", "key: offset", `"9" "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.prod" a="2" 1700000000000`},
		{"value from the key", "value: key", `"k" "k" a="jane" b="x.prod" a="2" 1700000000000`},
		{"key and value change places no more", "{key: value.id, value: key}", `"42" "42" a="jane" b="x.prod" a="2" 1700000000000`},
		{"set headers", "set: [headers.a=1, headers.c=2, headers.n=null]", `"k" "{\"id\":42,\"u\":\"jane\"}" a="1" b="x.prod" a="1" c="2" n=null 1700000000000`},
		{"set key and value", "set: [key=x, 'value={}']", `"x" "{}" a="jane" b="x.prod" a="2" 1700000000000`},
		{"rename headers", "rename: headers.a=z", `"k" "{\"id\":42,\"u\":\"jane\"}" z="jane" b="x.prod" z="2" 1700000000000`},
		{"remove headers", "remove: [headers.a, headers.none]", `"k" "{\"id\":42,\"u\":\"jane\"}" b="x.prod" 1700000000000`},
		{"remove all headers", "remove: headers.*", `"k" "{\"id\":42,\"u\":\"jane\"}" 1700000000000`},
		{"remove the key", "remove: key", `null "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.prod" a="2" 1700000000000`},
		{"table in a header", "table: {path: headers.a, file: t.csv, else: keep}", `"k" "{\"id\":42,\"u\":\"jane\"}" a="user-1" b="x.prod" a="2" 1700000000000`},
		{"endpoint in headers", `endpoints: {from: "*.prod", to: "*.test", in: [headers.*, key]}`, `"k" "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.test" a="2" 1700000000000`},
		{"for another topic", "remove: {path: key, topics: other}", `"k" "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.prod" a="2" 1700000000000`},
		{"the first that fits", "key: [{path: offset, topics: other}, {path: partition, topics: t*}, topic]", `"0" "{\"id\":42,\"u\":\"jane\"}" a="jane" b="x.prod" a="2" 1700000000000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valueRecord(`{"id":42,"u":"jane"}`)
			r.Offset = 9
			r.Headers = []format.Header{{Key: "a", Value: []byte("jane")}, {Key: "b", Value: []byte("x.prod")}, {Key: "a", Value: []byte("2")}}
			if got := applyTo(t, mapRules(t, c.rules), r); got != Pass || spell(r) != c.want {
				t.Errorf("%s:\n got %v %s\nwant      %s", c.rules, got, spell(r), c.want)
			}
		})
	}
}

func TestWhatCannotBeMappedIsWithheld(t *testing.T) {
	for _, c := range []struct{ name, rules, value string }{
		{"set in what is no JSON", "set: value.a=1", "\x00\x01"},
		{"remove from what is no JSON", "remove: value.a", `{"a":1,"a":2}`},
		{"not in the table", "table: {path: value.a, file: t.csv}", `{"a":"bob"}`},
		{"no such field for the value", "value: value.payload", `{"x":1}`},
		{"no such field for the key", "key: value.id", `{"x":1}`},
		{"a key from what is no JSON", "key: value.id", `{"id":1`},
		{"a new name that is there", "rename: value.a=b", `{"a":1,"b":2}`},
		{"endpoints in what is no JSON", "endpoints: {from: a.b, to: c.d}", `a.b`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pipelineOf(t, mapRules(t, c.rules))
			w := p.Worker()
			if got, err := w.Apply(valueRecord(c.value)); got != Withheld || err != nil {
				t.Errorf("got %v, %v, want it withheld", got, err)
			}
			w.Close()
			if r := p.Report(); !r.Incomplete() {
				t.Errorf("the report is complete: %+v", r)
			}
		})
	}
}

func TestTombstonesStayTombstones(t *testing.T) {
	for _, rules := range []string{"set: value.a=1", "set: value=x", "value: value.payload", "value: key", "remove: value.a", "table: {path: value, file: t.csv}"} {
		r := valueRecord("")
		r.Value = nil
		if got := applyTo(t, mapRules(t, rules), r); got != Pass || r.Value != nil {
			t.Errorf("%s: got %v, %q, want a tombstone", rules, got, r.Value)
		}
	}
}

func TestTablesAndKeysAreChecked(t *testing.T) {
	for _, c := range []struct{ rules, file, want string }{
		{"table: {path: value.a, file: none.csv}", "", "table: file does not exist"},
		{"table: {path: value.a, file: t.csv}", "a,b,c\n", "wrong number of fields"},
		{"table: {path: value.a, file: t.csv}", "a,b\na,c\n", "line 2: what it begins with is there twice"},
		{"{mask: value.a=hash, mask-key: 'env:NONE'}", "", "the environment has no variable of that name"},
		{"{mask: value.a=hash, mask-key: '@short'}", "", "5 bytes are too few"},
		{"{mask: value.a=hash, mask-key: hunter2-hunter2-hunter2}", "", "would not stay secret"},
	} {
		r, err := ParseRules("r.yaml", []byte(c.rules))
		if err != nil {
			t.Fatal(err)
		}
		if err = r.Resolve(testSources(map[string]string{"t.csv": c.file, "short": "12345\n"})); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.rules, err, c.want)
		}
	}
	if _, err := Compile(Rules{Mask: []Mask{{Selector: Selector{Path: "value.a"}, Action: Hash}}}); !errors.Is(err, ErrNoKey) {
		t.Errorf("hash without a key: got %v", err)
	}
}
