package jsonl

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

func TestParseGivesBackWhatAppendWasGiven(t *testing.T) {
	for _, r := range []format.Record{
		{Offset: 7, TimestampMs: -1, TimestampType: format.TimestampNone, LeaderEpoch: -1},
		{Offset: math.MaxInt64, TimestampMs: math.MinInt64, TimestampType: format.TimestampLogAppend, LeaderEpoch: math.MaxInt32, Key: []byte{}, Value: []byte{}},
		{Key: []byte{0xff}, Value: []byte("{\"a\":\"é\\\"\"}\r\n\x00"), Headers: []format.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "", Value: []byte{}}, {Key: "\xfe", Value: []byte{0}}}},
		{Value: []byte(`{"base64":"/w=="}`)},
	} {
		checkBack(t, tp, &r)
	}
}

func checkBack(t *testing.T, tp format.TopicPartition, r *format.Record) {
	t.Helper()
	line := Append(nil, tp, r)
	gotPlace, got, err := Parse(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if gotPlace != tp || !bytes.Equal(format.AppendCanonical(nil, &got), format.AppendCanonical(nil, r)) {
		t.Fatalf("%s: got %+v at %v", line, got, gotPlace)
	}
}

func TestParseRefusesWhatIsNotExactlyARecord(t *testing.T) {
	whole := strings.TrimSuffix(string(Append(nil, tp, &format.Record{Key: []byte("k"), Headers: []format.Header{{Key: "h"}}})), "\n")
	if _, _, err := Parse([]byte("  " + strings.ReplaceAll(whole, ",", " , "))); err != nil {
		t.Errorf("with spaces: %v", err)
	}
	for name, line := range map[string]string{
		"nothing":             "",
		"no object":           `[1]`,
		"cut":                 whole[:len(whole)-1],
		"something behind":    whole + "{}",
		"no UTF-8":            strings.Replace(whole, `"k"`, "\"\xff\"", 1),
		"a field missing":     strings.Replace(whole, `"offset":0,`, "", 1),
		"a field twice":       strings.Replace(whole, `"offset":0,`, `"offset":0,"offset":0,`, 1),
		"another field":       strings.Replace(whole, `"offset":0,`, `"offset":0,"x":0,`, 1),
		"a fraction":          strings.Replace(whole, `"offset":0`, `"offset":0.5`, 1),
		"an exponent":         strings.Replace(whole, `"offset":0`, `"offset":1e3`, 1),
		"a number as text":    strings.Replace(whole, `"offset":0`, `"offset":"0"`, 1),
		"too large":           strings.Replace(whole, `"partition":3`, `"partition":3000000000`, 1),
		"topic is no text":    strings.Replace(whole, `"orders"`, `1`, 1),
		"another type":        strings.Replace(whole, `"create"`, `"now"`, 1),
		"a key that is not":   strings.Replace(whole, `"k"`, `5`, 1),
		"no base64":           strings.Replace(whole, `"k"`, `{"base64":"?"}`, 1),
		"more than base64":    strings.Replace(whole, `"k"`, `{"base64":"","x":1}`, 1),
		"an empty object":     strings.Replace(whole, `"k"`, `{}`, 1),
		"headers no array":    strings.Replace(whole, `[{`, `{"a":{`, 1),
		"a header without":    strings.Replace(whole, `"key":"h",`, ``, 1),
		"a header with more":  strings.Replace(whole, `"key":"h",`, `"key":"h","x":1,`, 1),
		"a header's key null": strings.Replace(whole, `"key":"h",`, `"key":null,`, 1),
	} {
		if _, r, err := Parse([]byte(line)); !errors.Is(err, ErrLine) {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

func TestParseWithGivesTheOneFieldMore(t *testing.T) {
	whole := string(Append(nil, tp, &format.Record{Key: []byte("k")}))
	with := strings.Replace(whole, `{"topic"`, `{"expect":{"a":1},"topic"`, 1)
	got, r, raw, err := ParseWith([]byte(with), "expect")
	if err != nil || got != tp || string(r.Key) != "k" || string(raw) != `{"a":1}` {
		t.Errorf("got %v, %+v, %s, %v", got, r, raw, err)
	}
	if _, _, raw, err := ParseWith([]byte(whole), "expect"); raw != nil || err != nil {
		t.Errorf("without it: got %s, %v", raw, err)
	}
	for _, line := range []string{strings.Replace(with, `{"expect"`, `{"expect":1,"expect"`, 1), strings.Replace(with, `{"expect"`, `{"x":1,"expect"`, 1)} {
		if _, _, _, err := ParseWith([]byte(line), "expect"); !errors.Is(err, ErrLine) {
			t.Errorf("%s: got %v", line, err)
		}
	}
	if _, _, err := Parse([]byte(with)); !errors.Is(err, ErrLine) {
		t.Errorf("Parse: got %v", err)
	}
}

// FuzzParse takes any text for a line: what it takes, Append spells again so that it means the same.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, line []byte) {
		tp, r, err := Parse(line)
		if err != nil {
			if !errors.Is(err, ErrLine) {
				t.Fatal(err)
			}
			return
		}
		checkBack(t, tp, &r)
	})
}
