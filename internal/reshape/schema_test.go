package reshape

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
)

const userAvro = `{"type":"record","name":"User","fields":[
	{"name":"id","type":"long"},{"name":"email","type":["null","string"]},{"name":"age","type":"int"},{"name":"note","type":"string","default":"-"},
	{"name":"tags","type":{"type":"map","values":"string"}}]}`

const userProto = `syntax = "proto3"; message User { int64 id = 1; string email = 2; int32 age = 3; string note = 4; }`

func withSchemas(t *testing.T, r Rules) *Pipeline {
	t.Helper()
	s := &schema.Set{}
	err := s.Add(origin.Schema{ID: 1, Type: origin.AvroSchema, Text: userAvro}, origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: userProto},
		origin.Schema{ID: 3, Type: origin.JSONSchema, Text: "{}"}, origin.Schema{ID: 4, Type: origin.AvroSchema, Text: `"string"`},
		origin.Schema{ID: 5, Type: origin.AvroSchema, Text: `"long"`})
	if err != nil {
		t.Fatal(err)
	}
	p := pipelineOf(t, r)
	p.ReadWith(s)
	return p
}

// written is a document as the payload of a schema.
func written(t *testing.T, id uint32, document string) []byte {
	t.Helper()
	s := &schema.Set{}
	s.Add(origin.Schema{ID: 1, Type: origin.AvroSchema, Text: userAvro}, origin.Schema{ID: 4, Type: origin.AvroSchema, Text: `"string"`},
		origin.Schema{ID: 5, Type: origin.AvroSchema, Text: `"long"`}, origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: userProto})
	frame := binary.BigEndian.AppendUint32([]byte{0}, id)
	if id == 2 {
		frame = append(frame, 0)
	}
	out, err := s.AppendPayload(nil, schema.Name{ID: int32(id)}, nil, []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, frame) {
		t.Fatalf("got %x; want it to begin with %x", out, frame)
	}
	return out
}

const (
	annAvro  = `{"id":7,"email":"ann@example.com","age":33,"note":"n","tags":{"a":"b"}}`
	annProto = `{"id":7,"email":"ann@example.com","age":33,"note":"n"}`
)

func TestFiltersLookIntoSchemas(t *testing.T) {
	for expression, want := range map[string]Verdict{
		`value.age > 30`:                   Pass,
		`value.email == "ann@example.com"`: Pass,
		`value.id == 8`:                    FilteredOut,
		`key == "ann"`:                     Pass,
		`value == null`:                    FilteredOut,
		`has(value.nobody)`:                FilteredOut,
	} {
		p := withSchemas(t, Rules{Filter: []Expression{{Text: expression}}})
		for _, value := range [][]byte{written(t, 1, annAvro), written(t, 2, annProto), append([]byte{0, 0, 0, 0, 3}, annProto...)} {
			r := Record{Record: format.Record{Key: written(t, 4, `"ann"`), Value: value}, Topic: "t"}
			if got, err := p.Worker().Apply(&r); got != want || err != nil {
				t.Errorf("%s of %x: got %v, %v; want %v", expression, value[:5], got, err, want)
			}
		}
	}
}

func TestMasksWriteBySchemas(t *testing.T) {
	for _, c := range []struct {
		masks, from, to string
	}{
		{"value.email=redact", `"ann@example.com"`, `"***"`},
		{"value.age=redact", `33`, `0`},
		{"value.id=fixed=12", `"id":7`, `"id":12`},
		{"value.note=drop", `"note":"n"`, `"note":"-"`},
		{"value.tags.*=redact", `"a":"b"`, `"a":"***"`},
		{"value.email=drop", `"ann@example.com"`, `null`},
	} {
		mask, err := ParseMask(c.masks)
		if err != nil {
			t.Fatal(err)
		}
		p := withSchemas(t, Rules{Mask: []Mask{mask}})
		value, key := written(t, 1, annAvro), []byte("k")
		before := bytes.Clone(value)
		r := Record{Record: format.Record{Key: key, Value: value}, Topic: "t"}
		if got, err := p.KeepingWorker().Apply(&r); got != Pass || err != nil {
			t.Fatalf("%s: got %v, %v", c.masks, got, err)
		}
		if want := written(t, 1, strings.Replace(annAvro, c.from, c.to, 1)); !bytes.Equal(r.Value, want) {
			t.Errorf("%s: got %x; want %x", c.masks, r.Value, want)
		}
		if !bytes.Equal(value, before) || string(r.Key) != "k" {
			t.Errorf("%s: the original was written to", c.masks)
		}
	}
}

