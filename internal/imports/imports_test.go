package imports

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/speedscale"
	"github.com/karchive/karchive/reshaping"
	"github.com/karchive/karchive/test/memfs"
)

// catLines are records of two topics and several partitions, with gaps, as cat prints them in order.
func catLines(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	next := map[format.TopicPartition]int64{}
	var out []string
	for i := range n {
		tp := format.TopicPartition{Topic: []string{"orders", "_schemas"}[i%2], Partition: int32(i % 3)}
		r := format.Record{Offset: next[tp] + 100, TimestampMs: int64(i) - 1, TimestampType: format.TimestampType(i%3 - 1), LeaderEpoch: int32(i%4 - 1),
			Key: []byte(fmt.Sprint("k", i)), Value: make([]byte, random.IntN(300))}
		for b := range r.Value {
			r.Value[b] = byte(random.Uint32())
		}
		switch i % 7 {
		case 0:
			r.Key, r.Value = nil, []byte{}
		case 1:
			r.Value, r.Headers = nil, []format.Header{{Key: "a", Value: []byte("ü")}, {Key: "a"}, {Key: "\xff", Value: []byte{}}}
		}
		next[tp] += 1 + int64(i%5)
		out = append(out, string(jsonl.Append(nil, tp, &r)))
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(place(a), place(b)) })
	return out
}

func place(line string) string {
	tp, r, _ := jsonl.Parse([]byte(line))
	return fmt.Sprintf("%s %03d %020d", tp.Topic, tp.Partition, r.Offset)
}

func TestLinesOfCatComeBackByteForByte(t *testing.T) {
	lines := catLines(2000)
	want := strings.Join(lines, "")
	shuffled := slices.Clone(lines)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(lines), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, c := range []struct {
		name   string
		memory int64
		files  []File
	}{
		{"in order", 0, []File{textFile(JSONL, "cat", want, OpenOptions{})}},
		{"shuffled", 0, []File{textFile(JSONL, "cat", strings.Join(shuffled, ""), OpenOptions{})}},
		{"shuffled, beyond memory", 20 << 10, []File{textFile(JSONL, "cat", strings.Join(shuffled, ""), OpenOptions{})}},
		{"in two files, the second first", 10 << 10, []File{textFile(JSONL, "b", strings.Join(lines[900:], ""), OpenOptions{}), textFile(JSONL, "a", strings.Join(lines[:900], ""), OpenOptions{})}},
		{"twice", 10 << 10, []File{textFile(JSONL, "a", want, OpenOptions{}), textFile(JSONL, "b", want, OpenOptions{})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustImport(t, Options{MemoryBytes: c.memory}, c.files...)
			if got.lines(t) != want {
				t.Error("the records are not those of the lines")
			}
			if got.Records != 2000 || got.Rows-got.Doubled != 2000 || got.Segments != 6 {
				t.Errorf("got %+v", got.Report)
			}
		})
	}
}

