package reshape

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/seeds"
)

// decided is what a filter says about a value: pass, out, or why it cannot be decided.
func decided(t *testing.T, filter, value string) string {
	t.Helper()
	w := pipelineOf(t, filterRules(filter)).Worker()
	verdict, err := w.Apply(&Record{Topic: "t", Record: format.Record{Key: []byte("k"), Value: []byte(value)}})
	if err != nil {
		t.Fatal(err)
	}
	for why := range w.counts.Undecided {
		return why
	}
	return map[Verdict]string{Pass: "pass", FilteredOut: "out"}[verdict]
}

func TestNumbersCompareAsTheyAreWritten(t *testing.T) {
	const wide, beyond = "beyond 64 bits", "beyond what a double holds"
	for _, c := range []struct{ filter, value, want string }{
		{`value.a == 9223372036854775807`, `9223372036854775807`, "pass"}, {`value.a == 9223372036854775807`, `9223372036854775808`, "out"},
		{`value.a == 9223372036854775807`, `9223372036854775900`, "out"}, {`value.a != 9223372036854775807`, `9223372036854775808`, "pass"},
		{`value.a > 9223372036854775807`, `9223372036854775808`, "pass"}, {`value.a == 9223372036854775808u`, `9223372036854775808`, "pass"},
		{`value.a == 18446744073709551615u`, `18446744073709551615`, "pass"}, {`value.a == 18446744073709551615u`, `18446744073709551616`, wide},
		{`value.a != 1`, `18446744073709551616`, wide}, {`value.a < 1`, `-9223372036854775809`, wide}, {`value.a == -9223372036854775808`, `-9223372036854775808`, "pass"},
		{`value.a in [9223372036854775807, 1]`, `9223372036854775808`, "out"}, {`value.a in [1, 9223372036854775808u]`, `9223372036854775808`, "pass"},
		{`value.a == 9007199254740993`, `9007199254740992.0`, "out"}, {`value.a == 9007199254740993`, `9007199254740993.0`, "pass"},
		{`value.a == 9007199254740992.0`, `9007199254740993`, "out"}, {`value.a > 9007199254740992.0`, `9007199254740993`, "pass"},
		{`value.a == 1e18`, `1000000000000000001`, "out"}, {`value.a == 1e18`, `1000000000000000000`, "pass"},
		{`value.a == 0.1`, `0.1`, "pass"}, {`value.a == 0.1`, `0.1000000000000000055511151231257827`, "out"}, {`value.a > 0.1`, `0.1000000000000000055511151231257827`, "pass"},
		{`value.a == 0.1`, `0.10000000000000001`, "out"}, {`value.a == 0.1`, `0.100`, "pass"}, {`value.a == 0.1`, `1e-1`, "pass"},
		{`double(value.a) == 0.1`, `0.10000000000000001`, "pass"}, {`value.a * 2.0 > 0.1`, `0.10000000000000001`, "* does not take a number with more digits than a double keeps and a number"},
		{`value.a == 1`, `1.0`, "pass"}, {`value.a == 1.0`, `1`, "pass"}, {`value.a == 0`, `-0`, "pass"}, {`value.a == 0`, `-0.0`, "pass"}, {`value.a == 0.0`, `-0.0`, "pass"},
		{`value.a == 0`, `0e999999999`, "pass"}, {`value.a > 0`, `1e400`, beyond}, {`value.a != 0`, `1e-999999999`, beyond}, {`value.a != 0`, `1e999999999999999999999`, beyond},
		{`value.a > 0`, `1e-400`, "pass"}, {`value.a == 0`, `1e-400`, "out"}, {`value.a > 1e308`, `1.7976931348623157e308`, "pass"},
		{`value.a != 1`, `"1"`, "a string and a number cannot be compared"}, {`value.a == 1`, `"1"`, "cannot be compared"}, {`value.a == "1"`, `1`, "cannot be compared"},
		{`value.a == 1`, `true`, "a boolean and a number cannot be compared"}, {`value.a == 1`, `null`, "out"}, {`value.a != 1`, `null`, "pass"}, {`value.a == null`, `0`, "out"},
		{`value.a > 1`, `null`, "null and a number cannot be compared"}, {`value.a == 1`, `[1]`, "an array and a number cannot be compared"},
		{`value.a == [1, 2]`, `[1.0, 2]`, "pass"}, {`value.a == [1, 2]`, `[1, "2"]`, "cannot be compared"}, {`value.a == [1, 2]`, `[3, "2"]`, "out"}, {`value.a == [1]`, `[1, 2]`, "out"},
		{`value.a == {"b": 1}`, `{"b": 1.0}`, "pass"}, {`value.a == {"b": 1}`, `{"b": 2}`, "out"}, {`value.a == {"b": 1}`, `{"c": 1}`, "out"},
		{`value.a == {"b": 18446744073709551615u}`, `{"b": 18446744073709551616}`, wide}, {`value.a in ["x", 1]`, `1`, "pass"}, {`value.a in ["x", 1]`, `2`, "cannot be compared"},
		{`value.a == 1 || value.a == "1"`, `"1"`, "pass"}, {`value.a == 1 || value.a == "1"`, `1`, "pass"},
		{`value.a == "\ufffd"`, `"\ud800"`, "half of a surrogate pair"}, {`value.a == "\ufffd"`, `"\udc00\ud800"`, "half of a surrogate pair"}, {`value.a == "😀"`, `"\ud83d\ude00"`, "pass"},
		{`value.a.exists(x, x == "b")`, `["\ud800", "b"]`, "pass"}, {`!value.a.exists(x, x == "b")`, `["\ud800", "c"]`, "half of a surrogate pair"},
		{`value.a == {"\ufffd": 1}`, `{"\ud800": 1}`, "half of a surrogate pair"}, {`value.a.matches(value.a)`, `"("`, "no regular expression"},
		{`value.a.matches(value.a)`, `"` + strings.Repeat("(a|b){99}", 99) + `"`, "a regular expression is too long"}, {`timestamp(value.a) > timestamp("2020-01-01T00:00:00Z")`, `"S3CRET"`, "a text is no time"},
		{`int(value.a) == 1`, `"S3CRET"`, "a value cannot be converted"}, {`value.a.startsWith("x")`, `5`, "startsWith() does not take a number and a string"},
		{`value.a + 1 == 2`, `"S3CRET"`, "+ does not take a string and a number"}, {`value.a[value.a] == 1`, `{"x":1}`, "not"}, {`value[value.a] == 1`, `"S3CRET"`, "a name is not there"},
	} {
		if got := decided(t, c.filter, `{"a":`+c.value+`}`); !strings.Contains(got, c.want) || strings.Contains(got, "S3CRET") {
			t.Errorf("%s of %.60s: got %q, want %q", c.filter, c.value, got, c.want)
		}
	}
}

