package imports

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/foreign"
)

// record is a line as short prints it, of topic t and partition 0.
func record(offset, rest string) string {
	return `{"topic":"t","partition":0,"offset":` + offset + `,` + rest + `}`
}

func created(ms string) string { return `"timestamp_ms":` + ms + `,"timestamp_type":"create",` }

func TestFilesOfOtherTools(t *testing.T) {
	three := int32(3)
	orders := func(offset, rest string) string {
		return `{"topic":"orders","partition":1,"offset":` + offset + `,` + rest + `}`
	}
	keyed := LinesOptions{Fields: []Column{{Name: "key"}}, Null: "null"}
	for _, c := range []struct {
		file    string
		kind    Kind
		o       OpenOptions
		mapping []string
		options Options
		want    []string
	}{
		{"two.csv.gz", CSV, OpenOptions{}, []string{"object=*"}, Options{}, []string{
			record("0", `"key":null,"value":"{\"id\":\"1\",\"name\":\"Ann\"}"`), record("1", `"key":null,"value":"{\"id\":\"2\",\"name\":\"Bob\"}"`)}},
		{"utf16.csv", CSV, OpenOptions{}, []string{"object=*"}, Options{}, []string{
			record("0", `"key":null,"value":"{\"id\":\"1\",\"name\":\"Zoë\"}"`), record("1", `"key":null,"value":"{\"id\":\"2\",\"name\":\"Bob\"}"`)}},
		{"utf16.jsonl", JSONL, OpenOptions{Mapped: true}, nil, Options{}, []string{record("0", `"key":null,"value":"{\"id\":1}"`), record("1", `"key":null,"value":"{\"id\":2}"`)}},
		{"bom.jsonl", JSONL, OpenOptions{Mapped: true}, []string{"key=id"}, Options{}, []string{
			record("0", `"key":"1","value":"{\"id\":1,\"@timestamp\":\"2024-01-15T10:00:00.123Z\"}"`),
			record("1", `"key":"2","value":"{\"id\":2,\"@timestamp\":\"2024-01-15T10:00:01.123Z\"}"`)}},
		{"logstash.jsonl", JSONL, OpenOptions{Mapped: true}, []string{`key=["user.name"]`, `timestamp=["@timestamp"]`, `object=["@timestamp"],kubernetes["pod-name"],kubernetes.labels["app.kubernetes.io/name"]`}, Options{},
			[]string{record("0", created("1705312800123")+`"key":"ann","value":"{\"@timestamp\":\"2024-01-15T10:00:00.123Z\",\"kubernetes.pod-name\":\"p1\",\"kubernetes.labels.app.kubernetes.io/name\":\"x\"}"`)}},
		{"kcat-bom.jsonl", Kcat, OpenOptions{}, nil, Options{}, []string{`{"topic":"j","partition":0,"offset":0,"key":"","value":"a"}`}},
		{"pandas-index.csv", CSV, OpenOptions{}, []string{"object=*"}, Options{}, []string{
			record("0", `"key":null,"value":"{\"1\":\"0\",\"id\":\"1\",\"name\":\"Ann\"}"`), record("1", `"key":null,"value":"{\"1\":\"1\",\"id\":\"2\",\"name\":\"Bob\"}"`)}},
		{"pandas-index.csv", CSV, OpenOptions{}, []string{"key=1"}, Options{}, []string{record("0", `"key":"0","value":"1"`), record("1", `"key":"1","value":"2"`)}},
		{"pg.csv", CSV, OpenOptions{}, []string{"timestamp=at"}, Options{}, []string{record("0", created("1705312800500")+`"key":null,"value":"1"`),
			record("1", created("1705312801000")+`"key":null,"value":"2"`), record("2", created("1705312802123")+`"key":null,"value":"3"`), record("3", created("1705312803000")+`"key":null,"value":"4"`)}},
		{"console-keyed.txt", Lines, OpenOptions{Lines: keyed}, nil, Options{}, []string{record("0", `"key":"k1","value":"{\"id\":1,\"n\":\"a\"}"`),
			record("1", `"key":"k2","value":"{\"id\":2,\"n\":\"b\"}"`), record("2", `"key":"k3","value":null`)}},
		{"plainlog.txt", Lines, OpenOptions{}, nil, Options{}, []string{record("0", `"key":null,"value":"2024-01-15 10:00:00 INFO started, all \"fine\""`),
			record("1", `"key":null,"value":"2024-01-15 10:00:01 WARN a, b"`)}},
		{"pretty.json", JSONL, OpenOptions{Mapped: true}, nil, Options{}, []string{record("0", `"key":null,"value":"{\"id\":1}"`), record("1", `"key":null,"value":"{\"id\":2}"`)}},
		{"rpk-pretty.json", RPK, OpenOptions{}, nil, Options{}, []string{orders("7", created("1700000000000")+`"key":"k1","value":"{\"a\":1}"`),
			orders("8", created("1700000000001")+`"key":"k2","value":"{\"a\":2}"`)}},
		{"rpk.jsonl", RPK, OpenOptions{}, nil, Options{}, []string{
			orders("7", created("1700000000000")+`"key":"k1","value":"{\"a\":1}","headers":[{"key":"h","value":"v"},{"key":"h","value":"w"}]`),
			orders("9", created("1700000000001")+`"key":"k2","value":""`)}},
		{"kaf.jsonl", Kaf, OpenOptions{}, nil, Options{}, []string{
			strings.Replace(orders("0", created("1705305600123")+`"key":"1","value":"{\"data\":1}","headers":[{"key":"h1","value":"hv1"}]`), `:1,`, `:0,`, 1),
			strings.Replace(orders("1", created("1705305601123")+`"key":"","value":"x"`), `:1,`, `:0,`, 1)}},
		{"aiven-orders-0-100.jsonl", Aiven, OpenOptions{}, nil, Options{Partition: &three}, []string{
			strings.Replace(record("100", created("1705312800123")+`"key":"k1","value":"{\"a\":1}","headers":[{"key":"h","value":"v"}]`), `:0,`, `:3,`, 1),
			strings.Replace(record("101", created("1705312801000")+`"key":null,"value":null`), `:0,`, `:3,`, 1)}},
		{"akhq.json", AKHQ, OpenOptions{}, nil, Options{}, []string{
			record("12", created("1705312800123")+`"key":"k1","value":"{\"a\":1}","headers":[{"key":"h","value":"v"},{"key":"h","value":"w"}]`),
			record("13", created("1705312801000")+`"key":"","value":"x"`)}},
		{"console-prefixes.txt", Lines, OpenOptions{Lines: LinesOptions{Null: "null", Fields: columnsNamed("timestamp", "partition", "offset", "headers", "key")}}, nil, Options{}, []string{
			record("4", created("1705312800123")+`"key":"k1","value":"{\"a\":\t1}","headers":[{"key":"h","value":"v"},{"key":"h","value":"x:y"}]`),
			record("5", `"timestamp_ms":1705312801000,"timestamp_type":"log_append","key":null,"value":null`), record("6", `"key":"k2","value":""`)}},
		{"nested.parquet", Parquet, OpenOptions{}, []string{"key=id", "object=*"}, Options{}, []string{
			record("0", `"key":"1","value":"{\"items\":[{\"sku\":\"a\"},{\"sku\":\"b\"}],\"tags\":[\"x\"]}"`), record("1", `"key":"2","value":"{\"items\":[],\"tags\":null}"`)}},
		{"types.parquet", Parquet, OpenOptions{}, []string{"key=st.a", "object=*"}, Options{}, []string{
			record("0", `"key":"1","value":"{\"value\":\"a\",\"f16\":1.5,\"dec\":1.50,\"dec256\":1.50,\"date\":\"2024-01-15\",\"time\":\"10:00:00.000005\",\"t32\":\"10:00:00\",`+
				`\"u64\":18446744073709551615,\"i8\":-1,\"bool\":true,\"dbl\":2,\"big\":1e+21,\"ns\":\"2024-01-15T10:00:00.123456789Z\",\"s\":\"2024-01-15T10:00:00\",\"dur\":1000000,`+
				`\"fsb\":\"\\u0001\\u0002\",\"lb\":\"x\",\"ls\":\"x\",\"dict\":\"a\",\"null\":null,\"st\":{\"a\":1,\"b\":\"x\"},\"li\":[1,2],\"mp\":{\"k\":\"v\"}}"`),
			record("1", `"key":null,"value":"{\"value\":\"b\",\"f16\":2,\"dec\":-0.05,\"dec256\":null,\"date\":null,\"time\":null,\"t32\":null,\"u64\":null,\"i8\":null,\"bool\":null,`+
				`\"dbl\":\"NaN\",\"big\":4e-07,\"ns\":null,\"s\":null,\"dur\":null,\"fsb\":null,\"lb\":null,\"ls\":null,\"dict\":\"a\",\"null\":null,\"st\":null,\"li\":null,\"mp\":null}"`)}},
	} {
		t.Run(c.file, func(t *testing.T) {
			c.o.Mapping = mapping(t, c.mapping...)
			c.options.Topic = "t"
			text := readFile(t, "testdata/foreign/"+c.file)
			for _, text := range []string{text, gzipped(t, text)} {
				file := textFile(c.kind, c.file, text, c.o)
				if text[0] == '\x1f' {
					file = pipe(c.kind, text, c.o)
				}
				if got, want := mustImport(t, c.options, file).short(t), strings.Join(c.want, "\n")+"\n"; got != want {
					t.Errorf("got\n%swant\n%s", got, want)
				}
			}
		})
	}
}

