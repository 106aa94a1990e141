package jsonl

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
)

var tp = format.TopicPartition{Topic: "orders", Partition: 3}

func TestRecordsAreSpelledWithoutAmbiguity(t *testing.T) {
	const head = `{"topic":"orders","partition":3,"offset":7,"timestamp_ms":-1,"timestamp_type":"create","leader_epoch":-1,`
	for _, c := range []struct {
		name string
		r    format.Record
		want string
	}{
		{"null key and value", format.Record{}, `"key":null,"value":null,"headers":[]}`},
		{"empty key and value", format.Record{Key: []byte{}, Value: []byte{}}, `"key":"","value":"","headers":[]}`},
		{"text", format.Record{Key: []byte("é\"\\"), Value: []byte("{\"a\":1}\n\t\r\x00\x7f ")}, `"key":"é\"\\","value":"{\"a\":1}\n\t\r\u0000\u007f ","headers":[]}`},
		{"what a terminal obeys or hides", format.Record{Key: []byte("\u009b\u202e漢é"), Value: []byte("\x1b\u200b\U000e0041\u0085x"), Headers: []format.Header{{Key: "\u2066", Value: []byte("\ufeff")}}},
			`"key":"\u009b\u202e漢é","value":"\u001b\u200b\udb40\udc41\u0085x","headers":[{"key":"\u2066","value":"\ufeff"}]}`},
		{"bytes", format.Record{Key: []byte{0xff}, Value: []byte("a\xc3")}, `"key":{"base64":"/w=="},"value":{"base64":"YcM="},"headers":[]}`},
		{"text that looks like the marker", format.Record{Value: []byte(`{"base64":"/w=="}`)}, `"key":null,"value":"{\"base64\":\"/w==\"}","headers":[]}`},
		{"headers", format.Record{Headers: []format.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{}}, {Key: "\xfe", Value: []byte{0}}}},
			`"key":null,"value":null,"headers":[{"key":"a","value":"1"},{"key":"a","value":null},{"key":"","value":""},{"key":{"base64":"/g=="},"value":"\u0000"}]}`},
	} {
		c.r.Offset, c.r.TimestampMs, c.r.LeaderEpoch = 7, -1, -1
		if got := string(Append(nil, tp, &c.r)); got != head+c.want+"\n" {
			t.Errorf("%s:\n got %swant %s%s\n", c.name, got, head, c.want)
		}
	}
}

func TestNumbersAndTypesAreExact(t *testing.T) {
	for kind, want := range map[format.TimestampType]string{format.TimestampCreate: "create", format.TimestampLogAppend: "log_append", format.TimestampNone: "none"} {
		r := format.Record{Offset: math.MaxInt64, TimestampMs: math.MinInt64, TimestampType: kind, LeaderEpoch: math.MaxInt32}
		got := string(Append([]byte("before "), tp, &r))
		wanted := `before {"topic":"orders","partition":3,"offset":9223372036854775807,"timestamp_ms":-9223372036854775808,"timestamp_type":"` + want +
			`","leader_epoch":2147483647,"key":null,"value":null,"headers":[]}` + "\n"
		if got != wanted {
			t.Errorf("got %swant %s", got, wanted)
		}
	}
}

func TestEveryCharacterIsEscapedOrNotWhereverItStands(t *testing.T) {
	for _, c := range []string{"\"", "\\", "\n", "\x00", "\x1f", "\x7f", " ", "~", "\u0080", "\u00e9", "\u2028", "\u20ac", "\U0001F600", "\U000E0001"} {
		for at := range 20 {
			text := strings.Repeat("a", at) + c + strings.Repeat("b", 20-at)
			want := strings.Repeat("a", at) + escapedOneByOne(c) + strings.Repeat("b", 20-at)
			if got := string(AppendPayload(nil, []byte(text))); got != `"`+want+`"` {
				t.Fatalf("%q at %d: got %s, want %s", c, at, got, want)
			}
		}
	}
}

// escapedOneByOne is the rule that appendString keeps, a character at a time.
func escapedOneByOne(s string) string {
	var dst []byte
	for _, r := range s {
		switch i := strings.IndexRune("\"\\\n\r\t", r); {
		case i >= 0:
			dst = append(dst, '\\', `"\nrt`[i])
		case printable.Hidden(r):
			dst = printable.AppendJSONEscape(dst, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return string(dst)
}

func TestPayloadsThatAreObjectsOrArraysStandOpen(t *testing.T) {
	for payload, want := range map[string]string{
		`{ "a" : [1, "x\ny"] }`: `{"a":[1,"x\ny"]}`,
		"[1,\n2]":               `[1,2]`,
		`{"a":1}{}`:             `"{\"a\":1}{}"`,
		`5`:                     `"5"`,
		`null`:                  `"null"`,
		"{\"a\":\"\xff\"}":      `{"base64":"eyJhIjoi/yJ9"}`,
		"{\"\u202e\":1}":        `{"\u202e":1}`,
		"":                      `""`,
	} {
		got := string(AppendOpen(nil, tp, &format.Record{Key: []byte(payload)}))
		if !strings.Contains(got, `,"key":`+want+`,"value":null,`) {
			t.Errorf("%s: got %swant %s", payload, got, want)
		}
	}
}

// FuzzEveryPayloadIsReadBackExactly decodes with encoding/json what Append wrote.
func FuzzEveryPayloadIsReadBackExactly(f *testing.F) {
	for _, s := range []string{"", "text", "\x00\x1f\x7f\"\\", "\xff\xfe", "é€😀", "\xed\xa0\x80", "\u2028", "�", strings.Repeat("a\"", 100)} {
		f.Add([]byte(s), []byte(s), s)
	}
	f.Fuzz(func(t *testing.T, key, value []byte, header string) {
		r := format.Record{Key: key, Value: value, Headers: []format.Header{{Key: header, Value: value}}}
		line := Append(nil, tp, &r)
		if bytes.Count(line, []byte("\n")) != 1 || !utf8.Valid(line) {
			t.Fatalf("not one line of UTF-8: %q", line)
		}
		var got struct {
			Key, Value any
			Headers    []struct{ Key, Value any }
		}
		d := json.NewDecoder(bytes.NewReader(line))
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		for _, p := range []struct {
			got  any
			want []byte
		}{{got.Key, key}, {got.Value, value}, {got.Headers[0].Key, append([]byte{}, header...)}, {got.Headers[0].Value, value}} {
			if back := decode(t, p.got); !bytes.Equal(back, p.want) || (back == nil) != (p.want == nil) {
				t.Fatalf("got %q, want %q in %s", back, p.want, line)
			}
		}
	})
}

func decode(t *testing.T, v any) []byte {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return []byte(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var marked struct{ Base64 []byte }
	if err := json.Unmarshal(text, &marked); err != nil {
		t.Fatal(err)
	}
	return marked.Base64
}

func BenchmarkAppend(b *testing.B) {
	r := format.Record{Offset: 1, TimestampMs: 1700000000000, Key: []byte("customer-12345"), Value: bytes.Repeat([]byte(`{"id":12345,"name":"somebody"},`), 32),
		Headers: []format.Header{{Key: "trace", Value: []byte("0af7651916cd43dd8448eb211c80319c")}, {Key: "source", Value: []byte("web")}}}
	dst := Append(nil, tp, &r)
	b.SetBytes(int64(len(dst)))
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], tp, &r)
	}
}
