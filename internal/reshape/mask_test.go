package reshape

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

// maskRules are rules as flags spell them, with a key.
func maskRules(t *testing.T, masks ...string) Rules {
	t.Helper()
	r := Rules{secret: testSecret}
	for _, text := range masks {
		m, err := ParseMask(text)
		if err != nil {
			t.Fatal(err)
		}
		r.Mask = append(r.Mask, m)
	}
	return r
}

func applyTo(t *testing.T, rules Rules, r *Record) Verdict {
	t.Helper()
	verdict, err := pipelineOf(t, rules).Worker().Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

func valueRecord(value string) *Record {
	return &Record{Topic: "t", Record: format.Record{Key: []byte("k"), Value: []byte(value), TimestampMs: 1700000000000}}
}

func TestMasksChangeWhatTheyNameAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		name, rules, value, want string
	}{
		{"redact by type", `value.a=redact value.b=redact value.c=redact value.d=redact value.e=redact value.f=redact`,
			`{"a":"x","b":1.50,"c":true,"d":{"x":1},"e":[1],"f":null}`, `{"a":"***","b":0,"c":false,"d":{},"e":[],"f":null}`},
		{"the rest byte for byte", `value.a=redact`,
			" { \"z\" : 1.0e+2 ,\r\n\t\"a\" :\"x\\u0041\" , \"é\\u00e9\" : \"\\/\" , \"n\":-0 } ", " { \"z\" : 1.0e+2 ,\r\n\t\"a\" :\"***\" , \"é\\u00e9\" : \"\\/\" , \"n\":-0 } "},
		{"a name in escapes", `value.a.b=redact`, `{"\u0061":{"\u0062":"x"}}`, `{"\u0061":{"\u0062":"***"}}`},
		{"every element", `value.items.#.email=redact`, `{"items":[{"email":"a"},{"email":"b","x":1},{"y":2},3,{"email":["c"]}]}`,
			`{"items":[{"email":"***"},{"email":"***","x":1},{"y":2},3,{"email":[]}]}`},
		{"elements in elements", `value.#.#.e=redact`, `[[{"e":"a"}],[],[{"e":"b"},{"e":"c"}]]`, `[[{"e":"***"}],[],[{"e":"***"},{"e":"***"}]]`},
		{"all elements", `value.tags.#=redact`, `{"tags":["a","b"]}`, `{"tags":["***","***"]}`},
		{"one element", `value.items.1=redact`, `{"items":["a","b","c"]}`, `{"items":["a","***","c"]}`},
		{"a number that is a name", `value.items.1=redact`, `{"items":{"0":"a","1":"b"}}`, `{"items":{"0":"a","1":"***"}}`},
		{"a glob", `value.*mail=redact`, `{"email":"a","mail":"b","mailbox":"c"}`, `{"email":"***","mail":"***","mailbox":"c"}`},
		{"star over members and elements", `value.*.e=redact`, `{"a":{"e":"x"},"b":{"e":"y"}}`, `{"a":{"e":"***"},"b":{"e":"***"}}`},
		{"star over elements", `value.*.e=redact`, `[{"e":"x"},{"e":"y"}]`, `[{"e":"***"},{"e":"***"}]`},
		{"a name with a dot", `value.a\.b=redact`, `{"a.b":"x","a":{"b":"y"}}`, `{"a.b":"***","a":{"b":"y"}}`},
		{"a name with a star", `value.a\*=redact`, `{"a*":"x","ab":"y"}`, `{"a*":"***","ab":"y"}`},
		{"the first rule holds", `value.a=keep value.*=redact`, `{"a":"x","b":"y"}`, `{"a":"x","b":"***"}`},
		{"an outer rule covers", `value.u=redact value.u.e=hash`, `{"u":{"e":"x"}}`, `{"u":{}}`},
		{"keep lets inner rules through", `value.u=keep value.u.e=redact`, `{"u":{"e":"x","f":"y"}}`, `{"u":{"e":"***","f":"y"}}`},
		{"fixed text", `value.a=fixed=Jane`, `{"a":1}`, `{"a":"Jane"}`},
		{"fixed JSON", `value.a=fixed={"x":[1]} value.b=fixed="12" value.c=fixed=12 value.d=fixed=null`, `{"a":1,"b":1,"c":"c","d":1}`,
			`{"a":{"x":[1]},"b":"12","c":12,"d":null}`},
		{"drop the first", `value.a=drop`, `{ "a" : 1 , "b" : 2 , "c" : 3 }`, `{ "b" : 2 , "c" : 3 }`},
		{"drop in the middle", `value.b=drop`, `{ "a" : 1 , "b" : 2 , "c" : 3 }`, `{ "a" : 1 , "c" : 3 }`},
		{"drop the last", `value.c=drop`, `{ "a" : 1 , "b" : 2 , "c" : 3 }`, `{ "a" : 1 , "b" : 2 }`},
		{"drop all but the first", `value.b=drop value.c=drop`, `{"a":1,"b":2,"c":3}`, `{"a":1}`},
		{"drop all but the middle", `value.a=drop value.c=drop`, `{"a":1,"b":2,"c":3}`, `{"b":2}`},
		{"drop all", `value.*=drop`, `{ "a":1 , "b":2 }`, `{  }`},
		{"drop elements", `value.#=drop`, `[1, 2]`, `[]`},
		{"drop the last element", `value.2=drop`, `[1, 2, 3]`, `[1, 2]`},
		{"drop and change side by side", `value.a=drop value.b=redact value.c=drop`, `{"a":1,"b":"x","c":3}`, `{"b":"***"}`},
		{"drop in what is kept", `value.a=keep value.a.x=drop value.b=drop`, `{"a":{"x":1},"b":2}`, `{"a":{}}`},
		{"nothing there", `value.a=redact value.b.c=drop`, `{"b":1,"x":[ ]}`, `{"b":1,"x":[ ]}`},
		{"shift a text", `value.at=shift=-1d`, `{"at":"2026-03-01T12:00:00.120+02:00"}`, `{"at":"2026-02-28T12:00:00.120+02:00"}`},
		{"shift numbers", `value.#=shift=1h`, `[1772366400,1772366400123,1772366400123456,1772366400123456789,null]`,
			`[1772370000,1772370000123,1772370000123456,1772370000123456789,null]`},
		{"the root", `value.#=fixed=1`, `7`, `7`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valueRecord(c.value)
			if got := applyTo(t, maskRules(t, strings.Fields(c.rules)...), r); got != Pass || string(r.Value) != c.want {
				t.Errorf("%s on %s:\n got %v %s\nwant      %s", c.rules, c.value, got, r.Value, c.want)
			}
		})
	}
}

