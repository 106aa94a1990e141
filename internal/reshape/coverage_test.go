package reshape

import (
	"fmt"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

// covered runs rules with coverage required over one record.
func covered(t *testing.T, text string, r *Record) (Verdict, Report) {
	t.Helper()
	rules := mapRules(t, text)
	rules.RequireCoverage, rules.secret = true, testSecret
	p := pipelineOf(t, rules)
	w := p.Worker()
	verdict, err := w.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	return verdict, p.Report()
}

func TestRulesThatLeaveTheBytesAsTheyWereDoNotCover(t *testing.T) {
	const mail = `{"user":{"email":"jane@example.com"},"x":1}`
	for _, c := range []struct{ name, rules, value string }{
		{"a remove of what a rename moved", "{rename: value.user.email=contact, remove: value.user.email}", mail},
		{"a remove below what a rename moved", "{rename: value.user=u, remove: value.user.email}", mail},
		{"a table that keeps", "table: {path: value.user.email, file: t.csv, else: keep}", mail},
		{"a table that keeps a whole object", "table: {path: value.user, file: t.csv, else: keep}", mail},
		{"a table that has the text as it is", "table: {path: value.user.email, file: same.csv}", mail},
		{"a mask for another topic", "mask: {path: value.user.email, action: redact, topics: other}", mail},
		{"a remove for another topic", "remove: {path: value.user.email, topics: other}", mail},
		{"a constant that is the original", "mask: value.user.email=fixed=jane@example.com", mail},
		{"a set to the original", "set: value.user.email=jane@example.com", mail},
		{"a shift by nothing", "mask: value.born=shift=0s", `{"born":"1980-01-02"}`},
		{"a shift that a date does not feel", "mask: value.born=shift=1h", `{"born":"1980-01-02"}`},
		{"a rename out of a telling name", "rename: value.firstName=x", `{"firstName":"Jane"}`},
		{"a rename into a telling name", "rename: value.x=firstName", `{"x":"Jane"}`},
		{"endpoints in an address", "endpoints: {from: example.com, to: example.org}", mail},
		{"endpoints elsewhere", "endpoints: {from: a.b, to: c.d}", mail},
		{"a field of the value as key", "{key: value.user.email}", mail},
		{"the value out of a string", "value: value.payload", `{"payload":"{\"email\":\"jane@example.com\"}"}`},
		{"the value out of a string in escapes", "value: value.payload", `{"payload":"\u007b\"\u0065mail\":\"x\"}"}`},
		{"a mask beside it", "mask: value.user.mail=redact", mail},
		{"a rule inside", "mask: value.user.email.x=redact", mail},
		{"a header after a rename", "{rename: headers.a=client_ip}", `{}`},
		{"no rules at all", "{}", mail},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := mapRules(t, strings.ReplaceAll(c.rules, "same.csv", "t.csv"))
			if strings.Contains(c.rules, "same.csv") {
				rules.Tables[0].entries = map[string]string{"jane@example.com": "jane@example.com"}
			}
			rules.RequireCoverage = true
			r := valueRecord(c.value)
			r.Headers = []format.Header{{Key: "a", Value: []byte("x")}}
			if got := applyTo(t, rules, r); got != Withheld {
				t.Errorf("%s on %s: got %v, %s, want it withheld", c.rules, c.value, got, r.Value)
			}
		})
	}
}

