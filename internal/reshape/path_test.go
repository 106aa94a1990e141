package reshape

import (
	"errors"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

func TestPathsOfOtherLanguagesAreRefusedWithTheRightSpelling(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"items[0].name", "write value.items.0.name"},
		{"value.items[0].name", "write value.items.0.name"},
		{"value.items[]", "write value.items.#"},
		{"value.items[].name", "write value.items.#.name"},
		{"items[*]", "write value.items.#"},
		{"value[0]", "write value.0"},
		{"value[a]", "write value.a"},
		{"value.a[b].c", "write value.a.b.c"},
		{"**", "write value.*"},
		{"value.**", "write one * for each level"},
		{"value.**.email", "write one * for each level"},
		{"$", "begins with value"},
		{"$.a.b", "write value.a.b"},
		{"$['a']['b']", "write value.a.b"},
		{".a", "write value.a"},
		{".a[0]", "write value.a.0"},
		{"/a/b", "write value.a.b"},
		{"value/a/b", "write value.a.b"},
		{"value.a/b", "write value.a.b"},
		{"value.a..b", "write value.a.b"},
		{"value.a.", "write value.a"},
		{"value.", "write value"},
		{"value..a", "write value.a"},
		{"", "begins with value"},
		{"vlue.a", "did you mean value?"},
		{"value.items.-1", "elements count from 0 up"},
		{"value.a|b", `"|" has no meaning here`},
		{"value.(a)", `"(" has no meaning here`},
		{"value.^a", `"^" has no meaning here`},
		{"value.a$", "no regular expression"},
		{"value.a+", "no regular expression"},
		{"value.a.+", "no regular expression"},
		{"value.[a-z]*", `"[" has no meaning here`},
		{"value.{a,b}", `"{" has no meaning here`},
		{"value.a,value.b", `"," has no meaning here`},
		{"value.\"a\"", `"\"" has no meaning here`},
		{"value.'a'", `"'" has no meaning here`},
		{"value.@type", `"@type" begins with a @`},
		{"value.@this", `"@this" begins with a @`},
		{"value. a", "begins or ends with a space"},
		{"value.a ", "begins or ends with a space"},
		{"value.a\u2024b", "looks like ."},
		{"value.a\uff0eb", "looks like ."},
		{"value.\uff0a", "looks like *"},
		{"value.em\u200bail", "cannot be seen"},
		{"value.\u202eliame", "cannot be seen"},
		{"value.e\u00a0mail", "cannot be seen"},
		{"value.\uff45mail", "looks like e"},
		{"value.\u0435mail", "mixes letters that look alike"},
		{"value.a\x00", "cannot be seen"},
		{"value.\xff", "not UTF-8"},
		{`value["a"`, `"] is missing`},
		{`value["a]`, `"] is missing`},
		{`value["a"]b`, "is no step"},
		{`value[""]`, "empty"},
		{`value["\xff"]`, "no UTF-8"},
		{"headers", "write headers.NAME"},
		{"headers.", "empty name"},
		{"headers[type]", "write headers.type"},
		{"headers.**", "write one * for each level"},
		{"headers.a|b", `"|" has no meaning here`},
		{`headers["a"].b`, "a header has no fields"},
		{"topic.x", "topic has no fields"},
		{`topic["x"]`, "topic has no fields"},
	} {
		_, err := ParsePath(c.path)
		if !errors.Is(err, ErrPath) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.path, err, c.want)
		}
	}
}

