package schema

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

func varints(all ...int64) (out [][]byte) {
	for _, n := range all {
		out = append(out, binary.AppendVarint(nil, n))
	}
	return out
}

// sized are texts or bytes behind their length.
func sized(all ...string) (out [][]byte) {
	for _, s := range all {
		out = append(out, append(binary.AppendVarint(nil, int64(len(s))), s...))
	}
	return out
}

func repeated(b string, n int) []byte { return []byte(strings.Repeat(b, n)) }

var (
	singles = []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(-1)), float32(math.NaN()), 0.1}
	doubles = []float64{0, math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 0.1, 1e21}
)

func littleEndian[T any](all []T) (out [][]byte) {
	for _, v := range all {
		b, err := binary.Append(nil, binary.LittleEndian, v)
		if err != nil {
			panic(err)
		}
		out = append(out, b)
	}
	return out
}

// avroExtremes are values at the edges of each type, as Avro's specification encodes them.
func avroExtremes() map[string][][]byte {
	ints, longs := varints(0, -1, math.MaxInt32, math.MinInt32), varints(0, -1, math.MaxInt64, math.MinInt64, 1<<53+1)
	all := map[string][][]byte{
		`"null"`: {{}}, `"boolean"`: {{0}, {1}}, `"int"`: ints, `"long"`: longs,
		`"float"`: littleEndian(singles), `"double"`: littleEndian(doubles),
		`"string"`: sized("", "ü\x00\"\\\u2028", strings.Repeat("x", 5000)), `"bytes"`: sized("", "\x00\xff", strings.Repeat("\x80", 300)),
		`{"type":"fixed","name":"F","size":4}`:                                                                               {{0, 0, 0, 0}, {255, 255, 255, 255}},
		`{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`:                                                         {repeated("\x00", 16), repeated("\xff", 16)},
		`{"type":"fixed","name":"S","size":12,"logicalType":"duration"}`:                                                     {repeated("\xff", 12)},
		`{"type":"fixed","name":"D","size":8,"logicalType":"decimal","precision":18,"scale":4}`:                              {{0, 0, 0, 0, 0, 0, 0, 1}, repeated("\xff", 8)},
		`{"type":"bytes","logicalType":"decimal","precision":40,"scale":10}`:                                                 sized("\x00", "\xff", "\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x00"),
		`{"type":"bytes","logicalType":"decimal","precision":4}`:                                                             sized("\x00", "\x85"),
		`{"type":"string","logicalType":"uuid"}`:                                                                             sized("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "no uuid"),
		`{"type":"enum","name":"E","symbols":["A","B","C"]}`:                                                                 varints(0, 1, 2),
		`{"type":"array","items":"int"}`:                                                                                     {{0}, {4, 1, 0, 0}},
		`{"type":"map","values":["null","int"]}`:                                                                             {{0}, {4, 2, 'a', 0, 2, 'b', 2, 1, 0}},
		`["null","int","long","string","boolean"]`:                                                                           {{0}, {2, 1}, {4, 1}, {6, 2, 'x'}, {8, 1}},
		`{"type":"record","name":"None","fields":[]}`:                                                                        {{}},
		`{"type":"record","name":"Tree","fields":[{"name":"l","type":["null","Tree"]},{"name":"r","type":["null","Tree"]}]}`: {{0, 0}, {2, 0, 2, 0, 0, 0}},
	}
	for _, logical := range []string{"date", "time-millis"} {
		all[fmt.Sprintf(`{"type":"int","logicalType":%q}`, logical)] = ints
	}
	for _, logical := range []string{"time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos",
		"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "nobody-knows"} {
		all[fmt.Sprintf(`{"type":"long","logicalType":%q}`, logical)] = longs
	}
	return all
}

func TestExtremesOfEveryAvroTypeRoundTripByteForByte(t *testing.T) {
	for text, bodies := range avroExtremes() {
		l := compiled(t, text)
		for _, body := range bodies {
			roundTrips(t, text, l, body)
			isWrittenAnew(t, text, l, body)
		}
	}
}

// roundTrips fails unless the document of a body becomes that body again.
func roundTrips(t *testing.T, what string, c coding, body []byte) {
	t.Helper()
	doc, err := c.appendJSON(nil, body)
	if err != nil {
		t.Errorf("%s: %x: %v", what, body, err)
		return
	}
	back, err := c.appendChanged(nil, body, doc)
	if err != nil || !bytes.Equal(back, body) {
		t.Errorf("%s: %x became %.200s, and that %x, %v", what, body, doc, back, err)
	}
}

// isWrittenAnew fails unless the document of a body becomes a body of the same document also where that one is not known: it need not be the same
// bytes, for a number in a union may go by another branch.
func isWrittenAnew(t *testing.T, what string, c coding, body []byte) {
	t.Helper()
	doc := decoded(t, c, body)
	if anew, err := c.appendChanged(nil, nil, []byte(doc)); err != nil || decoded(t, c, anew) != doc {
		t.Errorf("%s: %.200s became %x, %v, which is another value", what, doc, anew, err)
	}
}

func TestExtremesOfEveryProtobufTypeRoundTripByteForByte(t *testing.T) {
	all := map[string][]string{
		"i32": {"-2147483648", "2147483647"}, "i64": {`"-9223372036854775808"`, `"9223372036854775807"`}, "u32": {"4294967295"}, "u64": {`"18446744073709551615"`},
		"s32": {"-2147483648", "2147483647"}, "s64": {`"-9223372036854775808"`, `"9007199254740993"`}, "f32": {"4294967295"}, "f64": {`"18446744073709551615"`},
		"sf32": {"-2147483648"}, "sf64": {`"-9223372036854775808"`}, "single": {`"NaN"`, `"-Infinity"`, "-0.0", "3.4028235e38", "1e-45"},
		"twice": {`"NaN"`, `"Infinity"`, "-0.0", "5e-324", "1e21"}, "yes": {"true"}, "some_text": {`"ü\u0000\"\\\u2028"`, `"` + strings.Repeat("x", 5000) + `"`},
		"raw": {`"AP+A"`}, "color": {`"RED"`, "-1", "77"}, "list": {"[0,-1,2147483647]"}, "more": {`[{},{"more":[{"left":""}]}]`}, "by_name": {`{"":"0","a":"-1"}`},
		"by_number": {`{"-2147483648":{},"0":{"i32":1}}`}, "by_truth": {`{"false":"","true":"t"}`}, "left": {`""`, `"x"`}, "right": {"0", "-1"}, "maybe": {"0"},
		"next": {"{}", `{"next":{"next":{"maybe":0}}}`}, "any": {"{}", `{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}`},
	}
	c := messageOf(t, everyProto)
	for i := range c.MessageDescriptor.Fields().Len() {
		name := string(c.MessageDescriptor.Fields().Get(i).Name())
		if len(all[name]) == 0 {
			t.Errorf("no values for field %s", name)
		}
		for _, value := range all[name] {
			body := encodedProto(t, c, fmt.Sprintf(`{%q:%s}`, name, value))
			roundTrips(t, name, c, body)
			isWrittenAnew(t, name, c, body)
			roundTrips(t, name+" beside a field that is not known", c, append(body, 0xc2, 0x3e, 1, 'x'))
		}
	}
}