func TestWhetherSomethingIsThereIsAskedOfObjects(t *testing.T) {
	for _, c := range []struct{ filter, value, want string }{
		{`"a" in value`, `["a"]`, "pass"}, {`"a" in value`, `["b", "a"]`, "pass"}, {`"a" in value`, `["b"]`, "out"}, {`"a" in value`, `{"a":null}`, "pass"},
		{`"a" in value`, `"a"`, "value is no object"}, {`!("a" in value)`, `5`, "value is no object"}, {`!("a" in value)`, `null`, "value is no object"},
		{`!("a" in value)`, `[1]`, "cannot be compared"}, {`"a" in value.x`, `{"x":["a"]}`, "pass"}, {`!("a" in value.x)`, `{"x":5}`, "in does not look into a number"},
		{`"a" in value.x`, `{"x":{"a":1}}`, "pass"}, {`1 in value.x`, `{"x":[1.0]}`, "pass"}, {`!(1 in value.x)`, `{"x":{"1":1}}`, "cannot be compared"},
		{`!has(value.x)`, `{}`, "pass"}, {`!has(value.x)`, `{"x":null}`, "out"}, {`!has(value.x)`, `["x"]`, "value is no object"}, {`!has(value.x)`, `"x"`, "value is no object"},
		{`!has(value.x)`, `5`, "value is no object"}, {`!has(value.x)`, `true`, "value is no object"}, {`!has(value.x)`, `null`, "value is no object"},
		{`!has(value.x.y)`, `{"x":{}}`, "pass"}, {`!has(value.x.y)`, `{"x":[]}`, "value.x is no object"}, {`!has(value.x.y)`, `{"x":5}`, "value.x is no object"},
		{`!has(value.x.y)`, `{}`, "value.x is not there"}, {`has(value.x) && has(value.x.y)`, `{}`, "out"}, {`value.all(i, !has(i.x))`, `[1]`, "not"}, {`value.all(i, !has(i.x))`, `[{}]`, "pass"},
		{`!value.?x.hasValue()`, `{}`, "pass"}, {`value.?x.?y.orValue(1) == 1`, `{"x":{}}`, "pass"},
		{`!has(value["a.b"].c)`, `{"a.b":1}`, `value["a.b"] is no object`},
	} {
		if got := decided(t, c.filter, c.value); !strings.Contains(got, c.want) {
			t.Errorf("%s of %s: got %q, want %q", c.filter, c.value, got, c.want)
		}
	}
}