func TestOddNamesAreSpelledAlikeInFilterMaskAndField(t *testing.T) {
	for _, c := range []struct{ path, value string }{
		{`value["order.id"]`, `{"order.id":"x"}`},
		{`value["@type"]`, `{"@type":"x"}`},
		{`value["it's \"so\""].a`, `{"it's \"so\"":{"a":"x"}}`},
		{`value.a['b.c'].d`, `{"a":{"b.c":{"d":"x"}}}`},
		{`value["a/b"]["c*"]`, `{"a/b":{"c*":"x"}}`},
		{`value["items[0]"]`, `{"items[0]":"x"}`},
		{`value["a=b"]`, `{"a=b":"x"}`},
		{`value["\\"]`, `{"\\":"x"}`},
		{`value["\u0435mail"]`, `{"еmail":"x"}`},
		{`value[" a "]`, `{" a ":"x"}`},
		{`value["#"]`, `{"#":"x"}`},
		{`value["-1"]`, `{"-1":"x"}`},
		{`value["a\nb"]`, `{"a\nb":"x"}`},
		{`value["$oid"]`, `{"$oid":"x"}`},
		{`value["first name"]`, `{"first name":"x"}`},
	} {
		record := func() *Record { return &Record{Topic: "t", Record: format.Record{Value: []byte(c.value)}} }
		p, err := ParseField(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got := string(p.Get(record()).AppendText(nil)); got != "x" {
			t.Errorf("%s: field %q in %s, want x", c.path, got, c.value)
		}
		m, err := ParseMask(c.path + "=redact")
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		r := record()
		pipelineOf(t, Rules{Mask: []Mask{m}}).Worker().Apply(r)
		if got, want := string(r.Value), strings.Replace(c.value, `"x"`, `"***"`, 1); got != want {
			t.Errorf("%s: masked to %s, want %s", c.path, got, want)
		}
		if got, err := pipelineOf(t, filterRules(c.path+` == "x"`)).Worker().Apply(record()); got != Pass || err != nil {
			t.Errorf("%s: the filter says %v, %v", c.path, got, err)
		}
		if again, err := ParsePath(p.String()); err != nil || again != p {
			t.Errorf("%s is spelled %s, which is %+v, %v", c.path, p, again, err)
		}
	}
}

func TestHeaderNamesMayHaveDotsAndQuotes(t *testing.T) {
	for _, c := range []struct{ path, header string }{
		{"headers.a.b", "a.b"}, {`headers["a.b"]`, "a.b"}, {`headers["ce|type"]`, "ce|type"}, {`headers["*"]`, "*"}, {`headers.x\*`, "x*"},
	} {
		r := &Record{Topic: "t", Record: format.Record{Headers: []format.Header{{Key: c.header, Value: []byte("x")}, {Key: "other", Value: []byte("y")}}}}
		m, err := ParseMask(c.path + "=redact")
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		pipelineOf(t, Rules{Mask: []Mask{m}}).Worker().Apply(r)
		if string(r.Headers[0].Value) != "***" || string(r.Headers[1].Value) != "y" {
			t.Errorf("%s: got %s", c.path, r.Headers)
		}
	}
}

func TestAFieldIsOneThing(t *testing.T) {
	for _, path := range []string{"value.*", "value.a?", "value.items.*.x", "headers.*"} {
		if _, err := ParseField(path); !errors.Is(err, ErrPath) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	for _, path := range []string{"value.items.#.x", `value.items.#(sku=="a*").x`, `value.a\*`, "value.items.0"} {
		if _, err := ParseField(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTopicsOfRulesAreNamesAndGlobs(t *testing.T) {
	for _, c := range []struct{ glob, want string }{
		{"orders", ""}, {"orders-*", ""}, {"*.v?", ""}, {"[a-c]x", ""}, {"*", ""}, {"__x", ""},
		{"", "empty"}, {"orders,users", "write a list: [orders, users]"}, {"orders, users", "write a list: [orders, users]"},
		{"^orders$", "write orders"}, {"^orders-.*$", "write orders-*"}, {"orders$", "no regular expression"}, {"(a|b)", "use letters"},
		{`orders\.x`, "use letters"}, {"orders ", "use letters"}, {"a/b", "use letters"}, {"[a", "not closed"}, {"[a|b]", "use letters"},
		{"!orders", "nothing can be left out"}, {"-orders*", "nothing can be left out"}, {"..", "no topic is called so"}, {"örders", "use letters"},
		{"orders\n", "use letters"}, {"orders+", "use letters"}, {".*orders.*", "write *orders*"}, {strings.Repeat("x", 250), "longer than 249"},
	} {
		err := checkTopics([]string{c.glob})
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrTopic) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: got %v, want %q", c.glob, err, c.want)
		}
		_, err = Compile(Rules{Mask: []Mask{{Selector: Selector{Path: "key", Topics: []string{c.glob}}, Action: Redact}}})
		if (err == nil) != (c.want == "") {
			t.Errorf("%q: compiled: %v", c.glob, err)
		}
	}
	for _, text := range []string{`"orders,users"`, `""`, `"^orders$"`, "[]", "[a, '']"} {
		_, err := ParseRules("rules.yaml", []byte("mask: [{path: key, action: redact, topics: "+text+"}]"))
		var at *FileError
		if !errors.As(err, &at) {
			t.Errorf("topics: %s: got %v", text, err)
		}
	}
}

func TestARuleThatMatchesNothingMakesTheReportIncomplete(t *testing.T) {
	for _, c := range []struct{ rules, want string }{
		{"mask: value.emial=redact", "value.emial=redact"},
		{"mask: value.a=redact", ""},
		{"mask: '?value.emial=redact'", ""},
		{"mask: {path: value.emial, action: redact, optional: true}", ""},
		{"mask: {path: value.a, action: redact, topics: other}", "value.a=redact"},
		{"mask: value.emial=keep", "value.emial=keep"},
		{"set: value.a.b=1", "value.a.b=…"},
		{"set: '?value.a.b=1'", ""},
		{"rename: value.x=y", "value.x=y"},
		{"rename: '?value.x=y'", ""},
		{"remove: headers.x", "headers.x"},
		{"remove: '?headers.x'", ""},
		{"remove: [{path: headers.x, optional: true}]", ""},
		{"endpoints: {from: a.example, to: b.example}", "a.example:=b.example in value"},
		{"endpoints: {from: h.example, to: b.example}", ""},
		{"endpoints: {from: h.example, to: b.example, in: [value.url, headers.h]}", ""},
		{"endpoints: {from: h.example, to: b.example, in: [value.url, value.no]}", "h.example:=b.example in value.no"},
		{"endpoints: {from: h.example, to: b.example, in: [value.url, '?value.no']}", ""},
		{"endpoints: {from: a.example, to: b.example, optional: true}", ""},
		{"{filter: offset > 0, mask: value.emial=redact}", ""},
	} {
		rules, err := ParseRules("rules.yaml", []byte(c.rules))
		if err != nil {
			t.Errorf("%s: %v", c.rules, err)
			continue
		}
		p := pipelineOf(t, rules)
		w := p.Worker()
		r := &Record{Topic: "t", Record: format.Record{Value: []byte(`{"a":1,"url":"http://h.example/"}`), Headers: []format.Header{{Key: "h", Value: []byte("x")}}}}
		w.Apply(r)
		w.Close()
		report := p.Report()
		if got := strings.Join(report.NeverMatched(), " "); got != c.want || report.Incomplete() != (c.want != "") {
			t.Errorf("%s: got %q, %v, want %q", c.rules, got, report.Incomplete(), c.want)
		}
	}
}

func TestOptionalIsNoPartOfTheHash(t *testing.T) {
	a, _ := ParseMask("value.a=redact")
	b, _ := ParseMask("?value.a=redact")
	one, two := Rules{Mask: []Mask{a}}, Rules{Mask: []Mask{b}}
	if one.Hash() != two.Hash() || b.String() != "?value.a=redact" {
		t.Errorf("got %s and %s, %s", one.Hash(), two.Hash(), b)
	}
}
