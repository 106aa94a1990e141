package speedscale

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
)

// pairs are the RRPairs of a text.
func pairs(t testing.TB, text []byte) (out []RRPair) {
	t.Helper()
	r := NewReader(bytes.NewReader(text), 0)
	for {
		p, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, RRPair{p.Line, bytes.Clone(p.JSON)})
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRecordsOfASnapshot(t *testing.T) {
	d := Decoder{Calls: Calls{Fetch: true, Produce: true}}
	var all []Record
	for _, p := range pairs(t, readFile(t, "testdata/snapshot.jsonl")) {
		records, err := d.Records(p)
		if err != nil {
			t.Fatalf("line %d: %v", p.Line, err)
		}
		all = append(all, records...)
	}
	count := map[string]int{}
	for _, r := range all {
		if !r.Numbered {
			t.Errorf("%s-%d: offset %d is taken for unknown", r.Topic, r.Partition, r.Offset)
		}
		count[fmt.Sprintf("%s-%d", r.Topic, r.Partition)]++
	}
	// 20 fetches of 3 records and one of them twice, then 2 and 1 more; 3 by topic id; 2 produced.
	want := map[string]int{"transactions-0": 35, "transactions-1": 31, "accounts-7": 3, "notifications-2": 2}
	if !reflect.DeepEqual(count, want) {
		t.Errorf("got %v, want %v", count, want)
	}
	if d.Control != 1 {
		t.Errorf("got %d transaction markers, want 1", d.Control)
	}
	if got := string(jsonLine(all[2])) + string(jsonLine(all[5])); got != `{"topic":"transactions","partition":0,"offset":2,"timestamp_ms":1772366400014,"timestamp_type":"create","leader_epoch":3,"key":"\u0000\u0001\u0000","value":null,"headers":[{"key":"deleted","value":null}]}
{"topic":"transactions","partition":1,"offset":4102,"timestamp_ms":1772366401064,"timestamp_type":"create","leader_epoch":3,"key":"\u0000\u0001\u0003","value":null,"headers":[{"key":"deleted","value":null}]}
` {
		t.Errorf("got\n%s", got)
	}
	last := all[len(all)-2:]
	if last[0].Offset != 77 || last[1].Offset != 78 || string(last[1].Value) != `{"mail":"queued"}` {
		t.Errorf("produced: got %s", jsonLine(last[1]))
	}
}

func jsonLine(r Record) []byte {
	return jsonl.Append(nil, format.TopicPartition{Topic: r.Topic, Partition: r.Partition}, &r.Record)
}

// fetch is an RRPair with one batch, or what stands in the place of one.
func fetch(records string) string {
	return `{"ts":"2026-03-01T12:00:00.5Z","kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":` + records + `}]}]}}}}`
}

func TestRecordsOfABatch(t *testing.T) {
	for _, c := range []struct{ name, pair, want string }{
		{"a header without a base offset begins at 0", fetch(`{"magic":2,"baseTimestamp":"5","records":[{"valueString":"a"},{"offsetDelta":2,"timestampDelta":"3","valueString":"b"}]}`),
			`0 true 5/0 "" "a"; 2 true 8/0 "" "b"`},
		{"deltas that were not recorded are positions", fetch(`{"baseOffset":"10","records":[{"valueString":"a"},{"valueString":"b"}]}`), `10 true 1772366400500/0 "" "a"; 11 true 1772366400500/0 "" "b"`},
		{"no header, no offsets", fetch(`{"records":[{"valueString":"a"},{"valueString":"b"}]}`), `0 false 1772366400500/0 "" "a"; 1 false 1772366400500/0 "" "b"`},
		{"a record's own offset and time", fetch(`{"records":[{"offset":"9","timestamp":"77","valueString":"a"}]}`), `9 true 77/0 "" "a"`},
		{"base64 before text", fetch(`{"records":[{"key":"/w==","keyString":"?","value":"eA=="}]}`), `0 false 1772366400500/0 "\xff" "x"`},
		{"no timestamp", `{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"records":[{"valueString":""}]}}]}]}}}}`, `0 false -1/-1 "" ""`},
		{"log append time", fetch(`{"attributes":["X_LOG_APPEND_TIME"],"baseTimestamp":"1","maxTimestamp":"9","records":[{"timestampDelta":"2","valueString":"a"}]}`), `0 true 9/1 "" "a"`},
		{"nothing", fetch(`null`), ``},
		{"an error of the broker", fetch(`{}`), ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decoder{Calls: Calls{Fetch: true}}
			records, err := d.Records(RRPair{JSON: []byte(c.pair)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range records {
				got = append(got, fmt.Sprintf("%d %t %d/%d %q %q", r.Offset, r.Numbered, r.TimestampMs, r.TimestampType, r.Key, r.Value))
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
		})
	}
}

func TestRecordsThatCannotBeReadAreErrors(t *testing.T) {
	for name, records := range map[string]string{
		"base offset":  `{"baseOffset":"x","records":[{}]}`,
		"offset delta": `{"records":[{"offsetDelta":1.5}]}`,
		"offset":       `{"records":[{"offset":"9223372036854775808"}]}`,
		"timestamp":    `{"baseTimestamp":true,"records":[{}]}`,
		"delta":        `{"baseTimestamp":"1","records":[{"timestampDelta":"1e3"}]}`,
		"value":        `{"records":[{"value":"no base64"}]}`,
		"key":          `{"records":[{"key":{"a":1}}]}`,
		"header":       `{"records":[{"headers":[{"value":"eA=="}]}]}`,
	} {
		d := Decoder{Calls: Calls{Fetch: true}}
		if got, err := d.Records(RRPair{JSON: []byte(fetch(records))}); err == nil {
			t.Errorf("%s: %s gives %v", name, records, got)
		}
	}
	d := Decoder{Calls: Calls{Fetch: true}}
	unknown := strings.Replace(fetch(`{"records":[{}]}`), `"name":"t"`, `"topicId":"AAAA"`, 1)
	if _, err := d.Records(RRPair{JSON: []byte(unknown)}); !errors.Is(err, ErrTopicID) {
		t.Errorf("got %v, want %v", err, ErrTopicID)
	}
}

func TestOnlyTheCallsThatWereAskedForGiveRecords(t *testing.T) {
	d := Decoder{}
	for _, p := range pairs(t, readFile(t, "testdata/snapshot.jsonl")) {
		if records, err := d.Records(p); err != nil || len(records) > 0 {
			t.Fatalf("line %d: got %d records, %v", p.Line, len(records), err)
		}
	}
}

// FuzzRRPair takes any text for a snapshot: no panic, and every record whole.
func FuzzRRPair(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data), 0)
		d := Decoder{Calls: Calls{Fetch: true, Produce: true}}
		for {
			p, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				continue
			}
			if !json.Valid(p.JSON) || p.Line < 1 {
				t.Fatalf("line %d is no JSON: %s", p.Line, p.JSON)
			}
			records, err := d.Records(p)
			if err != nil && len(records) > 0 {
				t.Fatalf("records and %v", err)
			}
			for i := range records {
				jsonLine(records[i])
			}
			p.UUID()
		}
	})
}