func columnsNamed(names ...string) (out []Column) {
	for _, name := range names {
		out = append(out, Column{Name: name})
	}
	return out
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// pipe is a file that can only be read from its begin to its end.
func pipe(kind Kind, text string, o OpenOptions) File {
	return File{"stdin", func() (Source, func() error, error) {
		s, err := Open(kind, Input{Name: "stdin", Reader: struct{ io.Reader }{strings.NewReader(text)}}, o)
		if err != nil {
			return nil, nil, err
		}
		return s, func() error { s.Close(); return nil }, nil
	}}
}

func TestUnsupportedOverALimitAndDamagedAreThreeErrors(t *testing.T) {
	file := func(name string) string { return readFile(t, "testdata/foreign/"+name) }
	long := strings.Repeat("x", 3<<20)
	var (
		unsupported *foreign.UnsupportedError
		limit       *foreign.LimitError
		damaged     *foreign.DamagedError
	)
	for name, c := range map[string]struct {
		kind Kind
		text string
		want any
	}{
		"a codec":            {Parquet, file("fp-LZ4.parquet"), &unsupported},
		"a zip":              {CSV, "PK\x03\x04....", &unsupported},
		"Parquet as CSV":     {CSV, file("nested.parquet"), &unsupported},
		"a long row":         {CSV, "a\n" + long, &limit},
		"a long line":        {Lines, long, &limit},
		"a long value":       {JSONL, "{\n\"a\":\"" + long + "\"\n}", &limit},
		"a long RRPair":      {Speedscale, "{\"a\":\n\"" + long + "\"\n}", &limit},
		"a cut Parquet file": {Parquet, file("truncated.parquet"), &damaged},
		"a cut gzip":         {CSV, file("two.csv.gz")[:30], &damaged},
		"half a UTF-16":      {CSV, file("utf16.csv") + "x", &damaged},
	} {
		_, err := importFiles(t, Options{Topic: "t"}, textFile(c.kind, "f", c.text, OpenOptions{MaxRow: 2 << 20}))
		for _, class := range []any{&unsupported, &limit, &damaged} {
			if got := errors.As(err, class); got != (class == c.want) {
				t.Errorf("%s: %T is %t of %v", name, class, got, err)
			}
		}
	}
}

func TestALineHasItsFields(t *testing.T) {
	fields, err := ParseFields("key:hex,value:base64")
	if err != nil {
		t.Fatal(err)
	}
	got := mustImport(t, Options{Topic: "t"}, textFile(Lines, "f", "6b31||/w==\n\\N||\n", OpenOptions{Lines: LinesOptions{Fields: fields, Delimiter: "||", Null: `\N`}})).short(t)
	if want := record("0", `"key":"k1","value":{"base64":"/w=="}`) + "\n" + record("1", `"key":null,"value":""`) + "\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	value := mustImport(t, Options{Topic: "t"}, textFile(Lines, "f", "v\tmore\tk\r\n", OpenOptions{Lines: LinesOptions{Fields: columnsNamed("value", "key")}})).short(t)
	if want := record("0", `"key":"more\tk","value":"v"`) + "\n"; value != want {
		t.Errorf("value first: got %s want %s", value, want)
	}
	all := mustImport(t, Options{Topic: "t"}, textFile(Lines, "f", "a\n\n\nb", OpenOptions{}))
	if all.Records != 4 {
		t.Errorf("empty lines: got %d records", all.Records)
	}
	for text, want := range map[string]string{"k1\tv\nno key\n": "f: line 2: fewer fields than a line is to have"} {
		if _, err := importFiles(t, Options{Topic: "t"}, textFile(Lines, "f", text, OpenOptions{Lines: LinesOptions{Fields: columnsNamed("key")}})); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for _, s := range []string{"key,key", "keys", "", "key,,"} {
		if _, err := ParseFields(s); err == nil {
			t.Errorf("fields %q are taken", s)
		}
	}
}

func TestHeadersComeInSeveralShapes(t *testing.T) {
	for text, want := range map[string]string{
		`null`: ``, `[]`: ``, `{}`: ``, `""`: ``, `"NO_HEADERS"`: ``,
		`[{"key":"a","value":"1"},{"key":"a","value":null},{"name":"b","value":2}]`: `a=1,a,b=2`,
		`[["a","1"],["a","2"]]`:                    `a=1,a=2`,
		`["a","1","a",null]`:                       `a=1,a`,
		`{"a":"1","b":["2",null,"3"],"c":{"x":1}}`: `a=1,b=2,b,b=3,c={"x":1}`,
		`[{"key":"a","value":{"base64":"MQ=="}}]`:  `a=1`,
		`"a:1,b:x:y,c:null"`:                       `a=1,b=x:y,c`,
		`"[{\"key\":\"a\",\"value\":\"1\"}]"`:      `a=1`,
		`[{"key":"a"}]`:                            `a`,
		`5`:                                        `bad`, `[1]`: `bad`, `["a"]`: `bad`, `["a","b",1,"c"]`: `bad`, `[{"value":"x"}]`: `bad`, `"a:1,b"`: `bad`, `[["a"]]`: `bad`,
	} {
		checkHeaders(t, "headers", `{"headers":`+text+`,"v":"x"}`, want)
	}
	checkHeaders(t, "headers:base64", `{"headers":[{"key":"a","value":"MQ=="}],"v":""}`, "a=1")
	checkHeaders(t, "headers:base64", `{"headers":[{"Key":"YQ==","Value":"MQ=="},{"Key":"YQ==","Value":null}],"v":""}`, "a=1,a")
	checkHeaders(t, "headers:base64", `{"headers":[{"key":"a","value":"?"}],"v":""}`, "bad")
}

func checkHeaders(t *testing.T, column, text, want string) {
	t.Helper()
	s, err := Open(JSONL, Input{Name: "f", Reader: strings.NewReader(text)}, OpenOptions{Mapped: true, Mapping: mapping(t, "headers="+column, "value=v")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	row, err := s.Next()
	if _, bad := errors.AsType[*BadRow](err); bad {
		got = []string{"bad"}
	} else if err != nil {
		t.Fatal(err)
	} else {
		for _, h := range row.Headers {
			one := h.Key
			if h.Value != nil {
				one += "=" + string(h.Value)
			}
			got = append(got, one)
		}
	}
	if s := strings.Join(got, ","); s != want {
		t.Errorf("%s: got %s, %v, want %s", text, s, err, want)
	}
}

func TestNothingOfACellIsInAnError(t *testing.T) {
	const secret = "hunter2"
	for _, c := range []struct {
		kind  Kind
		text  string
		flags []string
	}{
		{CSV, "a,b\nx,SECRET\n", []string{"partition=b"}}, {CSV, "a,b\nx,SECRET\n", []string{"offset=b"}}, {CSV, "a,b\nx,SECRET\n", []string{"timestamp=b"}},
		{CSV, "a,b\nx,SECRET/\n", []string{"topic=b"}}, {CSV, "a,b\nx,SECRET\n", []string{"value=b:base64"}}, {CSV, "a,b\nx,SECRET\n", []string{"value=b:hex"}},
		{CSV, "a,b\nx,SECRET\n", []string{"object=b:number"}}, {CSV, "a,b\nx,SECRET\n", []string{"object=b:bool"}}, {CSV, "a,b\nx,SECRET\"\n", nil},
		{CSV, "a,b\nx,SECRET\n", []string{"headers=b"}}, {JSONL, `{"SECRET`, []string{"value=x"}}, {JSONL, `{"a":"SECRET"}`, []string{"value=x"}},
		{JSONL, `{"topic":"SECRET","SECRET":1}`, nil}, {JSONL, `{"topic":"SECRET","partition":"SECRET"}`, nil}, {JSONL, `{"headers":[{"key":"a","value":{"base64":"SECRET"}}]}`, nil},
		{JSONL, `{"timestamp_type":"SECRET"}`, nil}, {JSONL, `{"key":["SECRET"]}`, nil}, {JSONL, `{"headers":[{"SECRET":1}]}`, nil},
		{Kcat, `{"topic":"t","partition":"SECRET","offset":1,"payload":""}`, nil}, {Kcat, `{"topic":"SECRET/","partition":1,"offset":1,"payload":""}`, nil},
		{Lines, "SECRET\n", nil},
		{Speedscale, `{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"partition":"SECRET","records":{"records":[{}]}}]}]}}}}`, nil},
		{Speedscale, `{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"records":[{"headers":[{"key":"SECRET","value":"SECRET?"}]}]}}]}]}}}}`, nil},
		{Speedscale, `{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"records":[{"value":"SECRET?"}]}}]}]}}}}`, nil},
		{Speedscale, `SECRET`, nil},
	} {
		o := OpenOptions{Mapping: mapping(t, c.flags...), Mapped: c.kind == JSONL && c.flags != nil, Lines: LinesOptions{Fields: columnsNamed("key")}}
		o.Snapshot.Calls.Fetch = true
		_, err := importFiles(t, Options{Topic: "t"}, textFile(c.kind, "f", strings.ReplaceAll(c.text, "SECRET", secret), o))
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s %s %q: got %v", c.kind, c.text, c.flags, err)
		}
	}
}

func TestColumnsOfOneNameAreRefused(t *testing.T) {
	for _, text := range []string{"a,b,a\n1,2,3\n", "2,\n1,2\n"} {
		_, err := importFiles(t, Options{Topic: "t"}, textFile(CSV, "f", text, OpenOptions{Mapping: mapping(t, "object=*")}))
		if err == nil || !strings.Contains(err.Error(), "have the same name") {
			t.Errorf("%q: got %v", text, err)
		}
	}
	got := mustImport(t, Options{Topic: "t"}, textFile(CSV, "f", "*,,a\n1,2,3\n", OpenOptions{Mapping: mapping(t, "object=*")})).short(t)
	if want := record("0", `"key":null,"value":"{\"*\":\"1\",\"2\":\"2\",\"a\":\"3\"}"`) + "\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	semicolons := mustImport(t, Options{Topic: "t"}, textFile(CSV, "f", "sep=;\r\na;b\r\n1;2\r\n", OpenOptions{Mapping: mapping(t, "object=*")})).short(t)
	if want := record("0", `"key":null,"value":"{\"a\":\"1\",\"b\":\"2\"}"`) + "\n"; semicolons != want {
		t.Errorf("got %s want %s", semicolons, want)
	}
}