func TestLiteralsThatADoubleDoesNotHoldAreRefused(t *testing.T) {
	for filter, column := range map[string]int{`value.a == 0.1000000000000000055`: 12, `value.a > -9007199254740993.0`: 11, `topic == "ö" && value.a < 1.00000000000000001`: 27} {
		_, err := Compile(filterRules(filter))
		var at *FilterError
		if !errors.As(err, &at) || at.Column < column || at.Column > column+1 || !strings.Contains(err.Error(), "more digits than a double keeps") {
			t.Errorf("%s: got %v", filter, err)
		}
	}
	if _, err := Compile(filterRules(`value.a == 0.10 || value.a == 1e22 || value.a == 1.7976931348623157e308`)); err != nil {
		t.Error(err)
	}
}

func TestReasonsNeverHaveContents(t *testing.T) {
	const canary = "S3CRET"
	value := `{"` + canary + `":"` + canary + `","a":"` + canary + `","n":18446744073709551616,"o":{"` + canary + `":1},"l":["` + canary + `"]}`
	for _, filter := range []string{
		`value.o[value.a + "x"] == 1`, `value.l[value.a] == 1`, `timestamp(value.a) == timestamp(value.a)`, `duration(value.a) == duration(value.a)`, `int(value.a) == 1`,
		`double(value.a) == 1.0`, `uint(value.a) == 1u`, `bool(value.a)`, `value.a.matches(value.a + "(")`, `value.a + 1 == 1`, `value.a < 1`, `value.a.nope == 1`, `value.l[5] == 1`,
		`value.a`, `value.o.all(k, value[k] == 1)`, `value.a.charAt(99) == ""`, `value.a.substring(99) == ""`, `value.n == 1`, `value.l.exists(x, value[x + "y"] == 1)`,
		`value.a.replace(1, 2) == ""`, `value.o.map(k, {k: 1, k: 2})[0] == 1`, `optional.of(value.a).value() == 1`, `optional.none().value() == value.a`,
		`bytes(value.a) == 1`, `timestamp.getHours(value.a) == 1`, `value.a.format([value.a]) == ""`, `"%d".format([value.a]) == ""`, `value.l.join(1) == ""`,
	} {
		p, err := Compile(filterRules(filter))
		if err != nil {
			continue // the type checker refuses it
		}
		w := p.Worker()
		w.Apply(&Record{Topic: "t", Record: format.Record{Key: []byte(canary), Value: []byte(value)}})
		for why := range w.counts.Undecided {
			if strings.Contains(why, canary) || strings.Contains(why, "18446744073709551616") {
				t.Errorf("%s: %s", filter, why)
			}
		}
		strict := filterRules(filter)
		strict.Strict = true
		_, err = pipelineOf(t, strict).Worker().Apply(&Record{Topic: "t", Record: format.Record{Key: []byte(canary), Value: []byte(value)}})
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: strict: %v", filter, err)
		}
	}
}

