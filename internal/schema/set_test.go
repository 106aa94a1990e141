package schema

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

func avroSchema(id int32, text string) origin.Schema {
	return origin.Schema{ID: id, Type: origin.AvroSchema, Text: text}
}

// framed is a body behind the frame of an id.
func framed(id uint32, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), body...)
}

func read(t *testing.T, s *Set, b []byte, headers ...format.Header) (string, error) {
	t.Helper()
	p, ok, err := s.Payload("t", Value, b, headers)
	if !ok {
		return "none", err
	}
	if err != nil {
		return "", err
	}
	out, err := p.AppendJSON(nil)
	return string(out), err
}

const guid = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

func guidHeader(name string, behind ...byte) format.Header {
	id := uuid.MustParse(guid)
	return format.Header{Key: name, Value: append(append([]byte{1}, id[:]...), behind...)}
}

func TestFramesNameSchemas(t *testing.T) {
	s := &Set{}
	proto := `syntax = "proto3"; message A { int32 a = 1; } message B { message C { string c = 1; } message D { string d = 1; } }`
	withGUID := avroSchema(9, `"string"`)
	withGUID.GUID = guid
	err := s.Add(avroSchema(1, `"int"`), origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: proto},
		origin.Schema{ID: 3, Type: origin.JSONSchema, Text: `{}`}, withGUID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what    string
		payload []byte
		headers []format.Header
		want    string
		err     string
	}{
		{"an id", framed(1, 84), nil, "42", ""},
		{"no frame", []byte(`{"a":1}`), nil, "none", ""},
		{"a number in 8 bytes", []byte{0, 0, 0, 0, 0, 0, 0, 5}, nil, "none", ""},
		{"less than a frame", []byte{0, 0, 0, 0}, nil, "none", ""},
		{"an unknown id", framed(7, 84), nil, "", "no schema 7 is known"},
		{"another body", framed(1, 84, 84), nil, "", "it is no value of schema 1: something follows its end"},
		{"the first message", framed(2, 0, 8, 5), nil, `{"a":5}`, ""},
		{"the first message by number", framed(2, 2, 0, 8, 5), nil, `{"a":5}`, ""},
		{"a message in another", framed(2, 4, 2, 2, 10, 1, 'x'), nil, `{"d":"x"}`, ""},
		{"a message that is not there", framed(2, 2, 4), nil, "", "it is no value of schema 2: the message that it names is not in its schema"},
		{"a broken message number", framed(2, 0x80), nil, "", "it is no value of schema 2: the numbers of its message are broken"},
		{"JSON", framed(3, []byte(` {"a": 1}`)...), nil, `{"a": 1}`, ""},
		{"no JSON", framed(3, []byte(`{"a":1,"a":2}`)...), nil, "", "it is no value of schema 3: not strictly JSON"},
		{"a GUID in a header", []byte{2, 'x'}, []format.Header{guidHeader("__value_schema_id")}, `"x"`, ""},
		{"a GUID of the key", []byte{2, 'x'}, []format.Header{guidHeader("__key_schema_id")}, "none", ""},
		{"an id in a header", []byte{84}, []format.Header{{Key: "__value_schema_id", Value: framed(1)}}, "42", ""},
		{"a header before a frame", framed(7, 84)[:2], []format.Header{{Key: "__value_schema_id", Value: framed(3)}}, "", "it is no value of schema 3: not strictly JSON"},
		{"the last header", []byte{84}, []format.Header{guidHeader("__value_schema_id"), {Key: "__value_schema_id", Value: framed(1)}}, "42", ""},
		{"a message in a header", []byte{10, 1, 'x'}, []format.Header{{Key: "__value_schema_id", Value: framed(2, 4, 2, 2)}}, `{"d":"x"}`, ""},
	} {
		got, err := read(t, s, c.payload, c.headers...)
		if got != c.want && c.err == "" || fmt.Sprint(err) != c.err && !(err == nil && c.err == "") {
			t.Errorf("%s: got %s, %v; want %s, %s", c.what, got, err, c.want, c.err)
		}
	}
}

func TestAChangedPayloadKeepsItsFrame(t *testing.T) {
	s := &Set{}
	proto := `syntax = "proto3"; message A { int32 a = 1; } message B { string b = 1; }`
	if err := s.Add(avroSchema(1, `"int"`), origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: proto}, origin.Schema{ID: 3, Type: origin.JSONSchema, Text: `{}`}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		payload  []byte
		document string
		want     []byte
	}{
		{framed(1, 84), "1", framed(1, 2)},
		{framed(2, 2, 2, 10, 1, 'x'), `{"b":"yy"}`, framed(2, 2, 2, 10, 2, 'y', 'y')},
		{framed(2, 0, 8, 5), `{"a":6}`, framed(2, 0, 8, 6)},
		{framed(3, '1'), `2`, framed(3, '2')},
	} {
		p, ok, err := s.Payload("t", Value, c.payload, nil)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		got, err := p.AppendChanged(nil, []byte(c.document))
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: got %x, %v; want %x", c.document, got, err, c.want)
		}
	}
}