func TestTheSameTextHasTheSameTokenEverywhere(t *testing.T) {
	const token = "3b12d0412db185c98ff58825ed4c81cf" // printf 42 | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef | head -c 32
	r := &Record{Topic: "t", Record: format.Record{
		Key: []byte("42"), Value: []byte(`{"n":42,"s":"42","e":"\u0034\u0032","list":["42",null]}`), Headers: []format.Header{{Key: "user", Value: []byte("42")}},
	}}
	applyTo(t, maskRules(t, "key=hash", "value.n=hash", "value.s=hash", "value.e=hash", "value.list.#=hash", "headers.user=hash"), r)
	want := `{"n":"T","s":"T","e":"T","list":["T",null]}`
	if got := strings.ReplaceAll(string(r.Value), token, "T"); got != want {
		t.Errorf("value: got %s, want %s", r.Value, want)
	}
	if string(r.Key) != token || string(r.Headers[0].Value) != token {
		t.Errorf("key %s, header %s, want %s", r.Key, r.Headers[0].Value, token)
	}
}

func TestMasksOnWholePayloadsAndHeaders(t *testing.T) {
	record := func() *Record {
		return &Record{Topic: "t", Record: format.Record{
			Key: []byte("Jane"), Value: []byte("\x00\xffnot JSON"), TimestampMs: 1700000000000,
			Headers: []format.Header{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}, {Key: "a"}, {Key: "a.c", Value: []byte("3")}},
		}}
	}
	for _, c := range []struct{ rules, want string }{
		{"key=redact", `"***" "\x00\xffnot JSON" a="1" b="2" a=null a.c="3" 1700000000000`},
		{"key=drop value=drop", `null null a="1" b="2" a=null a.c="3" 1700000000000`},
		{"value=fixed={}", `"Jane" "{}" a="1" b="2" a=null a.c="3" 1700000000000`},
		{"value=fixed=null key=fixed=x", `"x" null a="1" b="2" a=null a.c="3" 1700000000000`},
		{"headers.a=redact", `"Jane" "\x00\xffnot JSON" a="***" b="2" a=null a.c="3" 1700000000000`},
		{"headers.a=drop", `"Jane" "\x00\xffnot JSON" b="2" a.c="3" 1700000000000`},
		{"headers.a.c=fixed=9", `"Jane" "\x00\xffnot JSON" a="1" b="2" a=null a.c="9" 1700000000000`},
		{"headers.b=keep headers.*=drop", `"Jane" "\x00\xffnot JSON" b="2" 1700000000000`},
		{"timestamp=shift=-1s", `"Jane" "\x00\xffnot JSON" a="1" b="2" a=null a.c="3" 1699999999000`},
	} {
		r := record()
		given := r.Headers
		if got := applyTo(t, maskRules(t, strings.Fields(c.rules)...), r); got != Pass || spell(r) != c.want {
			t.Errorf("%s:\n got %v %s\nwant      %s", c.rules, got, spell(r), c.want)
		}
		if before := record(); string(given[0].Value) != string(before.Headers[0].Value) || given[1].Key != "b" {
			t.Errorf("%s: the headers that were given are changed", c.rules)
		}
	}
}

