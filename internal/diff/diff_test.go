package diff

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
	"github.com/karchive/karchive/test/memfs"
)

// archive makes an archive of values: the n-th of a partition, such as t/0, has offset n and timestamp n. A value "k=v" has the key k. Every third
// record ends a row group.
func archive(t *testing.T, partitions map[string][]string) *format.Archive {
	t.Helper()
	records := map[string][]format.Record{}
	for name, values := range partitions {
		for i, value := range values {
			r := format.Record{Offset: int64(i), TimestampMs: int64(i), Value: []byte(value)}
			if key, rest, ok := strings.Cut(value, "="); ok {
				r.Key, r.Value = []byte(key), []byte(rest)
			}
			records[name] = append(records[name], r)
		}
	}
	return archiveOf(t, records)
}

func archiveOf(t *testing.T, partitions map[string][]format.Record) *format.Archive {
	t.Helper()
	a, err := format.Create(memfs.New(memfs.Options{}), format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	for _, name := range slices.Sorted(maps.Keys(partitions)) {
		var o format.WriterOptions
		o.Topic, _, _ = strings.Cut(name, "/")
		fmt.Sscanf(name[len(o.Topic):], "/%d", &o.Partition)
		p, err := a.NewSegment(o)
		if err != nil {
			t.Fatal(err)
		}
		next := int64(0)
		for i, r := range partitions[name] {
			if err := p.Write(&r); err != nil {
				t.Fatal(err)
			}
			if next = r.Offset + 1; i%3 == 2 {
				if err := p.Cut(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, _, err := p.Seal(max(next, 1)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// outcome is a report and its differences as text.
func outcome(t *testing.T, a, b *format.Archive, o Options) (*Report, []string) {
	t.Helper()
	var lines []string
	o.TempDir = t.TempDir()
	o.Each = func(d *Difference) error {
		lines = append(lines, line(d))
		return nil
	}
	r, err := Run(context.Background(), Side{Archive: a}, Side{Archive: b}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r, lines
}

func line(d *Difference) string {
	s := string(d.Kind) + " " + d.Topic
	for _, r := range []*Located{d.A, d.B} {
		if r != nil {
			s += fmt.Sprintf(" %d@%d", r.Partition, r.Offset)
		}
	}
	for _, c := range d.Changes {
		s += fmt.Sprintf(" %s: %s | %s", c.Path, c.A, c.B)
	}
	return s
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEqualArchivesAreComparedWithoutDecoding(t *testing.T) {
	records := map[string][]string{"t/0": {"a", "b", "c", "d"}, "t/1": {"e"}, "u/0": {"f"}}
	a, b := archive(t, records), archive(t, records)
	for _, pair := range []Pairing{ByOffset, ByOrder} {
		r, lines := outcome(t, a, b, Options{Pair: pair})
		check(t, lines)
		if !r.Equals() || r.Equal != 6 || r.Decoded != [2]Decoded{{0, 4, 6}, {0, 4, 6}} {
			t.Errorf("by %s: got %+v", pair, r)
		}
	}
}

func TestOnlyTheRowGroupWithTheDifferenceIsDecoded(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {"1", "2", "3", "4", "5", "6", "7"}})
	b := archive(t, map[string][]string{"t/0": {"1", "2", "3", "4", "X", "6", "7"}})
	r, lines := outcome(t, a, b, Options{})
	check(t, lines, `changed t 0@4 0@4 value: "5" | "X"`)
	if r.Equal != 6 || r.Changed != 1 || r.Decoded[0].Groups != 1 || r.Decoded[1].Groups != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestRecordsAreMissedByOffsetOnEitherSide(t *testing.T) {
	value := func(offset int64) format.Record { return format.Record{Offset: offset, Value: []byte("v")} }
	a := archiveOf(t, map[string][]format.Record{"t/0": {value(0), value(1), value(5)}, "only/3": {value(9)}})
	b := archiveOf(t, map[string][]format.Record{"t/0": {value(1), value(4), value(6)}})
	r, lines := outcome(t, a, b, Options{})
	check(t, lines, "only in A only 3@9", "only in A t 0@0", "only in B t 0@4", "only in A t 0@5", "only in B t 0@6")
	if want := (Counts{Equal: 1, OnlyA: 3, OnlyB: 2}); r.Counts != want {
		t.Errorf("got %+v, want %+v", r.Counts, want)
	}
}

func TestOrderPairsTheNthWithTheNth(t *testing.T) {
	a := archiveOf(t, map[string][]format.Record{"t/0": {{Offset: 0, Value: []byte("x")}, {Offset: 7, Value: []byte("y")}}})
	b := archiveOf(t, map[string][]format.Record{"t/0": {{Offset: 3, Value: []byte("x")}, {Offset: 4, Value: []byte("z")}, {Offset: 5}}})
	_, lines := outcome(t, a, b, Options{Pair: ByOrder, Ignore: []string{"offset"}})
	check(t, lines, `changed t 0@7 0@4 value: "y" | "z"`, "only in B t 0@5")
	_, lines = outcome(t, a, b, Options{Pair: ByOrder})
	check(t, lines, "changed t 0@0 0@3 offset: 0 | 3", `changed t 0@7 0@4 offset: 7 | 4 value: "y" | "z"`, "only in B t 0@5")
}

func TestKeysPairOverPartitionsAndTopics(t *testing.T) {
	a := archive(t, map[string][]string{"orders/0": {"k1=a", "k2=b", "k1=c"}, "orders/1": {"k3=d", "plain"}})
	b := archive(t, map[string][]string{"orders.v2/0": {"k3=d", "k4=e"}, "orders.v2/1": {"k2=b", "k1=a", "k1=C"}, "orders.v2/2": {"plain"}})
	for _, memory := range []int64{1, 1 << 20} {
		var lines []string
		o := Options{Pair: ByKey, Memory: memory, TempDir: t.TempDir(), Ignore: []string{"timestamp"}, Each: func(d *Difference) error {
			lines = append(lines, line(d))
			return nil
		}}
		r, err := Run(t.Context(), Side{Archive: a}, Side{Archive: b, Name: func(s string) string { return strings.TrimSuffix(s, ".v2") }}, o)
		if err != nil {
			t.Fatal(err)
		}
		// On the other side k2 comes before the records with k1.
		check(t, lines, "out of order orders 0@1 1@0", "only in B orders 0@1", `changed orders 0@2 1@2 value: "c" | "C"`)
		if want := (Counts{Equal: 3, Changed: 1, OnlyB: 1, OutOfOrder: 1}); r.Counts != want {
			t.Errorf("got %+v, want %+v", r.Counts, want)
		}
	}
}

func TestAPathInThePayloadPairs(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {`{"id":1,"n":1}`, `{"id":2,"n":2}`, `no json`}})
	b := archive(t, map[string][]string{"t/4": {`{"id":2,"n":2}`, `{"n":5,"id":1}`, `neither`}})
	_, lines := outcome(t, a, b, Options{Pair: ByPath, Path: "value.id", JSON: true, Ignore: []string{"timestamp"}})
	check(t, lines, "changed t 0@0 4@1 value.n: 1 | 5", "out of order t 0@1 4@0", `changed t 0@2 4@2 value: "no json" | "neither"`)
}

func TestJSONIsPairedByMeaning(t *testing.T) {
	for _, c := range []struct{ by, a, b, want string }{
		{"key", `{"a":1,"b":"é"}=x`, `{ "b":"\u00e9", "a":1.0 }=x`, ""},
		{"key", `{"id":1,"at":"10:00"}=x`, `{"at":"10:05","id":1}=x`, ""},
		{"key", `{"id":[1,{"at":1}]}=x`, `{"id":[1,{}]}=x`, "only in A t 0@0 only in B t 0@0"},
		{"key", `3=x`, `"3"=x`, "only in A t 0@0 only in B t 0@0"},
		{"key", `null=x`, `""=x`, "only in A t 0@0 only in B t 0@0"},
		{"key", `{"a":1,"a":1}=x`, `{"a":1}=x`, "only in A t 0@0 only in B t 0@0"},
		{"key", `{"a":{"b=x`, `{"a":{"b=x`, ""},
		{"key.a", `{"a":{"b=x`, `{"a":{"b=x`, ""},
		{"key.at", `{"at":{"x":1,"y":[1]}}=x`, `{"at":{"y":[ 1e0 ],"x":1}}=x`, ""},
		{"value.id", `{"id":1.50}`, `{"id":1.5}`, ""},
		{"value.id", `{"id":1}`, `{"id":"1"}`, `changed t 0@0 0@0 value.id: 1 | "1"`},
		{"value", `{"a":1,"b":2}`, `{"b":2,"a":1}`, ""},
	} {
		o := Options{Pair: ByPath, Path: c.by, JSON: true, Ignore: []string{"key.at"}}
		if c.by == "key" {
			o.Pair, o.Path = ByKey, ""
		}
		_, lines := outcome(t, archive(t, map[string][]string{"t/0": {c.a}}), archive(t, map[string][]string{"t/0": {c.b}}), o)
		if got := strings.Join(lines, " "); got != c.want {
			t.Errorf("by %s: %s and %s: got %q, want %q", c.by, c.a, c.b, got, c.want)
		}
	}
}

func TestRecordsArePairedByOnePlace(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {`{"b":1,"a":2}`}})
	_, err := Run(t.Context(), Side{Archive: a}, Side{Archive: a}, Options{Pair: ByPath, Path: "value.*"})
	if err == nil || !strings.Contains(err.Error(), "one is wanted here") {
		t.Errorf("got %v", err)
	}
}

func TestTheLargestOfSeveralTolerancesCounts(t *testing.T) {
	a, b := archive(t, map[string][]string{"t/0": {`{"a":{"b":1}}`}}), archive(t, map[string][]string{"t/0": {`{"a":{"b":2}}`}})
	for range 20 { // a map has no order
		if r, lines := outcome(t, a, b, Options{Tolerance: map[string]float64{"value.a": 0.5, "value.a.b": 1, "value.a.#": 0}}); !r.Equals() {
			t.Fatalf("got %v", lines)
		}
	}
	for _, by := range []float64{-1, math.NaN(), math.Inf(1)} {
		o := Options{Tolerance: map[string]float64{"value.a": by}}
		if _, err := Run(t.Context(), Side{Archive: a}, Side{Archive: b}, o); !errors.As(err, new(*OptionError)) {
			t.Errorf("%v: got %v", by, err)
		}
	}
}

func TestJSONIsComparedByMeaning(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{`{"a":1,"b":[1,2]}`, ` { "b" : [1.0,2e0], "a" : 1 } `, ""},
		{`{"a":"é"}`, `{"a":"\u00e9"}`, ""},
		{`9223372036854775807`, `9223372036854775808`, "value: 9223372036854775807 | 9223372036854775808"},
		{`{"a":1}`, `{"a":1,"a":1}`, `value: "{\"a\":1}" | "{\"a\":1,\"a\":1}"`},
		{`{"a":null}`, `{}`, "value.a: null | "},
		{`{"a":{"b.c":[{"d":1}]}}`, `{"a":{"b.c":[{"d":2},3]}}`, `value.a.b\.c.0.d: 1 | 2 value.a.b\.c.1:  | 3`},
		{`{"a":"1"}`, `{"a":1}`, `value.a: "1" | 1`},
		{`[1e999999999]`, `[1e999999998]`, "value.0: 1e999999999 | 1e999999998"},
		{`[true]`, `[false]`, "value.0: true | false"},
	} {
		_, lines := outcome(t, archive(t, map[string][]string{"t/0": {c.a}}), archive(t, map[string][]string{"t/0": {c.b}}), Options{JSON: true})
		got := strings.TrimPrefix(strings.Join(lines, "\n"), "changed t 0@0 0@0 ")
		if got != c.want {
			t.Errorf("%s and %s: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestWhatIsIgnoredOrToleratedIsEqual(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {`{"id":7,"at":"10:00","lines":[{"price":1.00,"sku":"a"}],"total":10.001}`}})
	b := archive(t, map[string][]string{"t/0": {`{"id":7,"at":"10:05","lines":[{"price":1.25,"sku":"a"}],"total":10.009}`}})
	o := Options{Ignore: []string{"value.at"}, Tolerance: map[string]float64{"value.total": 0.01}}
	r, lines := outcome(t, a, b, o)
	check(t, lines, "changed t 0@0 0@0 value.lines.0.price: 1.00 | 1.25")
	if want := []PathCount{{"value.lines.#.price", 1}}; !slices.Equal(r.Paths, want) {
		t.Errorf("got %v, want %v", r.Paths, want)
	}
	o.Tolerance["value.lines.#.price"] = 0.25
	if r, _ := outcome(t, a, b, o); !r.Equals() {
		t.Errorf("got %+v", r)
	}
	o.Tolerance["value.total"] = 0.007
	if r, _ := outcome(t, a, b, o); r.Equals() {
		t.Error("0.008 is within 0.007")
	}
}

func TestHeadersAreComparedByNameAndInOrder(t *testing.T) {
	h := func(pairs ...string) map[string][]format.Record {
		r := format.Record{}
		for i := 0; i < len(pairs); i += 2 {
			r.Headers = append(r.Headers, format.Header{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return map[string][]format.Record{"t/0": {r}}
	}
	a := archiveOf(t, h("trace.id", "1", "n", "x", "n", "y"))
	_, lines := outcome(t, a, archiveOf(t, h("n", "x", "trace.id", "2", "n", "y")), Options{})
	check(t, lines, `changed t 0@0 0@0 headers.trace\.id: "1" | "2"`)
	_, lines = outcome(t, a, archiveOf(t, h("n", "x", "trace.id", "1", "n", "y")), Options{})
	check(t, lines, "changed t 0@0 0@0 headers: in another order | in another order")
	_, lines = outcome(t, a, archiveOf(t, h("n", "y", "n", "x")), Options{Ignore: []string{`headers.trace.id`}})
	check(t, lines, `changed t 0@0 0@0 headers.n: 2 times: ["x" "y"] | 2 times: ["y" "x"]`)
}

func TestNullIsNotEmpty(t *testing.T) {
	a := archiveOf(t, map[string][]format.Record{"t/0": {{Key: nil, Value: []byte{}}}})
	b := archiveOf(t, map[string][]format.Record{"t/0": {{Key: []byte{}, Value: []byte{0xff}}}})
	_, lines := outcome(t, a, b, Options{JSON: true})
	check(t, lines, `changed t 0@0 0@0 key: null | "" value: "" | base64:/w==`)
}

func TestASelectionThatCutsThroughARowGroupComparesItsRecords(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {"1", "2", "3"}})
	b := archive(t, map[string][]string{"t/0": {"X", "2", "3"}})
	s := format.Selection{FromOffset: 1}
	r, err := Run(t.Context(), Side{Archive: a, Selection: s}, Side{Archive: b, Selection: s}, Options{})
	if err != nil || !r.Equals() || r.Equal != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {"1"}})
	for _, o := range []Options{
		{Pair: "likeness"}, {Pair: ByPath}, {Pair: ByPath, Path: "valu.id"}, {Ignore: []string{"partition"}}, {Ignore: []string{"value.*"}}, {Ignore: []string{"value.a..b"}},
		{Tolerance: map[string]float64{"timestamp": 1}}, {Tolerance: map[string]float64{"value.a": -1}},
	} {
		if _, err := Run(t.Context(), Side{Archive: a}, Side{Archive: a}, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	same := func(string) string { return "one" }
	two := archive(t, map[string][]string{"t/0": {"1"}, "u/0": {"1"}})
	if _, err := Run(t.Context(), Side{Archive: two, Name: same}, Side{Archive: a}, Options{}); err == nil {
		t.Error("two topics are compared as one")
	}
}

func TestErrorsEndAComparison(t *testing.T) {
	a, b := archive(t, map[string][]string{"t/0": {"1"}}), archive(t, map[string][]string{"t/0": {"2"}})
	enough := errors.New("enough")
	if _, err := Run(t.Context(), Side{Archive: a}, Side{Archive: b}, Options{Each: func(*Difference) error { return enough }}); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if _, err := Run(ctx, Side{Archive: a}, Side{Archive: b}, Options{}); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
	s := format.Selection{Topics: []string{"other"}}
	if _, err := Run(t.Context(), Side{Archive: a, Selection: s}, Side{Archive: b}, Options{}); !errors.Is(err, format.ErrNotArchived) {
		t.Errorf("got %v", err)
	}
}

// oddOnly is a rule that leaves out records with an even offset, and marks the others.
type oddOnly struct{}

func (oddOnly) Rules(string) string { return "odd" }
func (oddOnly) Steps() string       { return "filter" }
func (oddOnly) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	return func(_ format.TopicPartition, r *format.Record) (bool, error) {
		r.Value = append([]byte("odd "), r.Value...)
		return r.Offset%2 == 1, nil
	}, func() {}
}

func TestAComparisonStopsAtItsLimitAndSaysSo(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {"k=a", "l=b", "m=c", "n=d", "o=e", "p=f", "q=g"}, "t/1": {"r=h"}})
	b := archive(t, map[string][]string{"t/0": {"k=a", "l=B", "m=c", "n=D", "o=e", "p=f", "q=G"}, "t/1": {"r=H"}})
	for _, pair := range []Pairing{ByOffset, ByOrder, ByKey} {
		whole, _ := outcome(t, a, b, Options{Pair: pair})
		for limit := int64(1); limit <= 5; limit++ {
			r, lines := outcome(t, a, b, Options{Pair: pair, Limit: limit})
			told := min(limit, whole.Differences())
			if int64(len(lines)) != told || r.Differences() != told || r.Stopped != (limit <= whole.Differences()) || r.Equals() {
				t.Errorf("by %s, limit %d: got %+v with %d differences told, want %d", pair, limit, r, len(lines), told)
			}
			if got, want := r.Equal, []int64{1, 2, 4, 4, 4}[limit-1]; got != want {
				t.Errorf("by %s, limit %d: got %d equal before, want %d", pair, limit, got, want)
			}
			if got, want := r.Decoded[0].Groups, []int64{1, 2, 3, 4, 4}[limit-1]; pair == ByOffset && got > want {
				t.Errorf("limit %d: got %d row groups decoded, want at most %d", limit, got, want)
			}
		}
	}
}

func TestRulesAreAppliedToBothSidesFirst(t *testing.T) {
	a := archive(t, map[string][]string{"t/0": {"1", "2", "3", "4", "5", "6", "7"}})
	b := archive(t, map[string][]string{"t/0": {"X", "2", "X", "4", "X", "Y", "7"}})
	for _, pair := range []Pairing{ByOffset, ByOrder, ByKey} {
		r, lines := outcome(t, a, b, Options{Pair: pair, Reshape: oddOnly{}})
		check(t, lines, `changed t 0@5 0@5 value: "odd 6" | "odd Y"`)
		if want := (Counts{Equal: 2, Changed: 1}); r.Counts != want {
			t.Errorf("by %s: got %+v, want %+v", pair, r.Counts, want)
		}
	}
	r, lines := outcome(t, a, a, Options{Reshape: oddOnly{}})
	check(t, lines)
	if r.Equal != 3 || r.Decoded[0].Groups != 3 {
		t.Errorf("of the same: got %+v, want 3 equal records of 3 decoded row groups", r)
	}
}
