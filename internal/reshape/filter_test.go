package reshape

import (
	"errors"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

// anOrder is the record that most tests are about.
func anOrder() *Record {
	return &Record{Topic: "orders", Partition: 3, Record: format.Record{
		Offset: 1200, TimestampMs: 1772366400123, LeaderEpoch: 1, Key: []byte(`order-17`), Value: []byte(orderJSON),
		Headers: []format.Header{{Key: "type", Value: []byte("old")}, {Key: "type", Value: []byte("created")}, {Key: "empty", Value: []byte{}},
			{Key: "null"}, {Key: "bin", Value: []byte{0xff}}},
	}}
}

func pipelineOf(t *testing.T, r Rules) *Pipeline {
	t.Helper()
	p, err := Compile(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func filterRules(texts ...string) Rules {
	var r Rules
	for _, text := range texts {
		r.Filter = append(r.Filter, Expression{Text: text})
	}
	return r
}

func TestFilterDecidesAboutRecords(t *testing.T) {
	for _, c := range []struct {
		filter string
		want   string // pass, out, or a part of why it is undecided
	}{
		{`topic == "orders"`, "pass"}, {`topic == "payments"`, "out"}, {`partition == 3 && offset == 1200`, "pass"},
		{`topic == "orders" && value.amount > 100 && headers["type"] == "created"`, "pass"},
		{`value.amount > 200`, "out"}, {`value.amount > 129`, "pass"}, {`value.user.id == "usr-000042"`, "pass"},
		{`value["user"]["id"] == "usr-000042"`, "pass"}, {`value.items[1].quantity == 2`, "pass"}, {`value.items[1].price == 20`, "pass"},
		{`value.items.exists(i, i.price > 80)`, "pass"}, {`value.items.all(value, value.price > 80)`, "out"}, {`size(value.items) == 2`, "pass"},
		{`value.flags.express && !value.flags.gift`, "pass"}, {`value.flags.express`, "pass"}, {`value.user.name.startsWith("Jane")`, "pass"},
		{`has(value.user.email)`, "pass"}, {`has(value.user.fax)`, "out"}, {`has(value.fax.number)`, "value.fax is not there"}, {`"user" in value`, "pass"},
		{`"fax" in value`, "out"}, {`value.source.campaign == null`, "pass"}, {`value.items[0].title == "Trail shoe \"Peak\""`, "pass"},
		{`value.shipping.steps.map(s, s.at) == [1772366400123, 1772370000456, 1772373600789]`, "pass"},
		{`value.user == {"id": "x"}`, "out"}, {`value.exists(name, name == "total")`, "pass"}, {`value[topic] == 1`, "a name is not there"},
		{`value.?fax.orValue("none") == "none"`, "pass"}, {`value.?user.?id.orValue("none") == "usr-000042"`, "pass"},
		{`key == "order-17"`, "pass"}, {`key.startsWith("order")`, "pass"}, {`key.id == 17`, "the key is not strictly JSON"},
		{`value.contains("Berlin")`, "pass"}, {`size(value) > 1000 && size > 1000`, "pass"}, {`value == null`, "out"},
		{`headers["type"] == "created"`, "pass"}, {`headers.type == "created"`, "pass"}, {`headers["no"] == "x"`, `headers["no"] is not there`},
		{`"type" in headers && !("no" in headers)`, "pass"}, {`has(headers.type)`, "pass"}, {`headers["null"] == null`, "pass"},
		{`headers["empty"] == ""`, "pass"}, {`headers["bin"] == b"\xff"`, "pass"}, {`size(headers) == 4`, "pass"},
		{`headers.exists(h, h.startsWith("ty"))`, "pass"}, {`headers[?"no"].orValue("x") == "x"`, "pass"},
		{`timestamp > timestamp("2026-03-01T12:00:00Z")`, "pass"}, {`timestamp.getHours() == 12`, "pass"},
		{`timestamp - timestamp("2026-03-01T12:00:00Z") < duration("1s")`, "pass"},
		{`value.fax == "x"`, "value.fax is not there"}, {`value.fax == "x" || topic == "orders"`, "pass"},
		{`value.fax == "x" && topic == "payments"`, "out"}, {`value.amount == "x"`, "a number and a string cannot be compared"}, {`value.amount > "x"`, "a number and a string cannot be compared"},
		{`value.user`, "neither true nor false"}, {`value.user.email.matches("^jane.*@example[.]com$")`, "pass"},
		{`value.status in ["created", "paid"]`, "pass"}, {`value.user.name.lowerAscii() == "jane miller"`, "pass"},
		{`int(value.amount) == 129`, "pass"}, {`value.amount * 2.0 > 200.0`, "pass"},
	} {
		p := pipelineOf(t, filterRules(c.filter))
		w := p.Worker()
		for range 2 { // what a worker has learned must not change the answer
			verdict, err := w.Apply(anOrder())
			got := map[Verdict]string{Pass: "pass", FilteredOut: "out"}[verdict]
			for why := range w.counts.Undecided {
				got = why
			}
			if err != nil || !strings.Contains(got, c.want) {
				t.Errorf("%s: got %q, %v, want %q", c.filter, got, err, c.want)
			}
		}
	}
}

func TestFilterSaysWhyItCannotBeDecided(t *testing.T) {
	for _, c := range []struct {
		name, filter string
		value        []byte
		want         string
	}{
		{"tombstone", `value.a == 1`, nil, "the value is null"},
		{"empty value", `value.a == 1`, []byte{}, "the value is not strictly JSON: it ends too early"},
		{"Avro", `value.a == 1`, []byte("\x00\x00\x00\x00\x07\x02a"), "the value is not strictly JSON: no value"},
		{"equal names", `value.a == 1`, []byte(`{"a":1,"a":2}`), "the value is not strictly JSON: a name that is there twice"},
		{"broken behind the field", `value.a == 1`, []byte(`{"a":1,`), "the value is not strictly JSON: no name"},
		{"text where JSON is looked at", `value == "x" && value.a == 1`, []byte(`x`), "the value is not strictly JSON: no value"},
		{"no timestamp", `timestamp > timestamp("2020-01-01T00:00:00Z")`, []byte(`{}`), "the timestamp is none"},
		{"division", `1 / value.a == 1`, []byte(`{"a":0}`), "division by zero"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := func() *Record {
				return &Record{Topic: "t", Record: format.Record{Value: c.value, TimestampMs: format.NoTimestamp, Offset: 9}}
			}
			p := pipelineOf(t, filterRules(c.filter))
			w := p.Worker()
			if verdict, err := w.Apply(r()); verdict != FilteredOut || err != nil {
				t.Errorf("got %v, %v, want it left out", verdict, err)
			}
			w.Close()
			var got string
			for why, n := range p.Report().Undecided {
				got = why
				if n != 1 {
					t.Errorf("%s: counted %d times", why, n)
				}
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("reason: got %q, want %q", got, c.want)
			}
			strict := filterRules(c.filter)
			strict.Strict = true
			_, err := pipelineOf(t, strict).Worker().Apply(r())
			var at *RecordError
			if !errors.As(err, &at) || at.Offset != 9 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("strict: got %v, want a RecordError with %q", err, c.want)
			}
		})
	}
}

func TestTombstonesAreNotLostToAFilterThatNamesThem(t *testing.T) {
	p := pipelineOf(t, filterRules(`value == null || value.a == 1`))
	verdict, err := p.Worker().Apply(&Record{Topic: "t"})
	if verdict != Pass || err != nil {
		t.Errorf("got %v, %v, want it to pass", verdict, err)
	}
}

func TestSeveralFiltersMustAllHold(t *testing.T) {
	for _, c := range []struct {
		filters []string
		want    Verdict
	}{
		{[]string{`topic == "orders"`, `value.amount > 100`}, Pass},
		{[]string{`value.amount > 100`, `topic == "payments"`}, FilteredOut},
		{[]string{`value.amount > 1000 || offset == 1`, `topic == "orders"`}, FilteredOut},
	} {
		if got, err := pipelineOf(t, filterRules(c.filters...)).Worker().Apply(anOrder()); got != c.want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", c.filters, got, err, c.want)
		}
	}
}

