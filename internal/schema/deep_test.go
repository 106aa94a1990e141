package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/origin"
)

// A schema is as deep and as long as who writes it wants.
func TestHostileSchemasAreErrorsOrWork(t *testing.T) {
	const deep = 200_000
	var fields strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&fields, `,{"name":"f%d","type":"int"}`, i)
	}
	for name, s := range map[string]origin.Schema{
		"deep arrays":   {Type: origin.AvroSchema, Text: strings.Repeat(`{"type":"array","items":`, deep) + `"int"` + strings.Repeat("}", deep)},
		"deep unions":   {Type: origin.AvroSchema, Text: strings.Repeat(`["null",`, deep) + `"int"` + strings.Repeat("]", deep)},
		"many fields":   {Type: origin.AvroSchema, Text: `{"type":"record","name":"R","fields":[` + fields.String()[1:] + `]}`},
		"deep messages": {Type: origin.ProtobufSchema, Text: `syntax = "proto3"; ` + strings.Repeat(`message M { `, deep) + strings.Repeat("}", deep)},
		"deep options":  {Type: origin.ProtobufSchema, Text: `syntax = "proto3"; option x = ` + strings.Repeat(`{ a: `, deep) + strings.Repeat("}", deep) + ";"},
		"no text":       {Type: origin.ProtobufSchema},
	} {
		set := &Set{}
		s.ID = 1
		if err := set.Add(s); err != nil {
			t.Fatal(err)
		}
		p, ok, err := set.Payload("t", Value, framed(1, 0), nil)
		if !ok {
			t.Errorf("%s: got nothing; want a payload or an error", name)
		}
		if err == nil {
			p.AppendJSON(nil)
		}
		if deep := strings.HasPrefix(name, "deep"); deep && err == nil {
			t.Errorf("%s: got no error; want one", name)
		}
		if err != nil && len(err.Error()) > 10_000 {
			t.Errorf("%s: got an error of %d bytes; want less", name, len(err.Error()))
		}
	}
}