// manyNumbers is an array of n numbers.
func manyNumbers(n int) []byte {
	return []byte("[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]")
}

const nested = `value.all(a, value.all(b, value.all(c, value.all(d, a + b + c + d > 0))))`

func TestFiltersThatTakeTooManyStepsAreUndecided(t *testing.T) {
	w := pipelineOf(t, filterRules(nested)).Worker()
	verdict, err := w.Apply(&Record{Topic: "t", Record: format.Record{Value: manyNumbers(2000)}})
	if verdict != FilteredOut || err != nil || w.counts.Undecided["it takes too many steps"] != 1 {
		t.Errorf("got %v, %v, %v", verdict, err, w.counts.Undecided)
	}
	if verdict, err := w.Apply(&Record{Topic: "t", Record: format.Record{Value: manyNumbers(10)}}); verdict != Pass || err != nil {
		t.Errorf("a small one: got %v, %v", verdict, err)
	}
}

func TestAFilterEndsWithItsContext(t *testing.T) {
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stopped)
	p := pipelineOf(t, filterRules(nested))
	p.EndWith(ctx)
	if verdict, err := p.Worker().Apply(&Record{Topic: "t", Record: format.Record{Value: manyNumbers(1000)}}); verdict == Pass || !errors.Is(err, stopped) {
		t.Errorf("got %v, %v, want the cause", verdict, err)
	}
}

func TestTimestampsBeyondTheYearsOfCELAreUndecided(t *testing.T) {
	for _, ms := range []int64{-1, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), 1<<63 - 1, -1 << 63} {
		w := pipelineOf(t, filterRules(`timestamp != timestamp("2020-01-01T00:00:00Z")`)).Worker()
		if v, err := w.Apply(&Record{Topic: "t", Record: format.Record{TimestampMs: ms}}); v != FilteredOut || err != nil || len(w.counts.Undecided) != 1 {
			t.Errorf("%d: got %v, %v, %v", ms, v, err, w.counts.Undecided)
		}
	}
}

// FuzzComparison compares numbers with a filter and with fractions. Where the filter decides, both must agree.
func FuzzComparison(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, left, right string, operator uint8) {
		if len(left) > 40 || len(right) > 40 || !isNumber(left) || !isNumber(right) || tooWide(left) || tooWide(right) {
			return
		}
		a, _ := new(big.Rat).SetString(left)
		b, _ := new(big.Rat).SetString(right)
		order := a.Cmp(b)
		op := []string{"==", "!=", "<", "<=", ">", ">="}[operator%6]
		want := map[string]bool{"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[op]
		text := map[bool]string{true: "pass", false: "out"}[want]
		got := decided(t, "value.a "+op+" value.b", fmt.Sprintf(`{"a":%s,"b":%s}`, left, right))
		undecided := strings.Contains(got, "beyond")
		if got != text && !undecided {
			t.Errorf("%s %s %s: got %s, want %s", left, op, right, got, text)
		}
		if undecided && !strings.ContainsAny(left+right, ".eE") && a.Num().BitLen() < 64 && b.Num().BitLen() < 64 {
			t.Errorf("%s %s %s: undecided (%s), though both are of 64 bits", left, op, right, got)
		}
		if _, err := Compile(filterRules("value.a " + op + " " + right)); err == nil {
			if got := decided(t, "value.a "+op+" "+right, `{"a":`+left+`}`); got != text && !strings.Contains(got, "beyond") {
				t.Errorf("%s %s literal %s: got %s, want %s", left, op, right, got, text)
			}
		}
	})
}

// tooWide keeps the fractions of the test small.
func tooWide(number string) bool {
	n := readNumeral(number)
	return n.exponent > 1000 || n.exponent < -1000
}
