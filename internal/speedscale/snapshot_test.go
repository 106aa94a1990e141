package speedscale

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/extract"
)

func TestReaderTakesRRPairsOfOneLineAndOfMany(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"{\"a\":1}\n{\"a\":2}\n":           `1:{"a":1} 2:{"a":2}`,
		"\n  {\"a\":1}\r\n\n{\"a\":2}":     `2:{"a":1} 4:{"a":2}`,
		"{\n  \"a\": {\n  }\n}\n{\"b\":2}": "1:{\n  \"a\": {\n  }\n} 5:{\"b\":2}",
		"{\n\"a\":1\n}\n\n{\n\"a\":2\n}\n": "1:{\n\"a\":1\n} 5:{\n\"a\":2\n}",
		"[{\"a\":1},\n {\"a\":2}]":         `1:{"a":1} 2:{"a":2}`,
	} {
		var got []string
		for _, p := range pairs(t, []byte(text)) {
			got = append(got, fmt.Sprintf("%d:%s", p.Line, p.JSON))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: got %q, want %q", text, s, want)
		}
	}
}

func TestReaderGoesOnBehindWhatIsNoRRPair(t *testing.T) {
	r := NewReader(strings.NewReader("{\"a\":1}\n{\"a\":\n{\"a\":2}\n[1]\n{\"a\":3}\n"), 0)
	var got []string
	for {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		if bad, ok := errors.AsType[*PairError](err); ok && errors.Is(err, ErrNotRRPair) {
			got = append(got, fmt.Sprintf("bad %d", bad.Line))
			continue
		}
		got = append(got, string(p.JSON))
	}
	if s := strings.Join(got, " "); s != `{"a":1} bad 2 {"a":2} bad 4 {"a":3}` {
		t.Errorf("got %s", s)
	}
}

func TestUUIDsHaveHyphens(t *testing.T) {
	for in, want := range map[string]string{
		`{"uuid":"ViwGhZ1oTiy6FZ8tq26CLA=="}`:             "562c0685-9d68-4e2c-ba15-9f2dab6e822c",
		`{"uuid":"562c0685-9d68-4e2c-ba15-9f2dab6e822c"}`: "562c0685-9d68-4e2c-ba15-9f2dab6e822c",
		`{"uuid":"kafka/capture=="}`:                      "kafka/capture==",
		`{}`:                                              "",
	} {
		if got := (RRPair{JSON: []byte(in)}).UUID(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// extracted is the CSV of the RRPairs that a filter chooses.
func extracted(t *testing.T, text []byte, filter string, paths ...string) string {
	t.Helper()
	f, err := ParseFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := Columns(paths)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := extract.NewWriter(&out, columns, extract.FormatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := extract.New(columns, extract.Options{SkipMissing: true})
	for _, p := range pairs(t, text) {
		if f.Match(p) {
			if err := x.Each(AsRecord(p), w.Row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestColumnsAreThoseOfTheGuide(t *testing.T) {
	const path = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString"
	want := path + `,.ts,RRPair UUID
message1,2024-01-15T10:30:45.123000Z,44f7a2cc-2045-4fb6-9635-3da8aa7fa909
message2,2024-01-15T10:30:46.456000Z,58f7a2cc-1135-4fa6-3433-ada5aa2fa161
`
	if got := extracted(t, readFile(t, "testdata/guide.jsonl"), `(command IS  "Fetch")`, path, ".ts"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestColumnsDecodeBodies(t *testing.T) {
	want := "http.req.bodyBase64.UserName,$.http.req.headers.User-Agent.0,RRPair UUID\ncXEuOVj,Prometheus/2.51,5d1f0c2e-7a41-4b0e-9c55-000000000000\n"
	if got := extracted(t, readFile(t, "testdata/snapshot.jsonl"), `(location CONTAINS "/login")`, "http.req.bodyBase64.UserName", "$.http.req.headers.User-Agent.0"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestRecordingsAreJSONLines(t *testing.T) {
	for _, name := range []string{"testdata/snapshot.jsonl", "testdata/guide.jsonl"} {
		for _, p := range pairs(t, readFile(t, name)) {
			if !json.Valid(p.JSON) || p.UUID() == "" {
				t.Errorf("%s line %d", name, p.Line)
			}
		}
	}
}