// What a header names has no frame in its payload, and gets none.
func TestAChangedPayloadThatAHeaderNamesGetsNoFrame(t *testing.T) {
	s := &Set{}
	withGUID := avroSchema(9, `"string"`)
	withGUID.GUID = guid
	proto := `syntax = "proto3"; message A { int32 a = 1; } message B { string b = 1; }`
	if err := s.Add(withGUID, origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: proto}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header   format.Header
		payload  []byte
		document string
		want     []byte
	}{
		{guidHeader("__value_schema_id"), []byte{2, 'x'}, `"***"`, []byte{6, '*', '*', '*'}},
		{format.Header{Key: "__value_schema_id", Value: framed(2, 2, 2)}, []byte{10, 1, 'x'}, `{"b":"yy"}`, []byte{10, 2, 'y', 'y'}},
	} {
		p, ok, err := s.Payload("t", Value, c.payload, []format.Header{c.header})
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		if got, err := p.AppendChanged(nil, []byte(c.document)); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: got %x, %v; want %x", c.document, got, err, c.want)
		}
	}
}

func TestReferencesAreFound(t *testing.T) {
	s := &Set{}
	refers := func(f origin.Schema, name, subject string) origin.Schema {
		f.References = append(f.References, origin.SchemaReference{Name: name, Subject: subject, Version: 1})
		return f
	}
	at := func(f origin.Schema, subject string) origin.Schema {
		f.Versions = []origin.SchemaVersion{{Subject: subject, Version: 1}}
		return f
	}
	inner := `{"type":"record","name":"Inner","namespace":"n","fields":[{"name":"x","type":"int"}]}`
	outer := `{"type":"record","name":"Outer","namespace":"m","fields":[{"name":"a","type":"n.Inner"},{"name":"b","type":"n.Inner"}]}`
	shared := origin.Schema{ID: 3, Type: origin.ProtobufSchema, Text: `syntax = "proto3"; package p; message S { string s = 1; }`}
	using := origin.Schema{ID: 4, Type: origin.ProtobufSchema, Text: `syntax = "proto3"; import "dir/s.proto"; import "google/protobuf/timestamp.proto"; message U { p.S s = 1; google.protobuf.Timestamp t = 2; }`}
	err := s.Add(at(avroSchema(1, inner), "inner"), refers(avroSchema(2, outer), "n.Inner", "inner"), at(shared, "s"), refers(using, "dir/s.proto", "s"),
		refers(at(avroSchema(5, `"int"`), "self"), "x", "self"), refers(avroSchema(6, `"int"`), "x", "nobody"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		payload []byte
		want    string
	}{
		{framed(2, 2, 4), `{"a":{"x":1},"b":{"x":2}}`},
		{framed(4, 0, 10, 3, 10, 1, 'x', 18, 2, 8, 7), `{"s":{"s":"x"},"t":{"seconds":7,"nanos":0}}`},
		{framed(5, 2), "schema 5 cannot be used: it refers to itself"},
		{framed(6, 2), "schema 6 cannot be used: it refers to version 1 of subject nobody, which is not there"},
	} {
		got, err := read(t, s, c.payload)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %s; want %s", got, c.want)
		}
	}
}

// Each schema of a chain names two of the next, which are as many ways as 2 to the power of its length.
func TestManyReferencesTakeBoundedMemory(t *testing.T) {
	s := &Set{}
	for i := range 60 {
		f := avroSchema(int32(i+1), fmt.Sprintf(`{"type":"record","name":"R%d","fields":[]}`, i))
		f.Versions = []origin.SchemaVersion{{Subject: fmt.Sprint(i), Version: 1}}
		for range 2 {
			f.References = append(f.References, origin.SchemaReference{Name: fmt.Sprintf("R%d", i+1), Subject: fmt.Sprint(i + 1), Version: 1})
		}
		if i == 59 {
			f.References = nil
		}
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := read(t, s, framed(1)); err != nil || got != "{}" {
		t.Errorf("got %s, %v; want {}", got, err)
	}
	long := avroSchema(100, `"int"`)
	for i := range 100_000 {
		long.References = append(long.References, origin.SchemaReference{Name: "x", Subject: fmt.Sprint(i % 60), Version: 1})
	}
	if err := s.Add(long); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t, s, framed(100, 2)); err == nil || !strings.Contains(err.Error(), errManyReferences.Error()) {
		t.Errorf("got %v; want %v", err, errManyReferences)
	}
}