func TestWhatNoMaskIsAboutStaysTheSameBytes(t *testing.T) {
	p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "?value.nobody=redact")}})
	w := p.Worker()
	odd := []byte{0, 0, 0, 0, 1, 0x8e, 0, 2, 2, 'a', 2, 2, 'n', 1, 8, 2, 'a', 2, 'b', 0} // a long number, and a map in a block with its size
	for _, value := range [][]byte{written(t, 1, annAvro), odd, written(t, 2, annProto), nil, {}, []byte("text"), {0, 0, 0, 0, 0, 0, 0, 5}, []byte(`{"a": 1}`)} {
		r := Record{Record: format.Record{Value: value}, Topic: "t"}
		if got, err := w.Apply(&r); err != nil || got == Pass && (!bytes.Equal(r.Value, value) || (r.Value == nil) != (value == nil)) {
			t.Errorf("got %v, %x, %v; want %x", got, r.Value, err, value)
		}
	}
}

// A topic has the records of all versions of its schema.
func TestVersionsOfASchemaInOneTopicAreReadAndWrittenEachByItsOwn(t *testing.T) {
	s := &schema.Set{}
	versions := map[int32]string{
		11: `{"name":"email","type":"string"}`,
		12: `{"name":"email","type":["null","string"]},{"name":"age","type":"int","default":0}`,
		13: `{"name":"age","type":"long"},{"name":"contact","type":"string"}`, // without email
	}
	for id, fields := range versions {
		if err := s.Add(origin.Schema{ID: id, Type: origin.AvroSchema, Text: `{"type":"record","name":"User","fields":[` + fields + `]}`}); err != nil {
			t.Fatal(err)
		}
	}
	p := pipelineOf(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "?value.email=redact")}})
	p.ReadWith(s)
	w := p.Worker()
	for _, c := range []struct {
		id         int32
		from, want string
	}{
		{11, `{"email":"ann"}`, `{"email":"***"}`}, {12, `{"email":"ann","age":3}`, `{"email":"***","age":3}`},
		{13, `{"age":4,"contact":"c"}`, `{"age":4,"contact":"c"}`}, {12, `{"email":null,"age":5}`, `{"email":null,"age":5}`},
	} {
		payload := func(document string) []byte {
			b, err := s.AppendPayload(nil, schema.Name{ID: c.id}, nil, []byte(document))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		r := Record{Record: format.Record{Value: payload(c.from)}, Topic: "t"}
		if got, err := w.Apply(&r); got != Pass || err != nil || !bytes.Equal(r.Value, payload(c.want)) {
			t.Errorf("version %d: got %v, %x, %v; want %x", c.id, got, r.Value, err, payload(c.want))
		}
	}
}

func mustParse[T any](t *testing.T, parse func(string) (T, error), text string) T {
	t.Helper()
	parsed, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestMasksOfWholePayloadsWriteBySchemas(t *testing.T) {
	p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "key=redact"), mustParse(t, ParseMask, "value=drop")}})
	r := Record{Record: format.Record{Key: written(t, 4, `"ann"`), Value: written(t, 1, annAvro)}, Topic: "t"}
	got, err := p.Worker().Apply(&r)
	if want := written(t, 4, `"***"`); got != Pass || err != nil || !bytes.Equal(r.Key, want) || r.Value != nil {
		t.Errorf("got %v, %v, key %x, value %x; want key %x", got, err, r.Key, r.Value, want)
	}
}

func TestWhatCannotBeMaskedBySchemasIsWithheld(t *testing.T) {
	for _, c := range []struct {
		mask  string
		value []byte
		why   string
	}{
		{"value.age=fixed=x", written(t, 1, annAvro), "value: age is of type int in its schema, which cannot hold text"},
		{"value.email=redact", []byte{0, 0, 0, 0, 9, 1}, "value: no schema 9 is known"},
		{"value.email=redact", []byte{0, 0, 0, 0, 1, 1}, "value: it is no value of schema 1: it ends too early"},
		{"value=redact", written(t, 1, annAvro), "value: id is of type long in its schema, which cannot hold that it is missing"},
	} {
		p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, c.mask)}})
		w := p.Worker()
		r := Record{Record: format.Record{Value: c.value}, Topic: "t"}
		if got, err := w.Apply(&r); got != Withheld || err != nil || w.Why() != c.why {
			t.Errorf("%s: got %v, %v, %s; want %s", c.mask, got, err, w.Why(), c.why)
		}
	}
}

