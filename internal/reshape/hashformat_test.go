package reshape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

func formatted(t *testing.T, raw string) string {
	t.Helper()
	r := valueRecord(`[` + raw + `]`)
	if got := applyTo(t, maskRules(t, "value.#=hash-format"), r); got != Pass {
		t.Fatalf("%s: %v", raw, got)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(r.Value), "["), "]")
}

func TestHashFormatKeepsTheForm(t *testing.T) {
	for raw, form := range map[string]string{
		`"jane.miller@example.org"`:              `^"[0-9a-v]{16}@example\.com"$`,
		`"4111 1111 1111 1111"`:                  `^"[1-9]\d{3} \d{4} \d{4} \d{4}"$`,
		`"+49 151 23456789"`:                     `^"\+[1-9]\d \d{3} \d{8}"$`,
		`"6ba7b810-9dad-41d1-80b4-00c04fd430c8"`: `^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"$`,
		`"Jane Miller"`:                          `^"[A-Z][a-z]{3} [A-Z][a-z]{5}"$`,
		`"Jürgen Groß"`:                          `^"[A-Z][a-z]{5} [A-Z][a-z]{3}"$`,
		`"漢字1"`:                                  `^"[a-z]{2}\d"$`,
		`12345`:                                  `^[1-9]\d{4}$`,
		`-12.50`:                                 `^-[1-9]\d\.\d\d$`,
		`0.25`:                                   `^0\.\d\d$`,
		`1.5e-7`:                                 `^[1-9]\.\de-7$`,
		`1234567890123456789`:                    `^1\d{18}$`,
		`"---"`:                                  `^"[0-9a-f]{32}"$`,
		`""`:                                     `^""$`,
		`null`:                                   `^null$`,
		`0`:                                      `^0$`,
		`{"a":1}`:                                `^"[0-9a-f]{32}"$`,
		`"AB-1234/x"`:                            `^"[A-Z]{2}-[1-9]\d{3}/[a-z]"$`,
		`"\ud800"`:                               `^"[0-9a-f]{32}"$`,
	} {
		got := formatted(t, raw)
		if !regexp.MustCompile(form).MatchString(got) || !json.Valid([]byte(got)) {
			t.Errorf("%s: got %s, want the form %s", raw, got, form)
		}
		if got == raw && !isBlank([]byte(raw)) {
			t.Errorf("%s stays as it is", raw)
		}
		if again := formatted(t, raw); again != got {
			t.Errorf("%s: got %s and then %s", raw, got, again)
		}
	}
}

func TestHashFormatIsAPermutationWithoutFixedPoints(t *testing.T) {
	for form, texts := range map[string]int{"%d": 10, "%02d": 100, "%04d": 10000, "x%d": 10} {
		seen := map[string]string{}
		w := pipelineOf(t, maskRules(t, "key=hash-format")).KeepingWorker()
		for i := range texts {
			text := fmt.Sprintf(form, i)
			if strings.Trim(text, "0") == "" && form == "%d" {
				continue // nothing to change
			}
			r := &Record{Topic: "t", Record: format.Record{Key: []byte(text)}}
			if _, err := w.Apply(r); err != nil {
				t.Fatal(err)
			}
			got := string(r.Key)
			if other, twice := seen[got]; twice || got == text {
				t.Fatalf("%s: %s and %s become %s", form, other, text, got)
			}
			seen[got] = text
		}
	}
}

func TestHashFormatJoinsTextsAndNumbers(t *testing.T) {
	r := &Record{Topic: "t", Record: format.Record{Key: []byte("4711"), Value: []byte(`{"n":4711,"s":"4711"}`)}}
	applyTo(t, maskRules(t, "key=hash-format", "value.*=hash-format"), r)
	want := fmt.Sprintf(`{"n":%s,"s":"%[1]s"}`, r.Key)
	if string(r.Value) != want || string(r.Key) == "4711" {
		t.Errorf("got key %s and %s, want %s", r.Key, r.Value, want)
	}
	other := maskRules(t, "key=hash-format")
	other.secret = []byte("another key of sixteen")
	again := &Record{Topic: "t", Record: format.Record{Key: []byte("4711")}}
	if applyTo(t, other, again); bytes.Equal(again.Key, r.Key) {
		t.Errorf("another key gives %s too", again.Key)
	}
}