func TestGoldenArchivesComeBackByteForByte(t *testing.T) {
	for _, name := range []string{"golden-1.0", "golden-1.1-arrow"} {
		a, err := format.OpenPath("../../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		want := (&imported{archive: a}).lines(t)
		if got := mustImport(t, Options{}, textFile(JSONL, "cat", want, OpenOptions{})).lines(t); got != want || len(want) < 1000 {
			t.Errorf("%s: got\n%.2000s\nwant\n%.2000s", name, got, want)
		}
	}
}

// TestLinesOfKcat reads what kcat 1.7.1 printed with -J, among it bytes that are not UTF-8.
func TestLinesOfKcat(t *testing.T) {
	got := mustImport(t, Options{}, textFile(Kcat, "kcat", readFile(t, "testdata/kcat.jsonl"), OpenOptions{})).lines(t)
	if want := readFile(t, "testdata/kcat.expected.jsonl"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLinesOfKcatInOtherForms(t *testing.T) {
	for line, want := range map[string]string{
		`{"topic":"t","partition":2,"offset":5,"broker":0,"key":null,"payload":"x"}`:                                                      `{"topic":"t","partition":2,"offset":5,"key":null,"value":"x"}`,
		`{"topic":"t","partition":0,"offset":0,"tstype":"unknown","ts":0,"key":"","payload":null}`:                                        `{"topic":"t","partition":0,"offset":0,"key":"","value":null}`,
		`{"topic":"t","partition":0,"offset":0,"key":{"id": 1},"key_schema_id":7,"payload":{"a":[1, 2]}}`:                                 `{"topic":"t","partition":0,"offset":0,"key":"{\"id\": 1}","value":"{\"a\":[1, 2]}"}`,
		`{"topic":"t","partition":0,"offset":0,"tstype":"logappend","ts":7,"headers":{"a":["1",null],"b":["2"]},"key":null,"payload":""}`: `{"topic":"t","partition":0,"offset":0,"timestamp_ms":7,"timestamp_type":"log_append","key":null,"value":"","headers":[{"key":"a","value":"1"},{"key":"a","value":null},{"key":"b","value":"2"}]}`,
	} {
		if got := mustImport(t, Options{}, textFile(Kcat, "kcat", line, OpenOptions{})).short(t); got != want+"\n" {
			t.Errorf("%s: got %s", line, got)
		}
	}
	for _, line := range []string{`[1]`, `{"topic":"t"}`, `{"topic":"t","partition":0,"offset":"x","payload":""}`, `{"topic":"t","partition":3000000000,"offset":1,"payload":""}`,
		`{"topic":"t","partition":0,"offset":1,"payload":"","headers":["a"]}`, `{"topic":"t","partition":0,"offset":1,"tstype":"create","ts":true,"payload":""}`, `{"topic":"t/x","partition":0,"offset":1,"payload":""}`} {
		if _, err := importFiles(t, Options{}, textFile(Kcat, "kcat", "\n"+line, OpenOptions{})); err == nil || !strings.HasPrefix(err.Error(), "kcat: line 2: ") {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

func TestRecordsOfASpeedscaleSnapshot(t *testing.T) {
	text := readFile(t, "../speedscale/testdata/snapshot.jsonl")
	all := OpenOptions{Snapshot: SnapshotOptions{Calls: speedscale.Calls{Fetch: true, Produce: true}}}
	got := mustImport(t, Options{MemoryBytes: 8 << 10}, textFile(Speedscale, "snapshot", text, all))
	var ranges []string
	for _, p := range got.Partitions {
		ranges = append(ranges, fmt.Sprintf("%s-%d %d..%d %d", p.Topic, p.Partition, p.From, p.Next, p.Records))
	}
	want := "accounts-7 900..903 3, notifications-2 77..79 2, transactions-0 0..32 32, transactions-1 4100..4131 31"
	if s := strings.Join(ranges, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got.Doubled != 3 || got.Records != 68 || strings.Count(got.lines(t), "\n") != 68 {
		t.Errorf("got %+v", got.Report)
	}
	filter, err := speedscale.ParseFilter(`(command IS "Produce")`)
	if err != nil {
		t.Fatal(err)
	}
	all.Snapshot.Filter = &filter
	if got := mustImport(t, Options{}, textFile(Speedscale, "snapshot", text, all)); got.Records != 2 {
		t.Errorf("filtered: got %+v", got.Report)
	}
	// The names of topic ids are learned from RRPairs that the filter leaves out.
	if filter, err = speedscale.ParseFilter(`(command IS "Fetch")`); err != nil {
		t.Fatal(err)
	}
	if got := mustImport(t, Options{}, textFile(Speedscale, "snapshot", text, all)); got.Records != 66 {
		t.Errorf("filtered: got %+v", got.Report)
	}
}

func TestSnapshotsWithoutOffsetsAreNumbered(t *testing.T) {
	line := `{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"records":[{"valueString":"a"},{"valueString":"b"}]}}]}]}}}}` + "\n"
	o := OpenOptions{Snapshot: SnapshotOptions{Calls: speedscale.Calls{Fetch: true}}}
	got := mustImport(t, Options{}, textFile(Speedscale, "snapshot", line+line, o))
	want := `{"topic":"t","partition":0,"offset":0,"key":null,"value":"a"}
{"topic":"t","partition":0,"offset":1,"key":null,"value":"b"}
{"topic":"t","partition":0,"offset":2,"key":null,"value":"a"}
{"topic":"t","partition":0,"offset":3,"key":null,"value":"b"}
`
	if s := got.short(t); s != want || !got.Partitions[0].Numbered {
		t.Errorf("got %s %+v", s, got.Report)
	}
	mixed := strings.Replace(line, `"records":{`, `"records":{"baseOffset":"9",`, 1)
	if _, err := importFiles(t, Options{}, textFile(Speedscale, "snapshot", line+mixed, o)); !errors.Is(err, ErrMixed) {
		t.Errorf("mixed: got %v", err)
	}
}

func TestABadRowEndsTheImportUnlessItMayBeSkipped(t *testing.T) {
	good := strings.Split(strings.TrimSpace(strings.Join(catLines(3), "")), "\n")
	text := good[0] + "\nbroken\n" + good[1] + "\n{}\n" + good[2] + "\n"
	_, err := importFiles(t, Options{}, textFile(JSONL, "a", text, OpenOptions{}))
	bad, ok := errors.AsType[*BadRow](err)
	if !ok || bad.File != "a" || bad.Line != 2 || !strings.HasPrefix(err.Error(), "a: line 2: not JSON") {
		t.Errorf("got %v", err)
	}
	if _, err := importFiles(t, Options{SkipBad: 1}, textFile(JSONL, "a", text, OpenOptions{})); err == nil || !strings.HasPrefix(err.Error(), "a: line 4: ") {
		t.Errorf("with one: got %v", err)
	}
	got := mustImport(t, Options{SkipBad: 2}, textFile(JSONL, "a", text, OpenOptions{}))
	if got.Records != 3 || got.Bad != 2 || got.Rows != 5 || len(got.bad) != 2 || !strings.HasPrefix(got.bad[1], "a: line 4: ") {
		t.Errorf("with two: got %+v, %q", got.Report, got.bad)
	}
}

func TestAnotherRecordAtTheSameOffsetIsBad(t *testing.T) {
	line := `{"topic":"t","partition":0,"offset":7,"key":null,"payload":"a"}`
	other := strings.Replace(line, `"a"`, `"b"`, 1)
	files := []File{textFile(Kcat, "one", line+"\n"+line+"\n", OpenOptions{}), textFile(Kcat, "two", "\n"+other, OpenOptions{})}
	_, err := importFiles(t, Options{}, files...)
	if !errors.Is(err, ErrOtherThere) || err.Error() != "two: line 2: offset 7 of t-0: another record has the same offset: that of one line 1" {
		t.Errorf("got %v", err)
	}
	got := mustImport(t, Options{SkipBad: 1}, files...)
	if got.short(t) != `{"topic":"t","partition":0,"offset":7,"key":null,"value":"a"}`+"\n" || got.Doubled != 1 || got.Bad != 1 {
		t.Errorf("got %s %+v", got.short(t), got.Report)
	}
}

func TestOffsetsThatCannotBeAreBad(t *testing.T) {
	for _, offset := range []string{"-1", "9223372036854775807"} {
		line := `{"topic":"t","partition":0,"offset":` + offset + `,"key":null,"payload":"a"}`
		if _, err := importFiles(t, Options{}, textFile(Kcat, "a", line, OpenOptions{})); !errors.Is(err, ErrOffset) {
			t.Errorf("%s: got %v", offset, err)
		}
	}
	last := `{"topic":"t","partition":2147483646,"offset":9223372036854775806,"key":null,"payload":"a"}`
	if got := mustImport(t, Options{}, textFile(Kcat, "a", last, OpenOptions{})); got.Partitions[0].Next != 9223372036854775807 {
		t.Errorf("got %+v", got.Partitions)
	}
}

// rules leave out every second record and change the others.
type rules struct{}

func (rules) Rules(string) string { return "r1" }

func (rules) Steps() string { return "filter" }

func (rules) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	var scratch []byte
	return func(tp format.TopicPartition, r *format.Record) (bool, error) {
		if string(r.Value) == "fail" {
			return false, errors.New("undecided")
		}
		scratch = append(append(scratch[:0], tp.Topic...), r.Value...)
		r.Value = scratch
		return r.Offset%2 == 1, nil
	}, func() { clear(scratch) }
}

func TestRulesLeaveOutAndChangeRecords(t *testing.T) {
	csv := textFile(CSV, "a.csv", "v\na\nb\nc\nd\n", OpenOptions{})
	got := mustImport(t, Options{Topic: "t", Reshape: rules{}}, csv)
	want := `{"topic":"t","partition":0,"offset":1,"key":null,"value":"tb"}
{"topic":"t","partition":0,"offset":3,"key":null,"value":"td"}
`
	c, err := got.archive.Coverage(format.TopicPartition{Topic: "t"})
	if err != nil || got.short(t) != want || c.Ledger.Filtered != 2 || c.From != 0 || c.Next != 4 || c.Source.Rules != "r1" || got.Filtered != 2 {
		t.Errorf("got %s %+v %v", got.short(t), c, err)
	}
	_, err = importFiles(t, Options{Topic: "t", Reshape: rules{}, SkipBad: 9}, textFile(CSV, "a.csv", "v\na\nfail\n", OpenOptions{}))
	if err == nil || err.Error() != "a.csv: line 3: undecided" {
		t.Errorf("got %v", err)
	}
}

func TestPartitionsOfRecordsWithoutOne(t *testing.T) {
	var text strings.Builder
	text.WriteString("key,value\n")
	for i := range 60 {
		key := []string{"", "21", "foobar"}[i%3]
		fmt.Fprintf(&text, "%s,%d\n", key, i)
	}
	csv := textFile(CSV, "a.csv", text.String(), OpenOptions{})
	got := mustImport(t, Options{Topic: "t", Partitions: 4}, csv)
	keys := map[string]string{}
	for line := range strings.Lines(got.lines(t)) {
		tp, r, err := jsonl.Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if was := keys[string(r.Key)]; r.Key != nil && was != "" && was != tp.String() {
			t.Errorf("key %s is in %s and %s", r.Key, was, tp)
		}
		keys[string(r.Key)] = tp.String()
	}
	// Kafka's own tests have murmur2 of 21 as -973932308 and of foobar as -790332482; producers take the lower 31 bits modulo 4.
	if keys["21"] != "t-0" || keys["foobar"] != "t-2" {
		t.Errorf("got %v", keys)
	}
	even := mustImport(t, Options{Topic: "t", Partitions: 4, Partitioner: RoundRobin}, csv)
	for _, p := range even.Partitions {
		if p.Records != 15 {
			t.Errorf("round robin: got %+v", even.Partitions)
		}
	}
	if n := even.archive.Identity().Topics[0].Partitions; n != 4 {
		t.Errorf("the topic has %d partitions", n)
	}
}

func TestTheSameFilesGiveTheSameSegmentsAndFingerprint(t *testing.T) {
	lines := strings.Join(catLines(500), "")
	a := mustImport(t, Options{}, textFile(JSONL, "a", lines, OpenOptions{}))
	b := mustImport(t, Options{MemoryBytes: 4 << 10}, textFile(JSONL, "b", lines, OpenOptions{}))
	if a.Fingerprint != b.Fingerprint || len(a.Fingerprint) != 32 {
		t.Errorf("fingerprints %s and %s", a.Fingerprint, b.Fingerprint)
	}
	for _, tp := range a.archive.Partitions() {
		if x, y := a.archive.Segments(tp), b.archive.Segments(tp); x[0].SHA256 != y[0].SHA256 {
			t.Errorf("%s differs", tp)
		}
	}
	other := mustImport(t, Options{}, textFile(JSONL, "a", strings.Replace(lines, `"k8"`, `"k_"`, 1), OpenOptions{}))
	if other.Fingerprint == a.Fingerprint {
		t.Error("other records have the same fingerprint")
	}
}

func TestAnImportEndsWithItsContext(t *testing.T) {
	a, err := format.Create(memfs.New(memfs.Options{}), format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	var seen Progress
	o := Options{Topic: "t", TempDir: t.TempDir(), OnProgress: func(p Progress) { seen = p; cancel(stopped) }}
	if _, err := Run(ctx, a, []File{textFile(CSV, "a", "v\n"+strings.Repeat("x\n", 5000), OpenOptions{})}, o); err != stopped || seen.Rows == 0 {
		t.Errorf("got %v at %+v", err, seen)
	}
}
