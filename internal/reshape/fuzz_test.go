package reshape

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/seeds"
)

// FuzzFilter compiles any expression and evaluates it on any value: it is decided, undecided or refused, twice the same.
func FuzzFilter(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, expression string, value []byte) {
		if len(expression) > 200 { // nested comprehensions over a large value take their time
			return
		}
		p, err := Compile(filterRules(expression))
		if err != nil {
			if wrong, ok := errors.AsType[*FilterError](err); ok && (wrong.Column < 1 || wrong.Line < 1 || wrong.Snippet() == "") {
				t.Errorf("%q: %+v points nowhere", expression, wrong)
			}
			return
		}
		record := func() *Record {
			return &Record{Topic: "t", Record: format.Record{Key: value, Value: value, Headers: []format.Header{{Key: "h", Value: value}}}}
		}
		w := p.Worker()
		first, err1 := w.Apply(record())
		again, err2 := w.Apply(record())
		if first != again || err1 != nil || err2 != nil {
			t.Errorf("%q: %v, %v and then %v, %v", expression, first, err1, again, err2)
		}
	})
}

// FuzzPath reads any path: what is taken spells itself the same, and finds its way through any value.
func FuzzPath(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, text string, value []byte) {
		p, err := ParsePath(text)
		if err != nil {
			if !errors.Is(err, ErrPath) {
				t.Errorf("%q: %v is no ErrPath", text, err)
			}
			return
		}
		again, err := ParsePath(p.String())
		if err != nil || again != p {
			t.Errorf("%q is spelled %q, which is %+v, %v", text, p, again, err)
		}
		r := &Record{Topic: "t", Record: format.Record{Key: value, Value: value, Headers: []format.Header{{Key: "h", Value: value}}}}
		p.Get(r).AppendText(nil)
		if steps, err := p.pattern(); err == nil && p.rest != "" && p.root <= KeyRoot {
			w := walker{root: newRoot(patterns{steps}, false)}
			w.walk(value)
		}
	})
}

// FuzzRules reads any file of rules, compiles it and runs it on any value.
func FuzzRules(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, text, value []byte) {
		rules, err := ParseRules("rules.yaml", text)
		if err != nil || len(text) > 500 {
			return
		}
		sources := testSources(map[string]string{"t.csv": "a,b\n"})
		if rules.Resolve(sources) != nil {
			return
		}
		if again, err := ParseRules("rules.yaml", text); err != nil || again.Resolve(sources) != nil || again.Hash() != rules.Hash() {
			t.Errorf("%q has two hashes", text)
		}
		p, err := Compile(rules)
		if err != nil {
			return
		}
		w := p.Worker()
		r := &Record{Topic: "t", Record: format.Record{Key: value, Value: value, TimestampMs: 1700000000000}}
		verdict, err := w.Apply(r)
		if err != nil && !rules.Strict {
			t.Errorf("%q: %v", text, err)
		}
		w.Close()
		if report := p.Report(); err == nil && (report.Read != 1 || (report.Passed == 1) != (verdict == Pass)) {
			t.Errorf("%q: %v, and the report says %+v", text, verdict, report)
		}
	})
}

// FuzzEditor masks any document by any rule. What passes is JSON as before, and another decoder agrees about what was JSON.
func FuzzEditor(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, rule string, doc []byte) {
		m, err := ParseMask("value." + rule)
		if err != nil || m.Action == Fixed && m.Fixed.IsZero() {
			return
		}
		p, err := Compile(Rules{Mask: []Mask{m}, secret: testSecret})
		if err != nil {
			return
		}
		before := string(doc)
		r := valueRecord(before)
		verdict, err := p.Worker().Apply(r)
		switch {
		case err != nil:
			t.Fatal(err)
		case verdict == Pass && CheckJSON(doc) != nil:
			t.Errorf("%s on %q passed, and it is not JSON", m, doc)
		case verdict == Pass && !json.Valid(r.Value):
			t.Errorf("%s on %q made %q", m, doc, r.Value)
		case verdict == Pass && CheckJSON(r.Value) != nil:
			t.Errorf("%s on %q made %q, which is not strictly JSON", m, doc, r.Value)
		case string(doc) != before:
			t.Errorf("%s wrote to what it was given", m)
		}
	})
}

// FuzzStrict compares the check with encoding/json: what is valid here is valid there, and there is one reason for each difference.
func FuzzStrict(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		err := CheckJSON(doc)
		valid := json.Valid(doc)
		switch {
		case err == nil && !valid:
			t.Errorf("%q is valid here alone", doc)
		case err != nil && valid && !allowedRefusal(err) && !tooDeep(err):
			t.Errorf("%q is valid elsewhere: %v", doc, err)
		}
	})
}

func tooDeep(err error) bool {
	s, ok := errors.AsType[*syntax](err)
	return ok && s.what == errTooDeep.Error()
}