func TestRulesThatChangeTheBytesCover(t *testing.T) {
	const mail = `{"user":{"email":"jane@example.com"},"x":1}`
	for _, c := range []struct{ name, rules, value, want string }{
		{"a hash", "mask: value.user.email=hash", mail, ""},
		{"a hash that is renamed", "{mask: value.user.email=hash, rename: value.user.email=mail}", mail, ""},
		{"a hash that becomes the key", "{mask: value.user.email=hash, key: value.user.email}", mail, ""},
		{"a constant that looks like one", "mask: value.user.email=fixed=nobody@example.com", mail, `{"user":{"email":"nobody@example.com"},"x":1}`},
		{"that constant as the key", "{mask: value.user.email=fixed=nobody@example.com, key: value.user.email}", mail, ""},
		{"a remove", "remove: value.user.email", mail, `{"user":{},"x":1}`},
		{"a remove after a rename", "{rename: value.user.email=contact, remove: value.user.contact}", mail, `{"user":{},"x":1}`},
		{"a set", "set: value.user.email=nobody@example.com", mail, ""},
		{"a table", "table: {path: value.user.email, file: t.csv, else: redact}", mail, ""},
		{"keep", "mask: value.user.email=keep", mail, mail},
		{"keep and a rename", "{mask: value.user.email=keep, rename: value.user.email=m}", mail, `{"user":{"m":"jane@example.com"},"x":1}`},
		{"keep of all, and an endpoint", "{mask: value=keep, endpoints: {from: example.com, to: example.org}}", mail, `{"user":{"email":"jane@example.org"},"x":1}`},
		{"keep, and an endpoint before it", "{mask: value.user.email=keep, endpoints: {from: very.long.example.com, to: a.b}}",
			`{"u":"very.long.example.com","user":{"email":"jane@example.com"}}`, `{"u":"a.b","user":{"email":"jane@example.com"}}`},
		{"what is left behind", "value: value.x", mail, "1"},
		{"a kept string as value", "{mask: value.p=keep, value: value.p}", `{"p":"a\n\u0062@example.com"}`, "a\nb@example.com"},
		{"what was redacted before", "mask: value.x=redact", `{"email":"***","phone":null,"ssn":"","x":"y"}`, ""},
		{"a hash in a string", "mask: value.p|json.email=hash", `{"p":"{\"email\":\"jane@example.com\"}"}`, ""},
		{"a constant in a string, taken as value", "{mask: value.p|json.email=fixed=n@example.com, value: value.p}", `{"p":"{\"email\":\"jane@example.com\"}"}`, `{"email":"n@example.com"}`},
		{"keep of a name that is an address", `mask: value.users.*=keep`, `{"users":{"john@example.com":1}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valueRecord(c.value)
			got, report := covered(t, c.rules, r)
			if got != Pass || c.want != "" && string(r.Value) != c.want {
				t.Errorf("%s on %s: got %v, %s, want it to pass with %s: %+v", c.rules, c.value, got, r.Value, c.want, report.Uncovered)
			}
		})
	}
}

// blind are payloads at which nobody can look.
var blind = map[string]string{
	"a broken document":            `{"ssn":"123"`,
	"a document and more":          `{"a":1} x`,
	"a mark before it":             "\ufeff{\"a\":",
	"equal names":                  `{"a":1,"a":2}`,
	"too deep":                     strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	"a byte that is not UTF-8":     "{\"a\":\"\xff\"}",
	"a text that is not UTF-8":     "Miller \xff",
	"a number in binary":           "\x00\x00\x00\x00\x00\x00\x00\x2a",
	"Avro":                         "\x00\x00\x00\x00\x07\x0cMiller",
	"gzip":                         "\x1f\x8b\x08\x00\x00\x00\x00\x00",
	"gzip in base64":               `{"p":"H4sIAAAAAAAAA6tWKi4uVrJSMjQyVqoFAKKGzPwPAAAA"}`,
	"gzip in base64 as a text":     `H4sIAAAAAAAAA6tWKi4uVrJSMjQyVqoFAKKGzPwPAAAA`,
	"much binary in base64":        `{"p":"` + strings.Repeat("AAECAwQF", 100) + `"}`,
	"a broken document in a text":  `{"p":"{\"ss\\u006e\":\"123"}`,
	"a document in a broken place": `{"p":"[{\"a\":1,\"a\":2}]"}`,
	"UTF-16":                       "{\x00\"\x00a\x00\"\x00:\x001\x00}\x00",
}

// withheldBesideTheValue wants text to be withheld as a key and as the value of a header.
func withheldBesideTheValue(t *testing.T, name, text string) {
	t.Helper()
	r := valueRecord("{}")
	r.Key = []byte(text)
	if got, _ := covered(t, "{}", r); got != Withheld {
		t.Errorf("%s as key: got %v, want it withheld", name, got)
	}
	r = valueRecord("{}")
	r.Headers = []format.Header{{Key: "h", Value: []byte(text)}}
	if got, _ := covered(t, "{}", r); got != Withheld {
		t.Errorf("%s in a header: got %v, want it withheld", name, got)
	}
}

func TestWhatNobodyCanLookAtIsWithheldWithCoverageRequired(t *testing.T) {
	for name, b := range blind {
		for _, rules := range []string{"{}", "{mask: headers.none=redact, unmaskable: pass}", "{mask: value.zzz=redact, unmaskable: pass}", "{set: headers.a=1, unmaskable: pass}"} {
			r := valueRecord(b)
			if got, report := covered(t, rules, r); got != Withheld || len(report.WithheldFor) != 1 {
				t.Errorf("%s, %s: got %v, %+v, want it withheld", name, rules, got, report)
			}
		}
		if got, _ := covered(t, "mask: value=keep", valueRecord(b)); got != Pass {
			t.Errorf("%s, kept: got %v", name, got)
		}
		if got, _ := covered(t, "mask: value=redact", valueRecord(b)); got != Pass {
			t.Errorf("%s, redacted: got %v", name, got)
		}
		withheldBesideTheValue(t, name, b)
		r := valueRecord("{}")
		r.Headers = []format.Header{{Key: "h", Value: []byte(b)}}
		if got, _ := covered(t, "mask: headers.h=keep", r); got != Pass {
			t.Errorf("%s in a header, kept: got %v", name, got)
		}
	}
}

func TestWhatPassesAsItIsIsLookedAt(t *testing.T) {
	for _, value := range []string{
		"not json jane@example.com", "\ufeff{\"email\":\"x\"}", "log: {\"ssn\":\"123\"}", "phone=5551234", "<email>x</email>",
		`{"x":1,"email":"jane@example.com"`, `{"at":"yesterday"}`, `eyJlbWFpbCI6ImphbmVAZXhhbXBsZS5jb20ifQ==`,
		`{"jwt":"eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImphbmVAZXhhbXBsZS5jb20ifQ.c2lnbmF0dXJl"}`, `{"x":"a=b&email=jane%40example.com"}`,
		`{"p":"{\"q\":\"{\\\"email\\\":\\\"x\\\"}\"}"}`,
	} {
		if got, report := covered(t, "{mask: value.at=shift=1d, unmaskable: pass}", valueRecord(value)); got != Withheld {
			t.Errorf("%s: got %v, %+v, want it withheld", value, got, report)
		}
	}
	for _, value := range []string{"plain text", `{"id":"7f9c24e8a1b2c3d4e5f60718293a4b5c","u":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","t":"[INFO] started","f":"{name} is here"}`, "", `"x"`, "12"} {
		if got, report := covered(t, "{mask: headers.at=shift=1d, unmaskable: pass}", valueRecord(value)); got != Pass {
			t.Errorf("%s: got %v, %+v, want it to pass", value, got, report.Uncovered)
		}
	}
}

func TestANameIsJudgedWhereverItStands(t *testing.T) {
	for _, places := range []int{1, maxNames + 5, 3000} {
		for _, last := range []bool{false, true} {
			var b strings.Builder
			for i := range places {
				fmt.Fprintf(&b, `,"k%d":{"a":1}`, i)
			}
			doc := b.String()[1:] + `,"wide":{"ssn":"x"},"ssn":"y"`
			if !last {
				doc = `"ssn":"y","wide":{"ssn":"x"},` + b.String()[1:]
			}
			p := pipelineOf(t, Rules{RequireCoverage: true})
			w := p.Worker()
			for i := range 3 { // also when a worker has learned all that it can
				w.Apply(valueRecord(fmt.Sprintf(`{"only%d":{"b":2}}`, i)))
				if got, _ := w.Apply(valueRecord("{" + doc + "}")); got != Withheld {
					t.Errorf("%d names, last %v, time %d: got %v, want it withheld", places, last, i, got)
				}
			}
		}
	}
}

func TestWorkersAgreeAboutNamesWhateverTheySawBefore(t *testing.T) {
	rules := Rules{RequireCoverage: true}
	p := pipelineOf(t, rules)
	used := p.Worker()
	for i := range 6000 {
		value := fmt.Sprintf(`{"n%d":{"first%d":{"name":"x"}},"user":{"m%d":{"name":1}},"customer":{"name":"%d"}}`, i, i, i, i)
		if i%2 == 0 {
			value = fmt.Sprintf(`{"n%d":{"user":{"name":1}},"m":{"k%d":{"name":"x"}}}`, i, i)
		}
		got, _ := used.Apply(valueRecord(value))
		want, _ := p.Trial().Apply(valueRecord(value))
		if got != want {
			t.Fatalf("%s: got %v, a fresh worker has %v", value, got, want)
		}
	}
}

func TestAFailingRuleUndoesNoOther(t *testing.T) {
	record := func() *Record {
		r := valueRecord(`{"m":{"a":1},"email":"jane@example.com","t":"yesterday","u":"https://a.b/"}`)
		r.Key, r.Headers = []byte("jane"), []format.Header{{Key: "t", Value: []byte("yesterday")}, {Key: "h", Value: []byte("x")}}
		return r
	}
	const rules = `{mask: [value.email=redact, value.t=shift=1d, key=redact, headers.t=shift=1d, headers.h=redact], rename: [value.m=email, value.u=v],
		table: {path: value.u, file: t.csv}, endpoints: {from: a.b, to: c.d}, unmaskable: pass}`
	for policy, want := range map[Unmaskable]string{
		PassOn:    `"***" "{\"m\":{\"a\":1},\"email\":\"***\",\"t\":\"yesterday\",\"u\":\"https://c.d/\"}" t="yesterday" h="***" 1700000000000`,
		RedactAll: `"***" "{\"m\":{\"a\":1},\"email\":\"***\",\"t\":\"***\",\"u\":\"***\"}" t="***" h="***" 1700000000000`,
		Withhold:  "",
	} {
		all := mapRules(t, rules)
		all.Unmaskable = policy
		p := pipelineOf(t, all)
		w := p.Worker()
		r := record()
		verdict, err := w.Apply(r)
		if err != nil || (verdict == Pass) != (want != "") || want != "" && spell(r) != want {
			t.Errorf("%s: got %v, %v\n%s, want\n%s", policy, verdict, err, spell(r), want)
		}
		w.Close()
		report := p.Report()
		var counts []int64
		for _, m := range append(report.Masks, report.Maps...) {
			counts = append(counts, m.Fields)
		}
		counted := fmt.Sprint(counts, report.Unmaskable)
		if wanted := map[Unmaskable]string{PassOn: "[1 0 1 0 1 0 1 0 0] 1", RedactAll: "[1 0 1 0 1 0 0 0 0] 1", Withhold: "[0 0 0 0 0 0 0 0 0] 0"}[policy]; counted != wanted {
			t.Errorf("%s: the rules counted %s, want %s", policy, counted, wanted)
		}
	}
}

func TestRequiredPaths(t *testing.T) {
	for _, c := range []struct {
		path  string
		value string
		want  Verdict
	}{
		{"value.user.email", `{"user":{"email":"x"}}`, Pass},
		{"value.user.email", `{"user":{"email":null}}`, Pass},
		{"value.user.email", `{"user":{"Email":"x"}}`, Withheld},
		{"value.user.email", `{"user":[{"email":"x"}]}`, Withheld},
		{"value.user.email", `{"user":"{\"email\":\"x\"}"}`, Withheld},
		{"value.user.email", `{"user":7}`, Withheld},
		{"value.user.email", `{"user":null}`, Withheld},
		{"value.user.email", `{"user":true}`, Withheld},
		{"value.user.email", `{"user":{}}`, Withheld},
		{"value.user.email", `{}`, Withheld},
		{"value.user.email", `[]`, Withheld},
		{"value.user.email", `7`, Withheld},
		{"value.user.email", `{"user":{"email":"x"`, Withheld},
		{"value.user.email", `Avro`, Withheld},
		{"value.items.#.email", `{"items":[{"email":"x"},{"email":"y"}]}`, Pass},
		{"value.items.#.email", `{"items":[{"email":"x"},{"mail":"y"}]}`, Withheld},
		{"value.items.#.email", `{"items":[{"email":"x"},"y"]}`, Withheld},
		{"value.items.#.email", `{"items":[]}`, Pass},
		{"value.items.#.email", `{"items":{"email":"x"}}`, Withheld},
		{"value.*.email", `{"a":{"email":"x"},"b":{"email":"y"}}`, Pass},
		{"value.*.email", `{"a":{"email":"x"},"b":7}`, Withheld},
		{"value.items.1", `{"items":["a"]}`, Withheld},
		{"value.items.1", `{"items":["a","b"]}`, Pass},
		{"value.p|json.email", `{"p":"{\"email\":\"x\"}"}`, Pass},
		{"value.p|json.email", `{"p":{"email":"x"}}`, Pass},
		{"value.p|json.email", `{"p":"{\"mail\":\"x\"}"}`, Withheld},
		{"value.p|json.email", `{"p":""}`, Withheld},
		{"value.p|json.email", `{"p":7}`, Withheld},
		{"value.p|json.email", `{}`, Withheld},
		{"headers.h", `{}`, Withheld},
		{"key", `{}`, Pass},
	} {
		for _, rules := range []string{
			"mask: {path: '%s', action: redact, required: true}", "{mask: '%s=hash', require-match: true}", "remove: {path: '%s', required: true}",
			"{mask: '%s=redact', require-match: true, unmaskable: pass}", "table: {path: '%s', file: t.csv, else: redact, required: true}",
		} {
			all := mapRules(t, fmt.Sprintf(rules, c.path))
			all.secret = testSecret
			if got := applyTo(t, all, valueRecord(c.value)); got != c.want {
				t.Errorf(rules+" on %s: got %v, want %v", c.path, c.value, got, c.want)
			}
		}
	}
}

func TestManyRequiredPathsAtOnePlace(t *testing.T) {
	var masks, fields []string
	for i := range 200 {
		masks = append(masks, fmt.Sprintf("value.f%d=redact", i))
		fields = append(fields, fmt.Sprintf(`"f%d":"x"`, i))
	}
	rules := maskRules(t, masks...)
	rules.RequireMatch = true
	if got := applyTo(t, rules, valueRecord("{"+strings.Join(fields, ",")+"}")); got != Pass {
		t.Errorf("all are there: got %v", got)
	}
	for _, i := range []int{0, 63, 64, 130, 199} {
		some := append(append([]string{}, fields[:i]...), fields[i+1:]...)
		if got := applyTo(t, rules, valueRecord("{"+strings.Join(some, ",")+"}")); got != Withheld {
			t.Errorf("f%d is missing: got %v, want it withheld", i, got)
		}
	}
}

func TestRequiredDoesNotAskWithinWhatAnOuterRuleHides(t *testing.T) {
	rules := maskRules(t, "value.user=redact", "value.user.email=hash")
	rules.Mask[1].Required = true
	if got := applyTo(t, rules, valueRecord(`{"user":{"x":1}}`)); got != Pass {
		t.Errorf("got %v", got)
	}
	r := &Record{Topic: "t"}
	if got := applyTo(t, rules, r); got != Pass {
		t.Errorf("a tombstone: got %v", got)
	}
}

func TestRulesGoIntoTheJSONInStrings(t *testing.T) {
	for _, c := range []struct{ name, rules, value, want string }{
		{"a field", "mask: value.p|json.email=redact", `{"p":"{\"a\": 1,\"email\":\"x\"}","q":1}`, `{"p":"{\"a\": 1,\"email\":\"***\"}","q":1}`},
		{"the rest byte for byte", "mask: value.p|json.b=redact", `{"p":"\u007b\"\u0061\":\"\\u0041\\/\/\u00e9\", \"b\" :\"x\"\n}"}`, `{"p":"\u007b\"\u0061\":\"\\u0041\\/\/\u00e9\", \"b\" :\"***\"\n}"}`},
		{"a string in a string", "mask: value.p|json.q|json.e=redact", `{"p":"{\"q\":\"{\\\"e\\\":\\\"x\\\"}\",\"z\":1}"}`, `{"p":"{\"q\":\"{\\\"e\\\":\\\"***\\\"}\",\"z\":1}"}`},
		{"twice encoded", "mask: value.p|json|json.e=redact", `{"p":"\"{\\\"e\\\":\\\"x\\\"}\""}`, `{"p":"\"{\\\"e\\\":\\\"***\\\"}\""}`},
		{"a value that is a string", "mask: value|json.e=redact", `"{\"e\":\"x\"}"`, `"{\"e\":\"***\"}"`},
		{"what is no string", "mask: value.p|json.e=redact", `{"p":{"e":"x"}}`, `{"p":{"e":"***"}}`},
		{"elements", "mask: value.#.p|json.#.e=redact", `[{"p":"[{\"e\":\"x\"},{\"e\":1}]"},{"p":"[]"},{"p":""},{"p":null}]`, `[{"p":"[{\"e\":\"***\"},{\"e\":0}]"},{"p":"[]"},{"p":""},{"p":null}]`},
		{"drop", "mask: value.p|json.e=drop", `{"p":"{\"a\":1,\"e\":\"x\"}"}`, `{"p":"{\"a\":1}"}`},
		{"beside rules outside", "mask: [value.a=redact, value.p|json.e=redact, value.z=redact]", `{"a":"x","p":"{\"e\":\"x\"}","z":"y"}`, `{"a":"***","p":"{\"e\":\"***\"}","z":"***"}`},
		{"keep around", "mask: [value.p=keep, value.p|json.e=redact]", `{"p":"{\"e\":\"x\"}"}`, `{"p":"{\"e\":\"***\"}"}`},
		{"redact around", "mask: [value.p=redact, value.p|json.e=drop]", `{"p":"{\"e\":\"x\"}"}`, `{"p":"***"}`},
		{"set", "set: value.p|json.env=test", `{"p":"{\"e\":\"x\"}"}`, `{"p":"{\"e\":\"x\",\"env\":\"test\"}"}`},
		{"rename", "rename: value.p|json.e=f", `{"p":"{\"e\":\"x\"}"}`, `{"p":"{\"f\":\"x\"}"}`},
		{"remove", "remove: value.p|json.e", `{"p":"{\"e\":\"x\"}"}`, `{"p":"{}"}`},
		{"text that needs escapes", `mask: value.p|json.e=fixed="\n"`, `{"p":"{\"e\":\"x\"}"}`, `{"p":"{\"e\":\"\\n\"}"}`},
		{"take", "value: value.p|json.e", `{"p":"{\"e\":\"x\"}"}`, `x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valueRecord(c.value)
			if got := applyTo(t, mapRules(t, c.rules), r); got != Pass || string(r.Value) != c.want {
				t.Errorf("%s on %s:\n got %v %s\nwant      %s", c.rules, c.value, got, r.Value, c.want)
			}
		})
	}
	for _, c := range []struct{ rules, value string }{
		{"mask: value.p|json.e=redact", `{"p":"not JSON, jane@example.com"}`},
		{"mask: value.p|json.e=redact", `{"p":"{\"e\":1,\"e\":2}"}`},
		{"mask: value.p|json.e=redact", `{"p":"{\"e\":\"x\""}`},
		{"rename: value.p|json.e=f", `{"p":"{\"e\":1,\"f\":2}"}`},
	} {
		if got := applyTo(t, mapRules(t, c.rules), valueRecord(c.value)); got != Withheld {
			t.Errorf("%s on %s: got %v, want it withheld", c.rules, c.value, got)
		}
	}
	for _, path := range []string{"value.p|json", "value|json", "headers|json.x", "value.p|jso.x"} {
		m, err := ParseMask(path + "=redact")
		if err == nil {
			_, err = Compile(Rules{Mask: []Mask{m}})
		}
		if err == nil {
			t.Errorf("%s is taken for a path", path)
		}
	}
}

func TestTheNetHasNoHolesOfTheseKinds(t *testing.T) {
	for _, value := range []string{
		`{"users":{"john.doe@x.com":1}}`, `{"4111111111111111":{"a":1}}`, `{"a":{"+49 151 23456789":"x"}}`, `{"\u006aohn@x\u002ecom":1}`,
		`{"emails":["foo"]}`, `{"address":{"line1":"foo street"}}`, `{"addresses":[{"line1":"foo"}]}`, `{"phones":{"home":["1"]}}`, `{"Phone_Numbers":[1]}`,
		`{"customer":{"name":"Jane"}}`, `{"emailaddress":"x"}`, `{"ｅｍａｉｌ":"x"}`, `{"contact":{"e-mails":{"x":{"y":["z"]}}}}`,
		`{"t":"call +49 151 23456789 now"}`, `{"t":"or (555) 123-4567."}`, `{"t":"or 555-123-4567, 3 times"}`, `{"t":"from 10.1.2.3 at noon"}`,
		`{"t":"lives at 12 Main Street, Springfield"}`, `{"t":"Hauptstraße 5, Berlin"}`, `{"t":"Hauptstr. 5"}`, `{"t":"[2001:db8::17]:443 said"}`,
		`{"t":"de89370400440532013000"}`, `{"t":"pay gb82 west 1234 5698 7654 32"}`,
		"{\"t\":\"4111\u00a01111\u00a01111\u00a01111\"}", "{\"t\":\"4111\u20111111\u20111111\u20111111\"}", "{\"t\":\"DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00\"}",
		`{"t":"４１１１１１１１１１１１１１１１"}`, `{"t":"jane＠example．com"}`, "{\"t\":\"jane\u200b@example.com\"}", "{\"t\":\"41\u00ad11111111111111\"}",
		"{\"t\":\"٤١١١١١١١١١١١١١١١\"}", "{\"t\":\"+49\u2009151\u201423456789\"}",
		`{"t":4111111111111111}`, `{"t":4.111111111111111e15}`, `{"t":4111111111111111.0}`, `{"t":"2026-11-28 4111 1111 1111 1111"}`,
		`{"t":"4111.1111.1111.1111"}`, `{"t":"\"john doe\"@example.com"}`, `{"t":"jane@[10.0.0.1]"}`, `{"t":"6a616e65406578616d706c652e636f6d"}`,
	} {
		if got, _ := covered(t, "{}", valueRecord(value)); got != Withheld {
			t.Errorf("%s: got %v, want it withheld", value, got)
		}
		withheldBesideTheValue(t, value, value)
	}
	r := valueRecord("{}")
	r.Headers = []format.Header{{Key: "john@x.com"}}
	if got, _ := covered(t, "{}", r); got != Withheld {
		t.Errorf("the name of a header: got %v, want it withheld", got)
	}
}

func TestNamesThatArePersonalAreNotTold(t *testing.T) {
	r := valueRecord(`{"users":{"S3CRET@example.com":{"ssn":"1"}},"t":{"S3CRET2@example.com":["S3CRET3@example.com"]}}`)
	r.Headers = []format.Header{{Key: "S3CRET4@example.com", Value: []byte("S3CRET5@example.com")}}
	_, report := covered(t, "{mask: value.x=redact, rename: value.users=u}", r)
	text := fmt.Sprintf("%+v", report)
	if strings.Contains(text, "S3CRET") || !strings.Contains(text, "value.users.*.ssn") || !strings.Contains(text, "e-mail as a name") || !strings.Contains(text, "headers.*") {
		t.Errorf("got %s", text)
	}
}
