package imports

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// mapping makes a Mapping of flags as the command has them.
func mapping(t *testing.T, flags ...string) (m Mapping) {
	t.Helper()
	for _, flag := range flags {
		name, text, _ := strings.Cut(flag, "=")
		var err error
		switch name {
		case "topic":
			m.Topic = text
		case "partition":
			m.Partition = text
		case "offset":
			m.Offset = text
		case "timestamp":
			m.Timestamp = text
		case "unit":
			m.TimeUnit = TimeUnit(text)
		case "key":
			m.Key, err = ParseColumn(text)
		case "value":
			m.Value, err = ParseColumn(text)
		case "object":
			m.Object, err = ParseObject(text)
		case "header":
			var h HeaderColumn
			h, err = ParseHeader(text)
			m.Headers = append(m.Headers, h)
		case "headers":
			m.HeaderList, err = ParseColumn(text)
		default:
			t.Fatalf("unknown %s", name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestColumnsBecomeRecords(t *testing.T) {
	const orders = "id,when,amount,note,raw\n7,1700000000123,12.50,\"a,b\",/w==\n8,2026-03-01T12:00:00.5Z,-3,,\n"
	for _, c := range []struct {
		name  string
		kind  Kind
		text  string
		csv   CSVOptions
		flags []string
		want  string
	}{
		{"the first column is the value", CSV, orders, CSVOptions{}, nil, `"key":null,"value":"7"|"key":null,"value":"8"`},
		{"columns by name", CSV, orders, CSVOptions{}, []string{"key=id", "value=note", "header=amount=amount", "header=raw=raw:base64"},
			`"key":"7","value":"a,b","headers":[{"key":"amount","value":"12.50"},{"key":"raw","value":{"base64":"/w=="}}]|"key":"8","value":"","headers":[{"key":"amount","value":"-3"}]`},
		{"the first column that is left", CSV, orders, CSVOptions{}, []string{"key=id"}, `"key":"7","value":"1700000000123"|"key":"8","value":"2026-03-01T12:00:00.5Z"`},
		{"an object of some columns", CSV, orders, CSVOptions{}, []string{"key=id", "object=id:number,amount:number,note,when"},
			`"key":"7","value":"{\"id\":7,\"amount\":12.50,\"note\":\"a,b\",\"when\":\"1700000000123\"}"|"key":"8","value":"{\"id\":8,\"amount\":-3,\"when\":\"2026-03-01T12:00:00.5Z\"}"`},
		{"an object of the rest", CSV, orders, CSVOptions{}, []string{"key=id", "header=w=when", "object=raw:base64,*"},
			`"key":"7","value":"{\"raw\":{\"base64\":\"/w==\"},\"amount\":\"12.50\",\"note\":\"a,b\"}","headers":[{"key":"w","value":"1700000000123"}]|"key":"8","value":"{\"amount\":\"-3\"}","headers":[{"key":"w","value":"2026-03-01T12:00:00.5Z"}]`},
		{"names as extract gives them", CSV, "value,key,headers.a\\.b,partition,offset,topic\n\"\",\\N,x,3,5,other\n\\N,\"\\N\",,3,6,\n", CSVOptions{Null: `\N`}, nil,
			`"topic":"other","partition":3,"offset":5,"key":null,"value":"","headers":[{"key":"a.b","value":"x"}]|"partition":3,"offset":6,"key":"\\N","value":null`},
		{"a flag before a name", CSV, "value,key\na,b\n", CSVOptions{}, []string{"key=value", "value=key"}, `"key":"a","value":"b"`},
		{"no header line", CSV, "a;b\nc;d\n", CSVOptions{Comma: ';', NoHeader: true}, []string{"key=2"}, `"key":"b","value":"a"|"key":"d","value":"c"`},
		{"null where nothing is", CSV, "v\nnull\n\"null\"\n", CSVOptions{Null: "null"}, nil, `"key":null,"value":null|"key":null,"value":"null"`},
		{"types of payloads", CSV, "a,b,c,d\n6869,TRUE, 5 ,\"{\"\"x\"\":1}\"\n", CSVOptions{}, []string{"value=a:hex", "key=b:bool", "header=n=c:number", "header=j=d:json"},
			`"key":"true","value":"hi","headers":[{"key":"n","value":"5"},{"key":"j","value":"{\"x\":1}"}]`},
		{"a colon in a name", CSV, "a:b,c\nx,y\n", CSVOptions{}, []string{"value=a:b"}, `"key":null,"value":"x"`},

		{"lines of JSON", JSONL, "{\"a\": 1}\n\n[2]\n", CSVOptions{}, nil, `"key":null,"value":"{\"a\": 1}"|"key":null,"value":"[2]"`},
		{"paths into JSON", JSONL, `{"user":{"id":7},"payload":{"x":[1, 2]},"ts":1.7e3,"tags":["a","b"],"none":null}` + "\n", CSVOptions{}, []string{"key=user.id", "value=payload", "header=tag=tags.1", "header=none=none", "header=x=nowhere"},
			`"key":"7","value":"{\"x\":[1, 2]}","headers":[{"key":"tag","value":"b"},{"key":"none","value":null}]`},
		{"an object of paths", JSONL, `{"a":{"b":"text","c":null},"d":1.50}`, CSVOptions{}, []string{"object=a.b,d,a.c,e"}, `"key":null,"value":"{\"a.b\":\"text\",\"d\":1.50,\"a.c\":null}"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustImport(t, Options{Topic: "t"}, textFile(c.kind, "f", c.text, OpenOptions{CSV: c.csv, Mapping: mapping(t, c.flags...), Mapped: true}))
			want := ""
			for i, line := range strings.Split(c.want, "|") {
				if !strings.HasPrefix(line, `"topic"`) && !strings.HasPrefix(line, `"partition"`) {
					line = fmt.Sprintf(`"topic":"t","partition":0,"offset":%d,%s`, i, line)
				}
				if strings.HasPrefix(line, `"partition"`) {
					line = `"topic":"t",` + line
				}
				want += "{" + line + "}\n"
			}
			if s := got.short(t); s != want {
				t.Errorf("got\n%swant\n%s", s, want)
			}
		})
	}
}

func TestRowsThatDoNotFitAreBad(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		text  string
		flags []string
		want  string
	}{
		{CSV, "a,b\n1\n", nil, "f: line 2: 1 fields, and 2 columns"},
		{CSV, "a,b\n1,2\n\"x\n,\n", nil, "f: line 3: a quote that nothing closes"},
		{CSV, "a,b\nx,y\n", []string{"partition=b"}, `f: line 2: column b: not a partition`},
		{CSV, "a,b\nx,-1\n", []string{"partition=b"}, `f: line 2: column b: not a partition`},
		{CSV, "a,b\nx,1.5\n", []string{"offset=b"}, `f: line 2: column b: not an offset`},
		{CSV, "a,b\nx,noon\n", []string{"timestamp=b"}, `f: line 2: column b: neither a number nor a time`},
		{CSV, "a,b\nx,?\n", []string{"value=b:base64"}, `f: line 2: column b: not base64`},
		{CSV, "a,b\nx,1x\n", []string{"object=b:number"}, `f: line 2: column b: not a number`},
		{CSV, "a,b\nx,maybe\n", []string{"object=b:bool"}, `f: line 2: column b: neither true nor false`},
		{CSV, "a,b\nx,/\n", []string{"topic=b"}, `f: line 2: column b: not the name of a topic`},
		{JSONL, "{}\n{\"a\":\n", nil, "f: line 2: not JSON"},
		{JSONL, `{"b":1}`, []string{"value=a"}, "f: line 1: it has no a"},
	} {
		_, err := importFiles(t, Options{Topic: "t"}, textFile(c.kind, "f", c.text, OpenOptions{Mapping: mapping(t, c.flags...), Mapped: true}))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q %q: got %v, want %s", c.text, c.flags, err, c.want)
		}
	}
	if _, err := importFiles(t, Options{}, textFile(CSV, "f", "a\nx\n", OpenOptions{})); err == nil || !strings.Contains(err.Error(), ErrNoTopic.Error()) {
		t.Errorf("without a topic: got %v", err)
	}
}

func TestAMappingThatDoesNotFitIsRefusedAtOnce(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		text  string
		flags []string
		want  string
	}{
		{CSV, "amount,b\n", []string{"value=amont"}, "no column amont: did you mean amount?"},
		{CSV, "a,b\n", []string{"value=zzz"}, "no column zzz: the first line names 2"},
		{CSV, "a,b,a\n", []string{"value=a"}, "columns 1 and 3 have the same name"},
		{CSV, "a\n", []string{"key=a"}, "no column is left to be the value"},
		{CSV, "a\n", []string{"key=a", "object=*"}, "no column is left to be in the value"},
		{CSV, "", nil, "it is empty"},
		{JSONL, "", []string{"object=*"}, "JSON has no list of columns"},
	} {
		_, err := importFiles(t, Options{Topic: "t", SkipBad: 9}, textFile(c.kind, "f", c.text, OpenOptions{Mapping: mapping(t, c.flags...), Mapped: true}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: got %v, want %s", c.text, c.flags, err, c.want)
		}
	}
	for _, s := range []string{"a", "=a", "a="} {
		if _, err := ParseHeader(s); err == nil {
			t.Errorf("header %q is taken", s)
		}
	}
}

func TestAnEmptyFileIsAnArchiveWithoutRecords(t *testing.T) {
	for kind, o := range map[Kind]OpenOptions{CSV: {CSV: CSVOptions{NoHeader: true}}, JSONL: {}, Lines: {}, Kcat: {}, Speedscale: {}} {
		got := mustImport(t, Options{Topic: "t"}, textFile(kind, "f", "", o))
		if got.Records != 0 || len(got.archive.Partitions()) != 0 {
			t.Errorf("%s: got %+v", kind, got.Report)
		}
	}
}

func TestAFileWithSomethingInItAndNoRecordIsRefused(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		text string
	}{{CSV, "a,b\n"}, {CSV, "\xef\xbb\xbfa\n"}, {JSONL, " \n"}, {JSONL, "[]"}, {Kcat, "\xef\xbb\xbf"}, {Speedscale, `{"command":"Fetch"}`}} {
		_, err := importFiles(t, Options{Topic: "t", SkipBad: 9}, textFile(c.kind, "f", c.text, OpenOptions{}))
		if !errors.Is(err, ErrNoRecord) {
			t.Errorf("%s %q: got %v", c.kind, c.text, err)
		}
	}
}

func TestTimestamps(t *testing.T) {
	for _, c := range []struct {
		text string
		unit TimeUnit
		want int64
	}{
		{"1700000000123", "", 1700000000123},
		{"-1", "", -1},
		{"1700000000123.9", "", 1700000000123},
		{"-5.5", "", -6},
		{" 7 ", Milliseconds, 7},
		{"1700000000.123", Seconds, 1700000000123},
		{"1700000000.1239", Seconds, 1700000000123},
		{"1700000000", Seconds, 1700000000000},
		{"-0.5", Seconds, -500},
		{"1700000000123456", Microseconds, 1700000000123},
		{"-1", Microseconds, -1},
		{"999", Microseconds, 0},
		{"1700000000123456789", Nanoseconds, 1700000000123},
		{"9223372036854775807", "", math.MaxInt64},
		{"2026-03-01T12:00:00Z", Nanoseconds, 1772366400000},
		{"2026-03-01T13:00:00.123456+01:00", "", 1772366400123},
		{"2026-03-01 12:00:00", "", 1772366400000},
		{"2026-03-01 12:00:00.5", "", 1772366400500},
		{"2026-03-01", "", 1772323200000},
		{"1969-12-31T23:59:59.9995Z", "", -1},
		{"2024-01-15 10:00:00.5+00", "", 1705312800500},
		{"2024-01-15 12:00:02.123456+02", "", 1705312802123},
		{"2024-01-15 15:30:03+05:30", "", 1705312803000},
		{"2024-01-15 15:30:03+0530", "", 1705312803000},
		{"2024-01-15T10:00:00+0000", "", 1705312800000},
		{"2024-01-15 10:00:00 +0000", "", 1705312800000},
		{"2024-01-15 10:00:00 UTC", "", 1705312800000},
		{"2024-01-15 10:00:00 GMT", "", 1705312800000},
		{"2024-01-15 10:00:00,25Z", "", 1705312800250},
		{"1e3", "", 1000},
		{"1.7000000001234E9", Seconds, 1700000000123},
		{"1.700000000123e+12", "", 1700000000123},
		{"17000000001239e-1", "", 1700000000123},
		{"9007199254740993", "", 9007199254740993},
		{"9223372036854775807e0", "", math.MaxInt64},
		{"922337203685477580.7e1", "", math.MaxInt64},
		{"-9223372036854775808", "", math.MinInt64},
		{"0e999999999", "", 0},
		{"0.000000000000000000000000000001e30", "", 1},
		{"-1e-300", "", -1},
	} {
		if got, err := parseTime(c.text, c.unit); err != nil || got != c.want {
			t.Errorf("%q in %s: got %d, %v, want %d", c.text, c.unit, got, err, c.want)
		}
	}
	for _, text := range []string{"", "-", ".", "9223372036854775808", "1e400", "1e999999999999999999999", "1e-999999999999999999999", "1e", "NaN", "2024-01-15 10:00:00 CET", "12:00", "0x1", "2026-13-01"} {
		if got, err := parseTime(text, ""); err == nil {
			t.Errorf("%q: got %d", text, got)
		}
	}
}

// FuzzCSV takes any text for CSV: no panic, lines that rise, and whole records.
func FuzzCSV(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string, noHeader bool, object bool) {
		o := OpenOptions{CSV: CSVOptions{NoHeader: noHeader, Null: `\N`}}
		if object {
			o.Mapping.Object = []Column{{Name: "*", Type: JSON}}
		}
		drain(t, CSV, text, o)
	})
}

// FuzzJSONLines takes any text for lines of JSON, of cat and of kcat.
func FuzzJSONLines(f *testing.F) {
	f.Fuzz(func(t *testing.T, text, path string) {
		if path != "" {
			drain(t, JSONL, text, OpenOptions{Mapped: true, Mapping: Mapping{Value: Column{Name: path}, Timestamp: path, Headers: []HeaderColumn{{"h", Column{path, JSON}}}}})
		}
		drain(t, JSONL, text, OpenOptions{Mapped: true})
		drain(t, JSONL, text, OpenOptions{})
		drain(t, Kcat, text, OpenOptions{})
	})
}