// spell is a record on one line.
func spell(r *Record) string {
	var b strings.Builder
	payload := func(p []byte) string {
		if p == nil {
			return "null"
		}
		return strconv.Quote(string(p))
	}
	b.WriteString(payload(r.Key) + " " + payload(r.Value))
	for _, h := range r.Headers {
		b.WriteString(" " + h.Key + "=" + payload(h.Value))
	}
	b.WriteString(" " + strconv.FormatInt(r.TimestampMs, 10))
	return b.String()
}

func TestMasksLeaveNullAlone(t *testing.T) {
	r := &Record{Topic: "t", Record: format.Record{Headers: []format.Header{{Key: "h"}}}}
	rules := maskRules(t, "value=redact", "value.a=hash", "key=fixed=x", "key.id=hash", "headers.h=hash")
	if got := applyTo(t, rules, r); got != Pass || r.Key != nil || r.Value != nil || r.Headers[0].Value != nil {
		t.Errorf("got %v, %s, want a record of nulls to pass as it is", got, spell(r))
	}
}

// notJSON are values that no rule about a field can be applied to.
var notJSON = map[string]string{
	"Avro":               "\x00\x00\x00\x00\x07\x1cjane@example.com",
	"broken":             `{"email":"jane@example.com"`,
	"equal names":        `{"email":"x","email":"jane@example.com"}`,
	"equal by escapes":   `{"email":"x","\u0065mail":"jane@example.com"}`,
	"equal deeper":       `{"x":{"a":1,"a":"jane@example.com"}}`,
	"two documents":      `{"email":"x"} {"email":"jane@example.com"}`,
	"text":               `jane@example.com`,
	"empty":              ``,
	"not UTF-8":          "{\"email\":\"x\",\"name\":\"\xffjane@example.com\"}",
	"a byte order mark":  "\xef\xbb\xbf{\"email\":\"jane@example.com\"}",
	"a comma at the end": `{"email":"jane@example.com",}`,
}

func TestWhatCannotBeMaskedIsWithheld(t *testing.T) {
	for name, value := range notJSON {
		for _, rule := range []string{"value.email=redact", "value.email=drop", "value.other=hash", "value.items.#.x=fixed=1"} {
			p := pipelineOf(t, maskRules(t, rule))
			w := p.Worker()
			if got, err := w.Apply(valueRecord(value)); got != Withheld || err != nil {
				t.Errorf("%s, %s: got %v, %v, want it withheld", name, rule, got, err)
			}
			w.Close()
			if r := p.Report(); r.Withheld != 1 || !r.Incomplete() || len(r.WithheldFor) != 1 {
				t.Errorf("%s, %s: the report says %+v", name, rule, r)
			}
		}
	}
}

func TestUnmaskableMayPassOrBeRedacted(t *testing.T) {
	for name, value := range notJSON {
		for policy, want := range map[Unmaskable]string{PassOn: value, RedactAll: redacted} {
			rules := maskRules(t, "value.email=redact", "headers.h=redact")
			rules.Unmaskable = policy
			r := valueRecord(value)
			r.Headers = []format.Header{{Key: "h", Value: []byte("secret")}}
			p := pipelineOf(t, rules)
			w := p.Worker()
			if got, err := w.Apply(r); got != Pass || err != nil || string(r.Value) != want || string(r.Headers[0].Value) != redacted {
				t.Errorf("%s, %s: got %v, %v, %q", name, policy, got, err, r.Value)
			}
			w.Close()
			if n := p.Report().Unmaskable; n != 1 {
				t.Errorf("%s, %s: %d are counted, want 1", name, policy, n)
			}
		}
	}
}