func TestMapsReadAndWriteBySchemas(t *testing.T) {
	p := withSchemas(t, Rules{Set: []Set{mustParse(t, ParseSet, "value.note=test")}, Key: []Selector{{Path: "value.email"}}})
	r := Record{Record: format.Record{Value: written(t, 1, annAvro)}, Topic: "t"}
	got, err := p.Worker().Apply(&r)
	if want := written(t, 1, strings.Replace(annAvro, `"n"`, `"test"`, 1)); got != Pass || err != nil || !bytes.Equal(r.Value, want) || string(r.Key) != "ann@example.com" {
		t.Errorf("got %v, %v, key %s, value %x; want value %x", got, err, r.Key, r.Value, want)
	}
	p = withSchemas(t, Rules{Value: []Selector{{Path: "value.tags"}}, Key: []Selector{{Path: "value"}}})
	r = Record{Record: format.Record{Value: written(t, 1, annAvro)}, Topic: "t"}
	if got, err := p.Worker().Apply(&r); got != Pass || err != nil || string(r.Value) != `{"a":"b"}` || !bytes.Equal(r.Key, written(t, 1, annAvro)) {
		t.Errorf("got %v, %v, key %x, value %s", got, err, r.Key, r.Value)
	}
}

// One entity is the same in text, in JSON, and by whatever schema.
func TestSamplesTakeEntitiesByWhatTheyMean(t *testing.T) {
	rate, err := ParseRate("50%")
	if err != nil {
		t.Fatal(err)
	}
	p := withSchemas(t, Rules{Sample: Sample{Rate: rate, By: []Selector{{Path: "key"}, {Path: "value.id"}}}})
	w := p.Worker()
	taken := 0
	for id := range int64(100) {
		text := strconv.AppendInt(nil, id, 10)
		var verdicts []Verdict
		for _, r := range []format.Record{
			{Key: text}, {Key: written(t, 4, `"`+string(text)+`"`)}, {Key: written(t, 5, string(text))},
			{Value: written(t, 1, strings.Replace(annAvro, `"id":7`, `"id":`+string(text), 1))},
			{Value: written(t, 2, strings.Replace(annProto, `"id":7`, `"id":`+string(text), 1))},
		} {
			got, err := w.Apply(&Record{Record: r, Topic: "t"})
			if err != nil {
				t.Fatal(err)
			}
			verdicts = append(verdicts, got)
		}
		for _, v := range verdicts {
			if v != verdicts[0] {
				t.Fatalf("entity %d: got %v; want the same of all", id, verdicts)
			}
		}
		if verdicts[0] == Pass {
			taken++
		}
	}
	if taken < 25 || taken > 75 {
		t.Errorf("got %d of 100 entities; want about half", taken)
	}
}

func TestTheDetectorLooksIntoSchemas(t *testing.T) {
	p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value.note=redact")}})
	w := p.Worker()
	for _, value := range [][]byte{written(t, 1, annAvro), written(t, 2, annProto)} {
		if got, err := w.Apply(&Record{Record: format.Record{Value: value}, Topic: "t"}); got != Pass || err != nil {
			t.Fatal(got, err)
		}
	}
	w.Close()
	report := p.Report()
	if len(report.Uncovered) != 1 || report.Uncovered[0].Path != "value.email" || report.Uncovered[0].Records != 2 {
		t.Errorf("got %v; want value.email of 2 records", report.Uncovered)
	}
}

// The first copy of a field is not what a document shows.
func TestAMaskThatChangesNothingDoesNotLetAnEarlierCopyPass(t *testing.T) {
	value := append([]byte{0, 0, 0, 0, 2, 0, 18, 3}, "ann\x12\x03***"...)
	p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value.email=redact")}})
	w := p.Worker()
	r := Record{Record: format.Record{Value: value}, Topic: "t"}
	if got, err := w.Apply(&r); got != Withheld || err != nil || w.Why() != "value: it is no value of schema 2: a field that has one value is there twice" {
		t.Errorf("got %v, %v, %q; want it withheld", got, err, w.Why())
	}
}

