package schema

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/karchive/karchive/format/origin"
)

const everyProto = `syntax = "proto3";
package p;
import "google/protobuf/any.proto";
enum Color { NONE = 0; RED = 1; }
message Every {
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; sint64 s64 = 6;
  fixed32 f32 = 7; fixed64 f64 = 8; sfixed32 sf32 = 9; sfixed64 sf64 = 10;
  float single = 11; double twice = 12; bool yes = 13; string some_text = 14; bytes raw = 15; Color color = 16;
  repeated int32 list = 17; repeated Every more = 18; map<string, int64> by_name = 19; map<int32, Every> by_number = 20; map<bool, string> by_truth = 21;
  oneof choice { string left = 22; int32 right = 23; }
  optional int32 maybe = 24; Every next = 25; google.protobuf.Any any = 26;
}`

const everyProto2 = `syntax = "proto2";
package p;
enum E { A = 1; B = 2; }
message Old { required int32 must = 1; optional string may = 2 [default = "d"]; repeated int32 packed = 3 [packed = true]; optional group G = 4 { optional int32 g = 1; } optional E e = 5; extensions 100 to 200; }`

func messageOf(t testing.TB, text string) protobufMessage {
	t.Helper()
	l, err := compileProtobuf([]named{{"", &entry{Schema: origin.Schema{Text: text}}}})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := l.open([]byte{0})
	if err != nil {
		t.Fatal(err)
	}
	return c.(protobufMessage)
}

const everyProtoText = `{"i32":-1,"i64":"-9223372036854775808","u32":4294967295,"u64":"18446744073709551615","s32":-2,"s64":"-3","f32":4,"f64":"5",
	"sf32":-6,"sf64":"-7","single":1.5,"twice":0.1,"yes":true,"some_text":"aü\"","raw":"AP8=","color":"RED","list":[1,-1],"more":[{"i32":1},{}],
	"by_name":{"b":"2","a":"1"},"by_number":{"7":{"i32":1}},"by_truth":{"true":"t"},"right":0,"maybe":0,"next":{"left":""}}`

const emptyEvery = `"i32":0,"i64":0,"u32":0,"u64":0,"s32":0,"s64":0,"f32":0,"f64":0,"sf32":0,"sf64":0,"single":0,"twice":0,"yes":false,"some_text":"",` +
	`"raw":"","color":"NONE","list":[],"more":[],"by_name":{},"by_number":{},"by_truth":{}`

var everyProtoJSON = `{"i32":-1,"i64":-9223372036854775808,"u32":4294967295,"u64":18446744073709551615,"s32":-2,"s64":-3,"f32":4,"f64":5,` +
	`"sf32":-6,"sf64":-7,"single":1.5,"twice":0.1,"yes":true,"some_text":"aü\"","raw":"AP8=","color":"RED","list":[1,-1],` +
	`"more":[{` + strings.Replace(emptyEvery, `"i32":0`, `"i32":1`, 1) + `},{` + emptyEvery + `}],"by_name":{"a":1,"b":2},` +
	`"by_number":{"7":{` + strings.Replace(emptyEvery, `"i32":0`, `"i32":1`, 1) + `}},"by_truth":{"true":"t"},"right":0,"maybe":0,"next":{` + emptyEvery + `,"left":""}}`