func TestHashFormatTakesTextsOfAnyLength(t *testing.T) {
	for _, size := range []int{maxWheels, maxWheels + 1, 100000} {
		text := strings.Repeat("a", size)
		if got := formatted(t, `"`+text+`"`); len(got) != size+2 || strings.Contains(got, "aaaaaaaa") {
			t.Errorf("%d: got %d characters", size, len(got)-2)
		}
	}
}

func TestHashFormatNeedsAKeyAndCovers(t *testing.T) {
	rules := maskRules(t, "value.email=hash-format")
	rules.RequireCoverage = true
	r := valueRecord(`{"email":"jane@example.org"}`)
	if got := applyTo(t, rules, r); got != Pass {
		t.Errorf("got %v", got)
	}
	rules.secret = nil
	if _, err := Compile(rules); err != ErrNoKey {
		t.Errorf("without a key: got %v", err)
	}
}

func TestAMaskOnTheCommandLineCanNameItsTopic(t *testing.T) {
	for text, want := range map[string]Mask{
		"orders:value.a=redact":   {Selector: Selector{Path: "value.a", Topics: []string{"orders"}}, Action: Redact},
		"pay-*:key=drop":          {Selector: Selector{Path: "key", Topics: []string{"pay-*"}}, Action: Drop},
		"a.b:headers.x:y=keep":    {Selector: Selector{Path: "headers.x:y", Topics: []string{"a.b"}}, Action: Keep},
		"value.a:b=redact":        {Selector: Selector{Path: "value.a:b"}, Action: Redact},
		"value:value.a=redact":    {Selector: Selector{Path: "value.a", Topics: []string{"value"}}, Action: Redact},
		"headers.a:b=redact":      {Selector: Selector{Path: "headers.a:b"}, Action: Redact},
		"value=redact":            {Selector: Selector{Path: "value"}, Action: Redact},
		"value|json.a:b=redact":   {Selector: Selector{Path: "value|json.a:b"}, Action: Redact},
		"orders:value.a=fixed=:x": {Selector: Selector{Path: "value.a", Topics: []string{"orders"}}, Action: Fixed, Fixed: TextConstant(":x")},
	} {
		got, err := ParseMask(text)
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestEveryActionIsInEveryPlace(t *testing.T) {
	for i := range actions {
		a := &actions[i]
		text, file := string(a.name), string(a.name)
		if a.parse != nil {
			text, file = text+"=5d", fmt.Sprintf("%s, %s: 5d", a.name, a.name)
		}
		fromFlag, err := ParseMask("value.x=" + text)
		if err != nil {
			t.Fatal(err)
		}
		fromFile, err := ParseRules("r.yaml", []byte("mask: {path: value.x, action: "+file+"}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := fromFile.Mask[0]; got.String() != fromFlag.String() || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", fromFlag) {
			t.Errorf("%s: a file gives %+v, a flag %+v", a.name, got, fromFlag)
		}
		if again, err := ParseMask(fromFlag.String()); err != nil || again.String() != fromFlag.String() {
			t.Errorf("%s is spelled %s: %v", a.name, fromFlag, err)
		}
		if _, err := Compile(Rules{Mask: []Mask{fromFlag}, secret: testSecret}); err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
		if _, err := Compile(Rules{Mask: []Mask{fromFlag}}); (err == ErrNoKey) != a.keyed {
			t.Errorf("%s without a key: %v", a.name, err)
		}
		if !strings.Contains(ActionUsage(), a.String()) || !strings.Contains(ActionHelp(""), a.String()+" ") || len(a.help) == 0 {
			t.Errorf("%s is not explained", a.name)
		}
	}
}

func TestActionsThatHideLeaveNothingOfATextAndOthersDoNotCountAsCover(t *testing.T) {
	const text = "secretive wording, 48151623"
	for i := range actions {
		a := &actions[i]
		if a.made == nil || a.times { // times become other times
			continue
		}
		spelled := "value.x=" + string(a.name)
		if a.parse != nil {
			spelled += "=5d"
		}
		r := valueRecord(`{"x":"` + text + `"}`)
		if v := applyTo(t, maskRules(t, spelled), r); v != Pass {
			t.Errorf("%s: got %v", spelled, v)
		}
		left := false
		for from := range len(text) - 3 {
			left = left || strings.Contains(string(r.Value), text[from:from+4])
		}
		if left == a.hides {
			t.Errorf("%s: hides is %v in the table, and the value became %s", a.name, a.hides, r.Value)
		}
	}
}