func TestFilesAreSchemasOfTopics(t *testing.T) {
	files := map[string]string{
		"d/user.avsc":         `{"type":"record","name":"U","fields":[{"name":"n","type":"int"}]}`,
		"d/shop.proto":        `syntax = "proto3"; package shop; import "other/money.proto"; message Order { Money m = 1; } message Other { }`,
		"d/other/money.proto": `syntax = "proto3"; package shop; message Money { int64 units = 1; }`,
		"d/x.txt":             "x",
		"d/bad.avsc":          `{"type":"recrod"}`,
	}
	open := func(name string) ([]byte, error) {
		text, ok := files[strings.ReplaceAll(name, `\`, "/")]
		if !ok {
			return nil, fmt.Errorf("no file %s", name)
		}
		return []byte(text), nil
	}
	s := &Set{}
	for _, text := range []string{"t=d/user.avsc", "o*=d/shop.proto#Order", "t:key=d/shop.proto#shop.Other", "7=d/user.avsc"} {
		f, err := ParseFile(text, open)
		if err == nil {
			err = s.AddFiles(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		topic   string
		part    Part
		payload []byte
		want    string
	}{
		{"t", Value, []byte{6}, `{"n":3}`},
		{"t", Key, []byte{}, `{}`},
		{"orders", Value, []byte{10, 2, 8, 5}, `{"m":{"units":5}}`},
		{"other", Key, []byte{6}, ""},
		{"x", Value, framed(7, 6), `{"n":3}`},
	} {
		p, ok, err := s.Payload(c.topic, c.part, c.payload, nil)
		var got []byte
		if ok && err == nil {
			got, err = p.AppendJSON(nil)
		}
		if string(got) != c.want || err != nil {
			t.Errorf("%s %s: got %s, %v; want %s", c.topic, c.part, got, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"t":                     `"t" is no schema: give ` + FileUsage,
		"t=":                    `"t=" is no schema: give ` + FileUsage,
		"[=d/user.avsc":         `"[" is no name or glob of topics`,
		"t=d/none.avsc":         "d/none.avsc: no file d/none.avsc",
		"t=d/shop.proto":        "d/shop.proto: it has several messages: say which, of shop.Order, shop.Other",
		"t=d/shop.proto#Nobody": "d/shop.proto#Nobody: it has no message Nobody, but shop.Order, shop.Other",
	} {
		if _, err := ParseFile(text, open); err == nil || err.Error() != want {
			t.Errorf("%s: got %v; want %s", text, err, want)
		}
	}
	for _, text := range []string{"t=d/x.txt", "t=d/bad.avsc"} {
		if _, err := ParseFile(text, open); err == nil {
			t.Errorf("%s: got no error; want one", text)
		}
	}
}

func TestATopicOfARegistryIsItsSchemas(t *testing.T) {
	var topic Topic
	for _, r := range [][2]string{
		{`{"keytype":"NOOP","magic":0}`, ``},
		{`{"keytype":"SCHEMA","subject":"a-value","version":1,"magic":1}`, `{"subject":"a-value","version":1,"id":1,"schema":"\"int\"","deleted":false}`},
		{`{"keytype":"SCHEMA","subject":"b-value","version":1,"magic":1}`, `{"subject":"b-value","version":1,"id":1,"schema":"\"int\"","deleted":true}`},
		{`{"keytype":"SCHEMA","subject":"p","version":2,"magic":1}`, `{"subject":"p","version":2,"id":2,"schemaType":"PROTOBUF","schema":"syntax = \"proto3\"; message M {}","references":[{"name":"n","subject":"s","version":3}]}`},
		{`{"keytype":"SCHEMA","subject":":.ctx:q","version":1,"magic":1}`, `{"subject":":.ctx:q","version":1,"id":1,"schema":"\"long\""}`},
		{`{"keytype":"CONFIG","subject":"p"}`, `{"compatibilityLevel":"NONE"}`},
		{`not JSON`, `{}`},
	} {
		if err := topic.Add(&format.Record{Key: []byte(r[0]), Value: []byte(r[1])}); err != nil {
			t.Fatal(err)
		}
	}
	got := fmt.Sprint(topic.Schemas())
	want := fmt.Sprint([]origin.Schema{
		{ID: 1, Type: origin.AvroSchema, Text: `"int"`, Versions: []origin.SchemaVersion{{Subject: "a-value", Version: 1}, {Subject: "b-value", Version: 1}}},
		{ID: 2, Type: origin.ProtobufSchema, Text: `syntax = "proto3"; message M {}`, References: []origin.SchemaReference{{Name: "n", Subject: "s", Version: 3}}, Versions: []origin.SchemaVersion{{Subject: "p", Version: 2}}},
	})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
