package reshape

import (
	"bytes"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
)

const timesAvro = `{"type":"record","name":"T","fields":[
	{"name":"day","type":["null",{"type":"int","logicalType":"date"}]},
	{"name":"clock","type":{"type":"int","logicalType":"time-millis"}},
	{"name":"at","type":{"type":"record","name":"At","fields":[
		{"name":"ms","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"us","type":{"type":"long","logicalType":"local-timestamp-micros"}},
		{"name":"ns","type":{"type":"long","logicalType":"timestamp-nanos"}},{"name":"plain","type":"long"}]}},
	{"name":"days","type":{"type":"map","values":{"type":"array","items":{"type":"int","logicalType":"date"}}}},
	{"name":"either","type":[{"type":"int","logicalType":"date"},{"type":"long","logicalType":"timestamp-millis"}]},
	{"name":"next","type":["null","T"]}]}`

const timesDocument = `{"day":10,"clock":1,"at":{"ms":5000,"us":5,"ns":5,"plain":5},"days":{"a":[1,2]},"either":5,"next":null}`

func TestShiftCountsAsTheSchemaSays(t *testing.T) {
	for _, c := range []struct{ mask, from, to string }{
		{"value.day=shift=48h", `"day":10`, `"day":12`},
		{"value.day=shift=-1h", `"day":10`, `"day":9`},
		{"value.day=shift=25h", `"day":10`, `"day":11`},
		{"value.clock=shift=48h", `"clock":1`, ""},
		{"value.at.ms=shift=2s", `"ms":5000`, `"ms":7000`},
		{"value.at.us=shift=2s", `"us":5`, `"us":2000005`},
		{"value.at.ns=shift=2s", `"ns":5`, `"ns":2000000005`},
		{"value.at.plain=shift=2s", `"plain":5`, `"plain":7`},
		{"value.days.*.#=shift=24h", `[1,2]`, `[2,3]`},
		{"value.days.a.1=shift=24h", `[1,2]`, `[1,3]`},
		{"value.either=shift=24h", `"either":5`, ""},
		{"value.at.*=shift=24h", `"ms":5000`, ""},
		{"value.next.day=shift=48h", `"next":null`, `"next":null`},
	} {
		mask, err := ParseMask(c.mask)
		if err != nil {
			t.Fatal(err)
		}
		set := &schema.Set{}
		if err := set.Add(origin.Schema{ID: 1, Type: origin.AvroSchema, Text: timesAvro}); err != nil {
			t.Fatal(err)
		}
		p := pipelineOf(t, Rules{Mask: []Mask{mask}})
		p.ReadWith(set)
		payload := func(document string) []byte {
			out, err := set.AppendPayload(nil, schema.Name{ID: 1}, nil, []byte(document))
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		r := Record{Record: format.Record{Value: payload(timesDocument)}, Topic: "t"}
		verdict, err := p.KeepingWorker().Apply(&r)
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.mask, err)
		case c.to == "" && verdict != Withheld:
			t.Errorf("%s: got %v of a number that is no time, want it withheld", c.mask, verdict)
		case c.to != "" && !bytes.Equal(r.Value, payload(strings.Replace(timesDocument, c.from, c.to, 1))):
			t.Errorf("%s: got %x, want %s", c.mask, r.Value, c.to)
		}
	}
}
