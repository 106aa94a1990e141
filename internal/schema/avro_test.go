package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"
)

// everyAvro is a schema with every type of Avro.
const everyAvro = `{"type":"record","name":"Every","namespace":"n.s","fields":[
	{"name":"nothing","type":"null"},
	{"name":"yes","type":"boolean"},
	{"name":"small","type":"int"},
	{"name":"large","type":"long"},
	{"name":"single","type":"float"},
	{"name":"double","type":"double"},
	{"name":"text","type":"string"},
	{"name":"bytes","type":"bytes"},
	{"name":"fixed","type":{"type":"fixed","name":"F","size":3}},
	{"name":"color","type":{"type":"enum","name":"other.Color","symbols":["RED","GREEN"],"default":"RED"}},
	{"name":"list","type":{"type":"array","items":"long"}},
	{"name":"map","type":{"type":"map","values":{"type":"array","items":"string"}}},
	{"name":"maybe","type":["null","string"],"default":null},
	{"name":"either","type":["int","string",{"type":"record","name":"Inner","fields":[{"name":"x","type":["null","int","long"]}]},"F"]},
	{"name":"next","type":["null","Every"]},
	{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":2}},
	{"name":"worth","type":{"type":"fixed","name":"D","size":8,"logicalType":"decimal","precision":10,"scale":3}},
	{"name":"id","type":{"type":"string","logicalType":"uuid"}},
	{"name":"key","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},
	{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
	{"name":"clock","type":{"type":"int","logicalType":"time-millis"}},
	{"name":"span","type":{"type":"fixed","name":"Span","size":12,"logicalType":"duration"}}]}`

func everyValue(next any) map[string]any {
	return map[string]any{
		"nothing": nil, "yes": true, "small": int32(-5), "large": int64(math.MinInt64), "single": float32(1.5), "double": 0.1,
		"text": "a\"ü\n", "bytes": []byte{0, 0xff, 'a'}, "fixed": []byte{1, 2, 3}, "color": "GREEN",
		"list": []any{int64(1), int64(-1), int64(1 << 40)}, "map": map[string]any{"k": []any{"v", ""}},
		"maybe": "here", "either": map[string]any{"x": int64(7)}, "next": next,
		"price": big.NewRat(-12345, 100), "worth": big.NewRat(7, 1000), "id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
		"key": []byte("0123456789abcdef"), "day": int32(19000), "at": time.UnixMicro(1700000000123456).UTC(), "clock": 12345 * time.Millisecond,
		"span": []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0},
	}
}

const everyJSON = `{"nothing":null,"yes":true,"small":-5,"large":-9223372036854775808,"single":1.5,"double":0.1,` +
	`"text":"a\"ü\n","bytes":"\u0000ÿa","fixed":"\u0001\u0002\u0003","color":"GREEN","list":[1,-1,1099511627776],"map":{"k":["v",""]},` +
	`"maybe":"here","either":{"x":7},"next":null,"price":-123.45,"worth":0.007,"id":"3f2504e0-4f89-11d3-9a0c-0305e82c3301",` +
	`"key":"30313233-3435-3637-3839-616263646566","day":19000,"at":1700000000123456,"clock":12345,` +
	`"span":"\u0001\u0000\u0000\u0000\u0002\u0000\u0000\u0000\u0003\u0000\u0000\u0000"}`

func compiled(t testing.TB, text string) avroLanguage {
	t.Helper()
	l, err := compileAvro([]named{{"", &entry{Schema: avroSchema(1, text)}}})
	if err != nil {
		t.Fatal(err)
	}
	return l.(avroLanguage)
}