// encodedProto is a message as the library makes it of its own JSON.
func encodedProto(t testing.TB, c protobufMessage, text string) []byte {
	t.Helper()
	m := dynamicpb.NewMessage(c.MessageDescriptor)
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryProtobufTypeBecomesJSONAndBack(t *testing.T) {
	c := messageOf(t, everyProto)
	body := encodedProto(t, c, everyProtoText)
	got := decoded(t, c, body)
	if got != everyProtoJSON {
		t.Errorf("got  %s\nwant %s", got, everyProtoJSON)
	}
	for _, before := range [][]byte{body, nil} {
		back, err := c.appendChanged(nil, before, []byte(got))
		if err != nil || !bytes.Equal(back, body) {
			t.Errorf("got  %x, %v\nwant %x", back, err, body)
		}
	}
}

func TestAChangedProtobufFieldChangesNoOther(t *testing.T) {
	c := messageOf(t, everyProto)
	body := encodedProto(t, c, everyProtoText)
	for _, change := range []struct{ from, to string }{
		{`{"i32":-1`, `{"i32":5`}, {`"aü\""`, `"***"`}, {`"RED"`, `"NONE"`}, {`"AP8="`, `""`}, {`"list":[1,-1]`, `"list":[]`}, {`"a":1,`, ``}, {`"right":0`, `"right":3`},
		{`"maybe":0`, `"maybe":-1`}, {`"twice":0.1`, `"twice":"Infinity"`}, {`"RED"`, `7`},
	} {
		want := strings.Replace(everyProtoJSON, change.from, change.to, 1)
		out, err := c.appendChanged(nil, body, []byte(want))
		if err != nil {
			t.Errorf("%s: %v", change.to, err)
			continue
		}
		if got := decoded(t, c, out); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestFieldsThatAMessageDoesNotKnowStay(t *testing.T) {
	newer := messageOf(t, `syntax = "proto3"; message M { string a = 1; N n = 2; int64 later = 9; repeated N list = 3; } message N { string b = 1; int32 later = 7; }`)
	older := messageOf(t, `syntax = "proto3"; message M { string a = 1; N n = 2; repeated N list = 3; } message N { string b = 1; }`)
	body := encodedProto(t, newer, `{"a":"x","n":{"b":"y","later":5},"later":6,"list":[{"b":"z","later":8}]}`)
	doc := decoded(t, older, body)
	if want := `{"a":"x","n":{"b":"y","unknown-fields":[[7,5]]},"list":[{"b":"z","unknown-fields":[[7,8]]}],"unknown-fields":[[9,6]]}`; doc != want {
		t.Fatalf("got %s; want %s", doc, want)
	}
	out, err := older.appendChanged(nil, body, []byte(strings.ReplaceAll(strings.ReplaceAll(doc, `"y"`, `"***"`), `"z"`, `"***"`)))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":"x","n":{"b":"***","later":5},"later":6,"list":[{"b":"***","later":8}]}`
	if got := decoded(t, newer, out); got != decoded(t, newer, encodedProto(t, newer, want)) {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestFieldsThatAMessageDoesNotKnowGoWithWhatIsTakenAway(t *testing.T) {
	c := messageOf(t, `syntax = "proto3"; message M { string a = 1; N n = 2; } message N { string b = 1; }`)
	body := []byte{10, 1, 'x', 18, 6, 10, 1, 'y', 58, 1, 's', 74, 1, 't'} // 7 of n, and 9
	for from, to := range map[string]string{
		`{"b":"y","unknown-fields":[[7,"s"]]}`: `{}`,
		`[[7,"s"]]`:                            `"***"`,
		`[7,"s"]`:                              `[0,"s"]`,
		`,"unknown-fields":[[7,"s"]]`:          ``,
	} {
		doc := decoded(t, c, body)
		changed := strings.Replace(doc, from, to, 1)
		out, err := c.appendChanged(nil, body, []byte(changed))
		if changed == doc || err != nil || bytes.Contains(out, []byte("s")) || !bytes.Contains(out, []byte("t")) {
			t.Errorf("%s of %s: got %q, %v; want t to stay, and s not", to, doc, out, err)
		}
	}
	if _, err := c.appendChanged(nil, nil, []byte(`{"unknown-fields":[[7,"s"]]}`)); err == nil {
		t.Error("of no message before: got no error; want one")
	}
}

func TestFieldsThatAMessageDoesNotKnowAreShownAsWhatTheyMayBe(t *testing.T) {
	c := messageOf(t, `syntax = "proto3"; message M {}`)
	var body []byte
	body = protowire.AppendVarint(protowire.AppendTag(body, 1, protowire.VarintType), math.MaxUint64)
	body = protowire.AppendFixed32(protowire.AppendTag(body, 2, protowire.Fixed32Type), 7)
	body = protowire.AppendFixed64(protowire.AppendTag(body, 3, protowire.Fixed64Type), 8)
	body = protowire.AppendString(protowire.AppendTag(body, 4, protowire.BytesType), `ü"`)
	body = protowire.AppendBytes(protowire.AppendTag(body, 4, protowire.BytesType), []byte{0xff})
	body = append(protowire.AppendTag(body, 5, protowire.StartGroupType), 8, 1, 5<<3|4)
	want := `{"unknown-fields":[[1,18446744073709551615],[2,7],[3,8],[4,"ü\""],[4,"/w=="],[5,"\u0008\u0001"]]}`
	if got := decoded(t, c, body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What a reader passes over would go out unmasked.
func TestMessagesThatHideSomethingAreNoDocument(t *testing.T) {
	c := messageOf(t, everyProto)
	tag := protowire.AppendTag
	text := func(b []byte, n protowire.Number, s string) []byte {
		return protowire.AppendString(tag(b, n, protowire.BytesType), s)
	}
	number := func(b []byte, n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(tag(b, n, protowire.VarintType), v)
	}
	for name, one := range map[string]struct {
		body []byte
		want error
	}{
		"a text twice":                  {text(text(nil, 14, "ann"), 14, ""), errTwice},
		"a number twice":                {number(number(nil, 1, 5), 1, 0), errTwice},
		"a message twice":               {text(text(nil, 25, "\x08\x01"), 25, ""), errTwice},
		"a text of a message twice":     {text(nil, 18, string(text(text(nil, 14, "ann"), 14, ""))), errTwice},
		"a oneof of two":                {number(text(nil, 22, "ann"), 23, 1), errTwice},
		"an optional twice":             {number(number(nil, 24, 5), 24, 0), errTwice},
		"text as a number":              {number(nil, 14, 491511234567), errWireType},
		"a number as text":              {text(nil, 2, "ann"), errWireType},
		"a list of numbers as fixed":    {protowire.AppendFixed32(tag(nil, 17, protowire.Fixed32Type), 5), errWireType},
		"a message as a group":          {append(tag(nil, 25, protowire.StartGroupType), protowire.AppendTag(nil, 25, protowire.EndGroupType)...), errWireType},
		"a key twice":                   {text(text(nil, 19, "\x0a\x01a\x10\x07"), 19, "\x0a\x01a\x10\x00"), errKeyTwice},
		"a key of a number twice":       {text(text(nil, 20, "\x08\x05\x12\x00"), 20, "\x08\x85\x00"), errKeyTwice},
		"no key twice":                  {text(text(nil, 19, "\x10\x07"), 19, "\x0a\x00"), errKeyTwice},
		"a value of an entry twice":     {text(nil, 19, "\x10\x07\x10\x00"), errTwice},
		"a third field of an entry":     {text(nil, 19, "\x0a\x01a\x1a\x03ann"), errWireType},
		"a value of an entry as text":   {text(nil, 19, "\x0a\x01a\x12\x03ann"), errWireType},
		"a key, and one as a number":    {text(nil, 19, "\x0a\x01a\x08\x01"), errTwice},
		"a key as a number":             {text(nil, 19, "\x08\x01"), errWireType},
		"a large number of 32 bits":     {number(nil, 1, 1<<32), errRange},
		"a large boolean":               {number(nil, 13, 491511234567), errRange},
		"a large symbol":                {number(nil, 16, 1<<40), errRange},
		"a large number in a list":      {text(nil, 17, "\x01\x80\x80\x80\x80\x80\x01"), errRange},
		"a negative number of 32 bits":  {number(nil, 1, 0xffffffff), nil},
		"a list of numbers in two ways": {number(text(nil, 17, "\x01\x02"), 17, 3), nil},
		"different keys":                {text(text(nil, 20, "\x08\x05"), 20, "\x08\x06"), nil},
	} {
		if got, err := c.appendJSON(nil, one.body); err != one.want {
			t.Errorf("%s: got %s, %v; want %v", name, got, err, one.want)
		}
	}
}

func TestProto2KnowsWhatIsSet(t *testing.T) {
	c := messageOf(t, everyProto2)
	for _, one := range []struct {
		body []byte
		want string
	}{
		{[]byte{8, 0}, `{"must":0,"packed":[]}`},
		{[]byte{}, `{"packed":[]}`},
		{[]byte{8, 1, 18, 0, 26, 2, 1, 2, 35, 8, 3, 36, 40, 2}, `{"must":1,"may":"","packed":[1,2],"g":{"g":3},"e":"B"}`},
		{[]byte{40, 9}, `{"packed":[],"e":9}`}, // a symbol that is not there
		{[]byte{0xa2, 6, 1, 'x'}, `{"packed":[],"unknown-fields":[[100,"x"]]}`},
	} {
		if got := decoded(t, c, one.body); got != one.want {
			t.Errorf("%x: got %s; want %s", one.body, got, one.want)
		}
		back, err := c.appendChanged(nil, one.body, []byte(one.want))
		if err != nil || !bytes.Equal(back, one.body) {
			t.Errorf("got %x, %v; want %x", back, err, one.body)
		}
	}
}

func TestAnAnyIsItsBytes(t *testing.T) {
	c := messageOf(t, `syntax = "proto3"; import "google/protobuf/any.proto"; message M { google.protobuf.Any any = 1; }`)
	body := []byte{10, 6, 10, 1, 'u', 18, 1, 0xff}
	want := `{"any":{"type_url":"u","value":"/w=="}}`
	if got := decoded(t, c, body); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestWhatAProtobufTypeCannotHoldIsNamed(t *testing.T) {
	c := messageOf(t, everyProto)
	body := encodedProto(t, c, everyProtoText)
	for _, one := range []struct{ from, to, want string }{
		{`{"i32":-1`, `{"i32":"***"`, "i32 is of type int32 in its schema, which cannot hold text"},
		{`"RED"`, `"***"`, "color is of type enum p.Color in its schema, which cannot hold text"},
		{`"AP8="`, `"***"`, "raw is of type bytes in its schema, which cannot hold text"},
		{`[1,-1]`, `{}`, "list is of type repeated int32 in its schema, which cannot hold an object"},
		{`"a":1`, `"a":"x"`, "by_name.* is of type int64 in its schema, which cannot hold text"},
		{`"7":{`, `"x":{`, "by_number is of type map of int32 in its schema, which cannot hold such a key"},
		{`"right":0`, `"right":0,"left":""`, "left is of type a oneof in its schema, which cannot hold two of its fields at once"},
		{`"yes":true`, `"no":true`, "it is of type p.Every in its schema, which cannot hold a field that it does not have"},
	} {
		_, err := c.appendChanged(nil, body, []byte(strings.Replace(everyProtoJSON, one.from, one.to, 1)))
		if err == nil || err.Error() != one.want {
			t.Errorf("got  %v\nwant %s", err, one.want)
		}
	}
}

func TestProtobufThatUsesUpMemoryIsRefused(t *testing.T) {
	c := messageOf(t, `syntax = "proto3"; message M { repeated M m = 1; `+manyFields(2000)+`}`)
	empty := bytes.Repeat([]byte{10, 0}, 100_000) // each has 2,000 fields in JSON
	if _, err := c.appendJSON(nil, empty); err != errTooLarge {
		t.Errorf("got %v; want %v", err, errTooLarge)
	}
	var deep []byte
	for range 2000 {
		deep = protowire.AppendBytes([]byte{10}, deep)
	}
	if _, err := c.appendJSON(nil, deep); err == nil {
		t.Error("deep: got no error; want one")
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("int32 a_field_with_quite_a_long_name_" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + "_" + strconv.Itoa(i) + " = " + strconv.Itoa(i+2) + "; ")
	}
	return b.String()
}

// Some clients register the base64 of a descriptor.
func TestASerializedDescriptorIsASchema(t *testing.T) {
	m := messageOf(t, `syntax = "proto3"; message M { int32 a = 1; }`)
	b, err := proto.Marshal(protodesc.ToFileDescriptorProto(m.ParentFile()))
	if err != nil {
		t.Fatal(err)
	}
	c := messageOf(t, base64.StdEncoding.EncodeToString(b))
	if got := decoded(t, c, []byte{8, 5}); got != `{"a":5}` {
		t.Errorf(`got %s; want {"a":5}`, got)
	}
}

// Apicurio writes an empty name for each field of a descriptor that had none, as descriptors of Python have none.
func TestEmptyNamesInProtobufsOwnJSONDoNotMatter(t *testing.T) {
	const text = `syntax = "proto3"; message M { message In { string a = 1 [json_name = ""]; string b = 2 [deprecated = true, json_name = ""]; } In in = 1 [json_name="x"]; int32 n = 2 [json_name='']; }`
	file := &descriptorpb.FileDescriptorProto{Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}}}
	for i, name := range []string{"in_it", "n"} {
		kind := []descriptorpb.FieldDescriptorProto_Type{descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, descriptorpb.FieldDescriptorProto_TYPE_INT32}[i]
		file.MessageType[0].Field = append(file.MessageType[0].Field, &descriptorpb.FieldDescriptorProto{Name: &name, JsonName: proto.String(""),
			Number: proto.Int32(int32(i + 1)), Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()})
	}
	file.MessageType[0].Field[0].TypeName = proto.String(".M")
	b, err := proto.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{{text, `{"x":{"b":"y"},"n":7}`}, {base64.StdEncoding.EncodeToString(b), `{"inIt":{"n":7},"n":7}`}} {
		s := &Set{}
		if err := s.Add(origin.Schema{ID: 1, Type: origin.ProtobufSchema, Text: c.text}); err != nil {
			t.Fatal(err)
		}
		payload, err := s.AppendPayload(nil, Name{ID: 1}, nil, []byte(c.want))
		if err != nil {
			t.Errorf("%.40s: %v", c.text, err)
			continue
		}
		p, _, err := s.Payload("t", Value, payload, nil)
		if err != nil {
			t.Errorf("%.40s: %v", c.text, err)
			continue
		}
		if got, err := p.AppendJSON(nil); err != nil || !bytes.Contains(got, []byte(`"n":7`)) {
			t.Errorf("%.40s: got %s, %v; want %s", c.text, got, err, c.want)
		}
	}
}
