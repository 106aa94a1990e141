package extract

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/csv"
	"github.com/karchive/karchive/internal/reshape"
)

// columns parses paths.
func columns(t testing.TB, paths ...string) []Column {
	t.Helper()
	var out []Column
	for _, p := range paths {
		c, err := ParseColumn(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func withValue(value string) *reshape.Record {
	return &reshape.Record{Record: format.Record{Value: []byte(value), TimestampMs: format.NoTimestamp}, Topic: "orders"}
}

// table writes what records give.
func table(t *testing.T, paths []string, o Options, f FormatOptions, records ...*reshape.Record) string {
	t.Helper()
	var out bytes.Buffer
	cs := columns(t, paths...)
	w, err := NewWriter(&out, cs, f)
	if err != nil {
		t.Fatal(err)
	}
	x := New(cs, o)
	for _, r := range records {
		if err := x.Each(r, w.Row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestMissingNullAndEmptyAreToldApart(t *testing.T) {
	records := []*reshape.Record{withValue(`{"a":"x"}`), withValue(`{"a":""}`), withValue(`{"a":null}`), withValue(`{}`), withValue(`{"a":"\\N"}`), withValue(`{"a":"-"}`)}
	for _, c := range []struct {
		name  string
		paths []string
		f     FormatOptions
		want  string
	}{
		{"csv", []string{"value.a", "offset"}, FormatOptions{Null: DefaultNull}, "value.a,offset\nx,0\n\"\",0\n\\N,0\n,0\n\"\\N\",0\n-,0\n"},
		{"tsv", []string{"value.a", "offset"}, FormatOptions{Format: TSV, Null: "null"}, "value.a\toffset\nx\t0\n\"\"\t0\nnull\t0\n\t0\n\\N\t0\n-\t0\n"},
		{"a mark for missing", []string{"value.a", "offset"}, FormatOptions{Null: DefaultNull, Missing: "-"}, "value.a,offset\nx,0\n\"\",0\n\\N,0\n-,0\n\"\\N\",0\n\"-\",0\n"},
		{"no header", []string{"value.a", "offset"}, FormatOptions{NoHeader: true}, "x,0\n\"\",0\n,0\n,0\n\\N,0\n-,0\n"},
		{"one column has no empty line", []string{"value.a"}, FormatOptions{Null: DefaultNull}, "value.a\nx\n\"\"\n\\N\n\"\"\n\"\\N\"\n-\n"},
		{"json lines", []string{"value.a", "topic"}, FormatOptions{Format: JSONL}, `{"value.a":"x","topic":"orders"}
{"value.a":"","topic":"orders"}
{"value.a":null,"topic":"orders"}
{"topic":"orders"}
{"value.a":"\\N","topic":"orders"}
{"value.a":"-","topic":"orders"}
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := table(t, c.paths, Options{}, c.f, records...); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestCellsOfEveryKind(t *testing.T) {
	r := withValue("{\"n\":1.50e3,\"big\":123456789012345678901234567890,\"s\":\"a,\\\"b\\\"\\u00e9\\n\",\"t\":true,\"o\":{\"x\": [1,\n2]},\"items\":[{\"sku\":\"a\"},{},{\"sku\":\"c\"}]}")
	r.Key, r.Partition, r.Offset, r.TimestampMs = []byte{0xff, 'k'}, 3, 12, 1700000000123
	r.Headers = []format.Header{{Key: "type", Value: []byte("old")}, {Key: "type", Value: []byte("created")}, {Key: "none"}}
	paths := []string{"value.n", "value.big", "value.s", "value.t", "value.o", "value.items.#.sku", "value.items.#", "key", "partition", "offset", "timestamp", "headers.type", "headers.none", "headers.x"}
	want := "1.50e3,123456789012345678901234567890,\"a,\"\"b\"\"é\n\",true,\"{\"\"x\"\": [1,\n2]}\",\"[\"\"a\"\",\"\"c\"\"]\",3,\xffk,3,12,1700000000123,created,\\N,\n"
	if got := table(t, paths, Options{}, FormatOptions{NoHeader: true, Null: DefaultNull}, r); got != want {
		t.Errorf("csv: got\n%swant\n%s", got, want)
	}
	want = `{"value.n":1.50e3,"value.big":123456789012345678901234567890,"value.s":"a,\"b\"\u00e9\n","value.t":true,"value.o":{"x": [1, 2]},` +
		`"value.items.#.sku":["a","c"],"value.items.#":3,"key":{"base64":"/2s="},"partition":3,"offset":12,"timestamp":1700000000123,"headers.type":"created","headers.none":null}` + "\n"
	if got := table(t, paths, Options{}, FormatOptions{Format: JSONL}, r); got != want {
		t.Errorf("jsonl: got\n%swant\n%s", got, want)
	}
}

func TestLinesStayJSONWhatEverIsFoundInAPayload(t *testing.T) {
	for value, want := range map[string]string{
		`{"a":t`:           `{"value.a":"t"}`,
		`{"a":01}`:         `{"value.a":"01"}`,
		`{"a":"\u12"}`:     "{\"value.a\":\"\uFFFD12\"}",
		"{\"a\":\"\xff\"}": `{"value.a":{"base64":"/w=="}}`,
		`{"a":[1,}`:        `{"value.a":"[1,}"}`,
		`no json`:          `{}`,
	} {
		if got := table(t, []string{"value.a"}, Options{}, FormatOptions{Format: JSONL}, withValue(value)); got != want+"\n" {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

func TestExplodeMakesARowAnElement(t *testing.T) {
	order := `{"id":7,"tags":["a","b"],"items":[{"sku":"x","n":1,"lots":[{"l":1},{"l":2}]},{"n":2},{"sku":"z","lots":[]}]}`
	for _, c := range []struct {
		name  string
		paths []string
		value string
		want  string
	}{
		{"elements stay together", []string{"value.id", "value.items.#.sku", "value.items.#.n"}, order, "7,x,1\n7,,2\n7,z,\n"},
		{"a path that leads to an array", []string{"value.id", "value.tags"}, order, "7,a\n7,b\n"},
		{"two arrays side by side", []string{"value.items.#.n", "value.tags"}, order, "1,a\n2,b\n,\n"},
		{"arrays in arrays", []string{"value.id", "value.items.#.sku", "value.items.#.lots.#.l"}, order, "7,x,1\n7,x,2\n7,,\n7,z,\n"},
		{"the count of an array", []string{"value.items.#", "value.tags"}, order, "3,a\n3,b\n"},
		{"no array", []string{"value.id", "value.items.#.sku"}, `{"id":8}`, "8,\n"},
		{"an empty array", []string{"value.id", "value.items.#.sku", "value.tags"}, `{"id":8,"items":[],"tags":[]}`, "8,,\n"},
		{"no JSON", []string{"offset", "value.items.#.sku"}, `nothing`, "0,\n"},
		{"null elements", []string{"offset", "value.tags"}, `{"tags":[null,"",{"a":1}]}`, "0,\\N\n0,\"\"\n0,\"{\"\"a\"\":1}\"\n"},
		{"the value is an array", []string{"value.#.a", "topic"}, `[{"a":1},{"a":2}]`, "1,orders\n2,orders\n"},
		{"key and value", []string{"key.id", "value.tags"}, order, "5,a\n5,b\n"},
		{"a name with a dot and a hash", []string{`value.a\.#.x`, "offset"}, `{"a.#":{"x":1}}`, "1,0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := withValue(c.value)
			r.Key = []byte(`{"id":5}`)
			if got := table(t, c.paths, Options{Explode: true}, FormatOptions{NoHeader: true, Null: DefaultNull}, r); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestSkipMissingLeavesOutRowsWithNothing(t *testing.T) {
	cs := append(columns(t, "value.a", "value.b"), Computed("id", func(*reshape.Record) reshape.Field {
		return reshape.Field{Kind: reshape.Bytes, Raw: []byte("1")}
	}))
	x := New(cs, Options{SkipMissing: true})
	rows := 0
	for _, value := range []string{`{"a":1}`, `{"c":1}`, `{"b":null}`, ``} {
		if err := x.Each(withValue(value), func([]reshape.Field) error { rows++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if rows != 2 || x.Skipped() != 2 {
		t.Errorf("got %d rows and %d skipped, want 2 and 2", rows, x.Skipped())
	}
}

func TestAMarkThatNeedsQuotesIsRefused(t *testing.T) {
	for _, o := range []FormatOptions{{Null: ","}, {Null: `"`}, {Missing: "\n"}, {Null: " "}, {Format: TSV, Null: "a\tb"}} {
		if _, err := NewWriter(&bytes.Buffer{}, columns(t, "key"), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestCellsThatAreNotUTF8AreCounted(t *testing.T) {
	for _, format := range Formats() {
		cs := columns(t, "value.a")
		w, err := NewWriter(&bytes.Buffer{}, cs, FormatOptions{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		x := New(cs, Options{})
		for _, v := range []string{"{\"a\":\"\xff\"}", `{"a":"é"}`} {
			if err := x.Each(withValue(v), w.Row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || w.NotUTF8() != 1 {
			t.Errorf("%s: got %d, %v, want 1", format, w.NotUTF8(), err)
		}
	}
}

// FuzzExtract looks for a payload or path that breaks the table: each row must have all cells, and come back as it was written.
func FuzzExtract(f *testing.F) {
	f.Fuzz(func(t *testing.T, path string, value []byte, explode bool) {
		c, err := ParseColumn("value." + path)
		if err != nil {
			return
		}
		cs := append([]Column{c}, columns(t, "value", "key.a")...)
		r := &reshape.Record{Record: format.Record{Key: value, Value: value}}
		x := New(cs, Options{Explode: explode})
		var want [][]string
		var out bytes.Buffer
		w, _ := NewWriter(&out, cs, FormatOptions{NoHeader: true, Null: DefaultNull})
		lines, _ := NewWriter(&bytes.Buffer{}, cs, FormatOptions{Format: JSONL})
		x.Each(r, func(row []reshape.Field) error {
			var texts []string
			for _, f := range row {
				texts = append(texts, fmt.Sprint(f.Kind == reshape.Null, string(f.AppendText(nil))))
			}
			want = append(want, texts)
			lines.Row(row)
			return w.Row(row)
		})
		w.Close()
		got := readBack(t, out.Bytes())
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q in %q: got %q, want %q\n%s", path, value, got, want, out.Bytes())
		}
		for _, line := range bytes.Split(bytes.TrimSuffix(lines.(*jsonlWriter).buf, []byte("\n")), []byte("\n")) {
			if err := reshape.CheckJSON(line); err != nil && !strings.Contains(err.Error(), "twice") && !strings.Contains(err.Error(), "deeply") && c.Name != "value.key.a" {
				t.Fatalf("%q in %q: %v: %s", path, value, err, line)
			}
		}
	})
}

func readBack(t *testing.T, text []byte) (rows [][]string) {
	r := csv.NewReader(bytes.NewReader(text), ',', 0)
	for {
		fields, _, err := r.Read()
		if err != nil {
			return rows
		}
		var row []string
		for _, f := range fields {
			isNull := !f.Quoted && string(f.Text) == DefaultNull
			if isNull {
				f.Text = nil
			}
			row = append(row, fmt.Sprint(isNull, string(f.Text)))
		}
		rows = append(rows, row)
	}
}

func TestNoCellIsAFormulaForASpreadsheetWhenItIsAskedFor(t *testing.T) {
	for value, want := range map[string]string{
		`"=cmd|' /C calc'!A0"`: `"'=cmd|' /C calc'!A0"`,
		`"+1"`:                 `"'+1"`,
		`"-1+1"`:               `"'-1+1"`,
		`"@SUM(1)"`:            `"'@SUM(1)"`,
		`"\t=1"`:               "\"'\t=1\"",
		`"\r=1"`:               "\"'\r=1\"",
		`" \u200b=1"`:          "\"' \u200b=1\"",
		`"＝1"`:                 `"'＝1"`,
		`"a;=1"`:               `"a;=1"`, // in quotes, a reader of semicolons finds no cell in it either
		`"plain"`:              `"plain"`,
		`-5`:                   `-5`,
		`null`:                 `\N`,
	} {
		for _, format := range []string{CSV, TSV} {
			f := FormatOptions{Format: format, Null: DefaultNull, NoHeader: true, SpreadsheetSafe: true}
			if got := table(t, []string{"value.a"}, Options{}, f, withValue(`{"a":`+value+`}`)); got != want+"\n" {
				t.Errorf("%s of %s: got %q, want %q", format, value, got, want)
			}
		}
	}
}

func TestJSONLinesEscapeWhatATerminalObeys(t *testing.T) {
	got := table(t, []string{"value", "value.a"}, Options{}, FormatOptions{Format: JSONL}, withValue("{\"a\":{\"b\u009b\":\"\u202e漢\"}}"))
	if want := `{"value":"{\"a\":{\"b\u009b\":\"\u202e漢\"}}","value.a":{"b\u009b":"\u202e漢"}}` + "\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