// encoded is a value as another implementation encodes it.
func encoded(t testing.TB, schema string, v any) []byte {
	t.Helper()
	b, err := avro.MustParse(schema).Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoded(t testing.TB, l coding, body []byte) string {
	t.Helper()
	b, err := l.appendJSON(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryAvroTypeBecomesJSON(t *testing.T) {
	l := compiled(t, everyAvro)
	got := decoded(t, l, encoded(t, everyAvro, everyValue(nil)))
	if got != everyJSON {
		t.Errorf("got  %s\nwant %s", got, everyJSON)
	}
	nested := decoded(t, l, encoded(t, everyAvro, everyValue(everyValue(nil))))
	if want := strings.Replace(everyJSON, `"next":null`, `"next":`+everyJSON, 1); nested != want {
		t.Errorf("nested: got  %s\nwant %s", nested, want)
	}
}

func TestAnUnchangedAvroDocumentIsTheSameBytes(t *testing.T) {
	l := compiled(t, everyAvro)
	body := encoded(t, everyAvro, everyValue(everyValue(nil)))
	for _, before := range [][]byte{body, nil} {
		got, err := l.appendChanged(nil, before, []byte(decoded(t, l, body)))
		if err != nil {
			t.Fatal(err)
		}
		if before == nil { // x goes by its first branch
			got = bytes.ReplaceAll(got, []byte{4, 2, 14}, []byte{4, 4, 14})
		}
		if !bytes.Equal(got, body) {
			t.Errorf("got  %x\nwant %x", got, body)
		}
	}
}

// Each change is what a rule may make of a field.
func TestAChangedAvroFieldChangesNoOther(t *testing.T) {
	l := compiled(t, everyAvro)
	body := encoded(t, everyAvro, everyValue(nil))
	for _, c := range []struct{ from, to string }{
		{`"yes":true`, `"yes":false`}, {`"small":-5`, `"small":0`}, {`"large":-9223372036854775808`, `"large":9223372036854775807`},
		{`"single":1.5`, `"single":"NaN"`}, {`"double":0.1`, `"double":"-Infinity"`}, {`"text":"a\"ü\n"`, `"text":"***"`},
		{`ÿa`, `þ`}, {`"GREEN"`, `"RED"`}, {`[1,-1,1099511627776]`, `[]`}, {`{"k":["v",""]}`, `{"k":["w",""],"l":[]}`},
		{`"maybe":"here"`, `"maybe":null`}, {`"either":{"x":7}`, `"either":{"x":8}`}, {`"either":{"x":7}`, `"either":"t"`},
		{`"price":-123.45`, `"price":99999999999999999.99`}, {`"price":-123.45`, `"price":-0.80`}, {`"worth":0.007`, `"worth":-1.000`}, {`6566"`, `6567"`}, {`"next":null`, `"next":` + everyJSON},
	} {
		want := strings.Replace(everyJSON, c.from, c.to, 1)
		out, err := l.appendChanged(nil, body, []byte(want))
		if err != nil {
			t.Errorf("%s: %v", c.to, err)
			continue
		}
		if got := decoded(t, l, out); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		var v any
		if _, err := avro.MustParse(everyAvro).Decode(out, &v); err != nil {
			t.Errorf("%s: another implementation: %v", c.to, err)
		}
	}
}

func TestAFieldKeepsItsBranch(t *testing.T) {
	l := compiled(t, `{"type":"record","name":"R","fields":[{"name":"a","type":["int","long"]},{"name":"b","type":["bytes","string"]},{"name":"c","type":"string"}]}`)
	body := []byte{2, 6, 2, 2, 'b', 2, 'c'} // a is the long 3, b the string
	got, err := l.appendChanged(nil, body, []byte(`{"a":4,"b":"b","c":"d"}`))
	if want := []byte{2, 8, 2, 2, 'b', 2, 'd'}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v; want %x", got, err, want)
	}
	got, err = l.appendChanged(nil, body, []byte(`{"a":4,"b":"x","c":"d"}`))
	if want := []byte{2, 8, 2, 2, 'x', 2, 'd'}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v; want %x", got, err, want)
	}
}

func TestAMissingFieldIsItsDefault(t *testing.T) {
	l := compiled(t, `{"type":"record","name":"R","fields":[
		{"name":"a","type":"int","default":7},
		{"name":"b","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":"\u00ff"},
		{"name":"c","type":["string","null"]},
		{"name":"d","type":"string"}]}`)
	got, err := l.appendChanged(nil, nil, []byte(`{"d":"x"}`))
	if want := []byte{14, 2, 0xff, 2, 2, 'x'}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v; want %x", got, err, want)
	}
	_, err = l.appendChanged(nil, nil, []byte(`{}`))
	if want := "d is of type string in its schema, which cannot hold that it is missing"; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

func TestWhatATypeCannotHoldIsNamed(t *testing.T) {
	l := compiled(t, everyAvro)
	body := encoded(t, everyAvro, everyValue(nil))
	for _, c := range []struct{ from, to, want string }{
		{`"small":-5`, `"small":"***"`, "small is of type int in its schema, which cannot hold text"},
		{`"small":-5`, `"small":4294967296`, "small is of type int in its schema, which cannot hold a number"},
		{`"GREEN"`, `"***"`, "color is of type other.Color in its schema, which cannot hold text"},
		{`"\u0001\u0002\u0003"`, `"***x"`, "fixed is of type n.s.F in its schema, which cannot hold text"},
		{`["v",""]`, `["v",5]`, "map.*.# is of type string in its schema, which cannot hold a number"},
		{`"maybe":"here"`, `"maybe":5`, "maybe is of type union of null, string in its schema, which cannot hold a number"},
		{`{"x":7}`, `{"x":"***"}`, "either.x is of type union of null, int, long in its schema, which cannot hold text"},
		{`-123.45`, `-123.456`, "price is of type bytes in its schema, which cannot hold a number"},
		{`-123.45`, `1e999999999`, "price is of type bytes in its schema, which cannot hold a number"},
		{`"yes":true`, `"yes":true,"no":1`, "it is of type n.s.Every in its schema, which cannot hold a field that it does not have"},
	} {
		_, err := l.appendChanged(nil, body, []byte(strings.Replace(everyJSON, c.from, c.to, 1)))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got  %v\nwant %s", c.to, err, c.want)
		}
	}
}