func TestFilterErrorsPointAtTheColumn(t *testing.T) {
	for _, c := range []struct {
		filter, want string
	}{
		{`topic == "orders" && vlue.amount > 1`, "filter: column 22: vlue is not known (did you mean value?)"},
		{`topic = "orders"`, "filter: column 7: Syntax error"},
		{`topic == 1`, "filter: column 7: == does not take a string and a whole number"},
		{`value.a.startsWith(3)`, "filter: column 19: startsWith() does not take a JSON value and a whole number"},
		{`timestamp > "2026"`, "filter: column 11: > does not take a time and a string"},
		{`-topic == "a"`, "filter: column 1: - does not take a string"},
		{`size(1) == 1`, "filter: column 5: size() does not take a whole number"},
		{"topic == \"a\" &&\n  partition == \"b\"", "filter: line 2, column 13: == does not take a whole number and a string"},
		{`topic`, "filter: column 1: it gives a string, and should say true or false"},
		{`value.a.matches("(")`, "filter: column 17: invalid matches argument"},
		{`timestamp > timestamp("yesterday")`, "filter: column 23: invalid timestamp argument"},
		{``, "filter: column 1: Syntax error"},
	} {
		_, err := Compile(filterRules(c.filter))
		var at *FilterError
		if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.filter, err, c.want)
		}
	}
}
