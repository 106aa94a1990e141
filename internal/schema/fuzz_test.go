package schema

import (
	"bytes"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/seeds"
)

// FuzzFrame reads any bytes as payloads of some schemas. What becomes a document is one, and written again it means the same.
func FuzzFrame(f *testing.F) {
	seeds.Need(f)
	s := &Set{}
	if err := s.Add(avroSchema(1, everyAvro), origin.Schema{ID: 2, Type: origin.ProtobufSchema, Text: everyProto},
		origin.Schema{ID: 3, Type: origin.JSONSchema, Text: `{}`}, origin.Schema{ID: 4, Type: origin.ProtobufSchema, Text: everyProto2}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload, header []byte) {
		var headers []format.Header
		if len(header) > 0 { // it comes before a frame in front of the payload
			headers = []format.Header{{Key: "__value_schema_id", Value: header}}
		}
		p, ok, err := s.Payload("t", Value, payload, headers)
		if !ok || err != nil {
			return
		}
		roundTrip(t, &p)
	})
}

// roundTrip holds what every payload that can be read is held to.
func roundTrip(t *testing.T, p *Payload) {
	t.Helper()
	doc, err := p.AppendJSON(nil)
	if err != nil {
		return
	}
	if !jsontext.Value(doc).IsValid() {
		t.Fatalf("%x became %s, which is no document", p.body, doc)
	}
	written, err := p.AppendChanged(nil, doc)
	if err != nil {
		t.Fatalf("%s cannot be written again: %v", doc, err)
	}
	again := *p
	again.body = written[len(p.front):]
	back, err := again.AppendJSON(nil)
	if err != nil || !bytes.Equal(back, doc) {
		t.Fatalf("%s was written again as %x, which is %s, %v", doc, written, back, err)
	}
}

// FuzzSchema compiles any text as every kind of schema, in bounded time, and reads a payload by it.
func FuzzSchema(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		if len(text) > 10_000 {
			return
		}
		begun := time.Now()
		for id, kind := range []origin.SchemaType{origin.AvroSchema, origin.ProtobufSchema, origin.JSONSchema, "OTHER"} {
			s := &Set{}
			if err := s.Add(origin.Schema{ID: int32(id + 1), Type: kind, Text: text}); err != nil {
				t.Fatal(err)
			}
			if p, ok, err := s.Payload("t", Value, framed(uint32(id+1), body...), nil); ok && err == nil {
				roundTrip(t, &p)
			}
		}
		if took := time.Since(begun); took > time.Minute {
			t.Fatalf("it took %v", took)
		}
	})
}

// FuzzDocument writes any document by schemas. What can be written is read as the same type, and written again it is the same bytes.
func FuzzDocument(f *testing.F) {
	seeds.Need(f)
	codings := []coding{compiled(f, everyAvro), messageOf(f, everyProto), compiled(f, `{"type":"map","values":["null","int","string",{"type":"array","items":"double"}]}`)}
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, c := range codings {
			body, err := c.appendChanged(nil, nil, document)
			if err != nil {
				continue
			}
			doc, err := c.appendJSON(nil, body)
			if err != nil {
				t.Fatalf("%s became %x, which cannot be read: %v", document, body, err)
			}
			again, err := c.appendChanged(nil, body, doc)
			if err != nil || !bytes.Equal(again, body) {
				t.Fatalf("%s became %x, and read and written again %x, %v", document, body, again, err)
			}
		}
	})
}