func TestBrokenAvroIsNoDocument(t *testing.T) {
	l := compiled(t, everyAvro)
	body := encoded(t, everyAvro, everyValue(nil))
	for n := range body {
		if got, err := l.appendJSON(nil, body[:n]); err == nil {
			t.Errorf("the first %d bytes: got %s; want an error", n, got)
		}
	}
	if _, err := l.appendJSON(nil, append(body, 0)); err != errRest {
		t.Errorf("got %v; want %v", err, errRest)
	}
}

func TestAvroThatUsesUpMemoryIsRefused(t *testing.T) {
	nulls := compiled(t, `{"type":"array","items":"null"}`)
	many := []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0}
	if _, err := nulls.appendJSON(nil, many); err != errTooLarge {
		t.Errorf("nulls: got %v; want %v", err, errTooLarge)
	}
	deep := compiled(t, `{"type":"record","name":"R","fields":[{"name":"r","type":["null","R"]}]}`)
	if _, err := deep.appendJSON(nil, bytes.Repeat([]byte{2}, 1<<20)); err != errTooDeep {
		t.Errorf("deep: got %v; want %v", err, errTooDeep)
	}
	endless := compiled(t, `{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}`)
	if _, err := endless.appendJSON(nil, nil); err != errTooDeep {
		t.Errorf("endless: got %v; want %v", err, errTooDeep)
	}
}

// A union of records that look alike can be tried in as many ways as it is deep.
func TestUnionsThatLookAlikeTakeBoundedTime(t *testing.T) {
	l := compiled(t, `{"type":"record","name":"A","fields":[{"name":"n","type":["int","A",{"type":"record","name":"B","fields":[{"name":"n","type":["int","A","B"]}]}]}]}`)
	text := strings.Repeat(`{"n":`, 200) + `"x"` + strings.Repeat("}", 200)
	if _, err := l.appendChanged(nil, nil, []byte(text)); err == nil {
		t.Error("got no error; want one")
	}
}

func TestAMapOfManyKeysIsWrittenInTheirOrder(t *testing.T) {
	const schema = `{"type":"map","values":"int"}`
	l := compiled(t, schema)
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, `,"k%d":%d`, 999-i, i)
	}
	doc := "{" + text.String()[1:] + "}"
	body, err := l.appendChanged(nil, nil, []byte(doc))
	if err != nil || decoded(t, l, body) != doc {
		t.Fatalf("got %v, and another document", err)
	}
	without := strings.Replace(doc, `"k999":0,`, "", 1)
	changed, err := l.appendChanged(nil, body, []byte(without))
	if err != nil || decoded(t, l, changed) != without {
		t.Errorf("got %v, and another document", err)
	}
}

func TestAnotherImplementationAgreesAboutJSON(t *testing.T) {
	l := compiled(t, everyAvro)
	body := encoded(t, everyAvro, everyValue(nil))
	var v any
	if _, err := avro.MustParse(everyAvro).Decode(body, &v); err != nil {
		t.Fatal(err)
	}
	var ours map[string]any
	if err := json.Unmarshal([]byte(decoded(t, l, body)), &ours); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"yes", "text", "color", "map", "maybe"} {
		want := v.(map[string]any)[name]
		if got := ours[name]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v; want %v", name, got, want)
		}
	}
}