func TestMasksCoverFieldsThatAMessageDoesNotKnow(t *testing.T) {
	value := append(written(t, 2, annProto), "\x4a\x0fbob@example.com"...) // field 9
	for _, mask := range []string{"value=redact", "value.*=redact", "value.unknown-fields=drop", "value.unknown-fields=redact"} {
		p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, mask)}})
		r := Record{Record: format.Record{Value: bytes.Clone(value)}, Topic: "t"}
		if got, err := p.Worker().Apply(&r); got != Pass || err != nil || bytes.Contains(r.Value, []byte("bob")) {
			t.Errorf("%s: got %v, %v, %q; want it to pass without bob", mask, got, err, r.Value)
		}
	}
	p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value.email=redact")}, RequireCoverage: true})
	w := p.Worker()
	r := Record{Record: format.Record{Value: value}, Topic: "t"}
	if got, err := w.Apply(&r); got != Withheld || err != nil || w.Why() != errUncovered.Error() {
		t.Errorf("coverage: got %v, %v, %q; want it withheld", got, err, w.Why())
	}
}

func TestCoverageHoldsBackWhatGoesOnAsItWas(t *testing.T) {
	for _, required := range []bool{false, true} {
		p := withSchemas(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value.email=redact"), mustParse(t, ParseMask, "value.age=fixed=x")}, Unmaskable: PassOn, RequireCoverage: required})
		w := p.Worker()
		value := written(t, 1, annAvro)
		r := Record{Record: format.Record{Value: value}, Topic: "t"}
		got, err := w.Apply(&r)
		if want := map[bool]Verdict{false: Pass, true: Withheld}[required]; got != want || err != nil {
			t.Errorf("coverage %v: got %v, %v; want %v", required, got, err, want)
		}
		if got == Pass && !bytes.Equal(r.Value, value) {
			t.Errorf("got %x; want %x", r.Value, value)
		}
		w.Close()
		if u := p.Report().Uncovered; len(u) != 1 || u[0].Path != "value" {
			t.Errorf("coverage %v: got %v; want the value", required, u)
		}
	}
}

// A value of no bytes is a value, and null ends a key.
func TestTheFirstEmptyValueIsNotNull(t *testing.T) {
	file, err := schema.ParseFile("t=user.proto", func(name string) ([]byte, error) {
		if name != "user.proto" {
			return nil, fs.ErrNotExist
		}
		return []byte(userProto), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &schema.Set{}
	if err := s.AddFiles(file); err != nil {
		t.Fatal(err)
	}
	p := pipelineOf(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value.email=drop")}})
	p.ReadWith(s)
	r := Record{Record: format.Record{Value: []byte("\x12\x03ann")}, Topic: "t"}
	if got, err := p.Worker().Apply(&r); got != Pass || err != nil || r.Value == nil || len(r.Value) != 0 {
		t.Errorf("got %v, %v, %q, null %v; want an empty value", got, err, r.Value, r.Value == nil)
	}
	p = pipelineOf(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value=fixed=")}})
	r = Record{Record: format.Record{Value: []byte("ann")}, Topic: "t"}
	if got, err := p.Worker().Apply(&r); got != Pass || err != nil || r.Value == nil {
		t.Errorf("got %v, %v, null %v; want an empty value", got, err, r.Value == nil)
	}
}

const typesAvro = `{"type":"record","name":"T","fields":[{"name":"age","type":["null","int"]},{"name":"either","type":["int","string"]},{"name":"city","type":"string"},
	{"name":"color","type":{"type":"enum","name":"C","symbols":["RED"]}},{"name":"md5","type":{"type":"fixed","name":"M","size":16}},
	{"name":"list","type":{"type":"array","items":"long"}},{"name":"tags","type":{"type":"map","values":"boolean"}},{"name":"next","type":["null","T"]},
	{"name":"home","type":{"type":"record","name":"H","fields":[{"name":"zip","type":"int"}]}}, {"name":"none","type":"null"}]}`

const typesProto = `syntax = "proto3"; message T { int32 age = 1; string city = 2; E color = 3; bytes raw = 4; repeated int64 list = 5; map<string, bool> tags = 6; T next = 7; } enum E { NONE = 0; }`

func TestMasksThatNoSchemaOfATopicCanHoldAreRefusedBeforehand(t *testing.T) {
	s := &schema.Set{}
	at := func(subject string) []origin.SchemaVersion {
		return []origin.SchemaVersion{{Subject: subject, Version: 1}}
	}
	err := s.Add(origin.Schema{ID: 1, Type: origin.AvroSchema, Text: typesAvro, Versions: at("a-value")},
		origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: typesProto, Versions: at("p-value")},
		origin.Schema{ID: 3, Type: origin.AvroSchema, Text: `"long"`, Versions: at("a-key")},
		origin.Schema{ID: 4, Type: origin.AvroSchema, Text: strings.Replace(userAvro, `"int"`, `"string"`, 1), Versions: at("b-value")},
		origin.Schema{ID: 5, Type: origin.AvroSchema, Text: userAvro, Versions: []origin.SchemaVersion{{Subject: "b-value", Version: 2}}},
		origin.Schema{ID: 6, Type: origin.AvroSchema, Text: `{"type":"int`, Versions: at("c-value")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ mask, topic, want string }{
		{"value.age=hash", "a", "mask value.age=hash cannot be applied to topic a, whose values are by schema 1: it is of type union of null, int in its schema, which cannot hold text"},
		{"value.next.next.age=hash", "a", "cannot hold text"}, {"value.age=fixed=x", "a", "cannot hold text"}, {"value.color=redact", "a", "it is of type C in"},
		{"value.md5=redact", "a", "it is of type M in"}, {"value.list.#=hash", "a", "it is of type long in"}, {"value.list.0=hash", "a", "it is of type long in"},
		{"value.list=hash", "a", "it is of type array in"}, {"value.tags.x=hash", "a", "it is of type boolean in"}, {"value.home=redact", "a", "zip is of type int in its schema, which cannot hold that it is missing"},
		{"key=hash", "a", "whose keys are by schema 3: it is of type long in"}, {"value=hash", "a", "it is of type T in"}, {"value.city=fixed=null", "a", "it is of type string in its schema, which cannot hold null"},
		{"value.age=redact", "a", ""}, {"value.age=fixed=null", "a", ""}, {"value.either=hash", "a", ""}, {"value.city=hash", "a", ""}, {"value.city=redact", "a", ""}, {"value.nobody=hash", "a", ""},
		{"value.*=hash", "a", ""}, {"value.age=hash-format", "a", ""}, {"value.age=drop", "a", ""}, {"value.age=keep", "a", ""}, {"value.none=hash", "a", ""}, {"value.list=redact", "a", ""},
		{"value.next=redact", "p", ""}, {"value.age=redact", "p", ""}, {"value.age=fixed=null", "p", ""}, {"value=redact", "p", ""}, {"value.city=hash", "p", ""},
		{"value.age=hash", "p", "it is of type int32 in"}, {"value.color=redact", "p", "it is of type enum E in"}, {"value.raw=redact", "p", "it is of type bytes in"},
		{"value.list.#=hash", "p", "it is of type int64 in"}, {"value.tags.x=hash", "p", "it is of type bool in"}, {"value.next.next.age=hash", "p", "it is of type int32 in"},
		{"value.age=hash", "b", ""}, {"value.id=hash", "b", "it is of type long in"}, {"value.age=hash", "c", ""}, {"value.age=hash", "nobody", ""}, {"headers.age=hash", "a", ""},
	} {
		p := pipelineOf(t, Rules{Mask: []Mask{mustParse(t, ParseMask, c.mask)}, secret: testSecret})
		p.ReadWith(s)
		err := p.CheckTypes([]string{c.topic})
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s for %s: got %v; want %s", c.mask, c.topic, err, c.want)
		}
	}
	p := pipelineOf(t, Rules{Mask: []Mask{mustParse(t, ParseMask, "value.age=hash")}, Unmaskable: RedactAll, secret: testSecret})
	if p.ReadWith(s); p.CheckTypes([]string{"a"}) != nil {
		t.Error("with another way out: got an error; want none")
	}
}
