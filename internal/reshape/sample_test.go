package reshape

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
)

func sampleRules(t *testing.T, rate string, by ...string) Rules {
	t.Helper()
	r, err := ParseRate(rate)
	if err != nil {
		t.Fatal(err)
	}
	rules := Rules{Sample: Sample{Rate: r}}
	for _, b := range by {
		if err := rules.Sample.ParseSampleBy(b); err != nil {
			t.Fatal(err)
		}
	}
	return rules
}

func TestSampleKeepsEntitiesWholeAcrossTopics(t *testing.T) {
	users := pipelineOf(t, sampleRules(t, "10%", "value.id")).Worker()
	orders := pipelineOf(t, sampleRules(t, "10%", "value.none", "value.user.id", "key")).Worker()
	payments := pipelineOf(t, sampleRules(t, "10%")).Worker()
	events := pipelineOf(t, sampleRules(t, "10%", "headers.user")).Worker()
	kept := 0
	for i := range 5000 {
		id := fmt.Sprint("user-", i)
		records := map[*Worker]*Record{
			users:    {Topic: "users", Record: format.Record{Value: []byte(`{"id":"` + id + `"}`)}},
			orders:   {Topic: "orders", Record: format.Record{Key: []byte("x"), Value: []byte(`{"user":{"id":"\u0075` + id[1:] + `"}}`)}},
			payments: {Topic: "payments", Record: format.Record{Key: []byte(id)}},
			events:   {Topic: "e", Record: format.Record{Headers: []format.Header{{Key: "user", Value: []byte("old")}, {Key: "user", Value: []byte(id)}}}},
		}
		want := map[bool]Verdict{true: Pass, false: SampledOut}[xxh3.HashString(id) < 1844674407370955161]
		if want == Pass {
			kept++
		}
		for w, r := range records {
			if got, err := w.Apply(r); got != want || err != nil {
				t.Fatalf("%s in %s: got %v, %v, want %v", id, r.Topic, got, err, want)
			}
		}
	}
	if kept < 400 || kept > 600 {
		t.Errorf("%d of 5000 are kept at 10%%", kept)
	}
}

func TestRatesAreExactPartsOfTwoToThe64th(t *testing.T) {
	for text, want := range map[string]string{"50%": "9223372036854775808", "0.5": "9223372036854775808", "5%": "922337203685477580", ".25": "4611686018427387904", "0.1%": "18446744073709551", "99.9999%": "18446725626965477"} {
		r, err := ParseRate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := new(big.Int).SetUint64(r.threshold).String(); !strings.HasPrefix(got, want) || r.All() {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"100%", "1", "1.0"} {
		if r, err := ParseRate(text); err != nil || !r.All() {
			t.Errorf("%s: got %v, %v, want all", text, r, err)
		}
	}
	for _, text := range []string{"", "%", "0", "0%", "101%", "1.1", "-5%", "1/20", "1e-3", "5 percent", "NaN", "0x1", "5%%"} {
		if r, err := ParseRate(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, r)
		}
	}
}

func TestRandomSamplesDependOnSeedAndPlaceAlone(t *testing.T) {
	kept := func(by string) string {
		w := pipelineOf(t, sampleRules(t, "20%", by)).Worker()
		var b strings.Builder
		for i := range 1000 {
			r := &Record{Topic: "t", Partition: int32(i % 3), Record: format.Record{Offset: int64(i), Key: []byte("the same")}}
			if v, _ := w.Apply(r); v == Pass {
				fmt.Fprint(&b, i, " ")
			}
		}
		return b.String()
	}
	first := kept("random:1")
	if n := strings.Count(first, " "); n < 140 || n > 260 {
		t.Errorf("%d of 1000 are kept at 20%%", n)
	}
	if again := kept("random:1"); again != first {
		t.Error("the same seed keeps other records")
	}
	if other := kept("random:2"); other == first {
		t.Error("another seed keeps the same records")
	}
	if kept("random") != kept("random:0") {
		t.Error("no seed is not seed 0")
	}
}

func TestRecordsWithoutAnEntityAreSampledByTheirPlace(t *testing.T) {
	p := pipelineOf(t, sampleRules(t, "50%", "value.id"))
	w := p.Worker()
	kept := 0
	for i := range 400 {
		value := []string{`{"x":1}`, `{"id":null}`, "\x00", `{"id":1,"id":2}`}[i%4]
		if v, _ := w.Apply(&Record{Topic: "t", Record: format.Record{Offset: int64(i), Value: []byte(value)}}); v == Pass {
			kept++
		}
	}
	w.Close()
	if r := p.Report(); r.WithoutEntity != 400 || r.Sampled != int64(400-kept) || kept < 150 || kept > 250 {
		t.Errorf("%d kept, report %+v", kept, r)
	}
}

func TestASampleThatFoundNoEntityAtAllIsNoWholeOne(t *testing.T) {
	for _, c := range []struct {
		by, value string
		found     bool
	}{{"value.idd", `{"id":1}`, false}, {"value.id", `{"id":1}`, true}, {"", `{"id":1}`, true}, {"random", `{"id":1}`, true}, {"value.id", "no JSON", false}} {
		rules := Rules{}
		if c.by != "" {
			rules = sampleRules(t, "50%", c.by)
		}
		rules.Sample.Rate, _ = ParseRate("50%")
		p := pipelineOf(t, rules)
		w := p.Worker()
		for i := range 4 {
			w.Apply(&Record{Topic: "t", Record: format.Record{Offset: int64(i), Value: []byte(c.value)}})
		}
		w.Close()
		if r := p.Report(); len(r.NeverNamed()) > 0 == c.found || r.Incomplete() == c.found {
			t.Errorf("by %q of %s: got %q, %v", c.by, c.value, r.NeverNamed(), r.Lacks())
		}
	}
}

func TestSampleByIsChecked(t *testing.T) {
	for _, by := range []string{"offset", "value.#(x==1).id", "nothing", "random:x"} {
		rules := Rules{}
		err := rules.Sample.ParseSampleBy(by)
		if err == nil {
			rules.Sample.Rate, _ = ParseRate("5%")
			_, err = Compile(rules)
		}
		if err == nil {
			t.Errorf("%s: no error", by)
		}
	}
	both := sampleRules(t, "5%", "random", "key")
	if _, err := Compile(both); err == nil {
		t.Error("random and by key: no error")
	}
}