func TestKeysAreMaskedOrWithheldToo(t *testing.T) {
	r := valueRecord(`{}`)
	r.Key = []byte(`{"id": 7,"email":"x"}`)
	if got := applyTo(t, maskRules(t, "key.email=drop", "key.id=hash"), r); got != Pass || !strings.HasPrefix(string(r.Key), `{"id": "`) {
		t.Errorf("got %v, %s", got, r.Key)
	}
	r.Key = []byte("jane@example.com")
	if got := applyTo(t, maskRules(t, "key.email=drop"), r); got != Withheld {
		t.Errorf("a key that is not JSON: got %v, want it withheld", got)
	}
}

func TestTimesThatAreNoneAreWithheld(t *testing.T) {
	for _, at := range []string{`"yesterday"`, `"2026-13-01"`, `"2026-02-30T00:00:00Z"`, `true`, `1.5`, `{}`, `""`, `"9999-12-31"`, `9223372036854775807`} {
		if got := applyTo(t, maskRules(t, "value.at=shift=1d"), valueRecord(`{"at":`+at+`}`)); got != Withheld {
			t.Errorf("%s: got %v, want it withheld", at, got)
		}
	}
}

func TestShiftKeepsTheSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-01":                         "2026-03-08",
		"2026-03-01T12:00:00":                "2026-03-08T12:00:00",
		"2026-03-01 12:00:00":                "2026-03-08 12:00:00",
		"2026-03-01T12:00:00Z":               "2026-03-08T12:00:00Z",
		"2026-03-01T12:00:00.1Z":             "2026-03-08T12:00:00.1Z",
		"2026-03-01T12:00:00.123456789-0930": "2026-03-08T12:00:00.123456789-0930",
		"2026-03-01T12:00:00.000000+00:00":   "2026-03-08T12:00:00.000000+00:00",
		"1772366400":                         "1772971200",
		"-86400":                             "518400",
	} {
		r := valueRecord(`["` + in + `"]`)
		if got := applyTo(t, maskRules(t, "value.#=shift=7d"), r); got != Pass || string(r.Value) != `["`+want+`"]` {
			t.Errorf("%s: got %v %s, want %s", in, got, r.Value, want)
		}
	}
}

func TestRulesKeepToTheirTopics(t *testing.T) {
	rules, err := ParseRules("r.yaml", []byte("mask: [{path: value.a, action: redact, topics: [orders, pay-*]}]"))
	if err != nil {
		t.Fatal(err)
	}
	p := pipelineOf(t, rules)
	w := p.Worker()
	for topic, want := range map[string]string{"orders": "***", "pay-eu": "***", "payments": "x", "other": "x"} {
		r := valueRecord(`{"a":"x"}`)
		r.Topic = topic
		if _, err := w.Apply(r); err != nil || string(r.Value) != `{"a":"`+want+`"}` {
			t.Errorf("%s: got %s, %v", topic, r.Value, err)
		}
	}
	binary := valueRecord("\x00\x01")
	binary.Topic = "other"
	if got, _ := w.Apply(binary); got != Pass {
		t.Errorf("a topic without a rule: got %v, want its Avro to pass", got)
	}
}

func TestWhatAWorkerKeepsIsNotWrittenTo(t *testing.T) {
	p := pipelineOf(t, maskRules(t, "value.a=hash", "headers.h=hash", "key=hash"))
	w := p.KeepingWorker()
	var records []*Record
	var want []string
	for i := range 3000 {
		r := valueRecord(`{"a":` + strconv.Itoa(i) + `,"pad":"` + strings.Repeat("x", i%200) + `"}`)
		r.Headers = []format.Header{{Key: "h", Value: []byte(strconv.Itoa(i))}}
		if _, err := w.Apply(r); err != nil {
			t.Fatal(err)
		}
		records, want = append(records, r), append(want, spell(r))
	}
	for i, r := range records {
		if got := spell(r); got != want[i] {
			t.Fatalf("record %d changed afterwards: %s, was %s", i, got, want[i])
		}
	}
}

func TestGivenBytesAreNeverWrittenTo(t *testing.T) {
	rules := maskRules(t, "value.user.email=hash", "value.items.#.price=redact", "value.created=shift=1d", "key=hash", "headers.type=drop")
	rules.Set = []Set{{Selector{Path: "value.env"}, TextConstant("test")}}
	r, before := anOrder(), anOrder()
	value, key := r.Value, r.Key
	applyTo(t, rules, r)
	if !bytes.Equal(value, before.Value) || !bytes.Equal(key, before.Key) {
		t.Error("the bytes that were given are changed")
	}
}
