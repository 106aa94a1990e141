package reshape

import (
	"bytes"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
)

const boughtAvro = `{"type":"record","name":"Order","fields":[
	{"name":"id","type":"string"},{"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"name","type":"string"},{"name":"email","type":["null","string"]}]}},
	{"name":"total","type":"double"},{"name":"currency","type":{"type":"enum","name":"Currency","symbols":["EUR","USD"]}},{"name":"at","type":"long"},
	{"name":"items","type":{"type":"array","items":{"type":"record","name":"Item","fields":[{"name":"sku","type":"string"},{"name":"quantity","type":"int"},{"name":"price","type":"double"}]}}}]}`

const boughtJSON = `{"id":"o-182736","customer":{"name":"Ann Example","email":"ann@example.com"},"total":123.45,"currency":"EUR","at":1700000000123,` +
	`"items":[{"sku":"A-1","quantity":2,"price":9.99},{"sku":"B-22","quantity":1,"price":103.47},{"sku":"C-333","quantity":10,"price":0.5}]}`

// BenchmarkFilterBySchema filters on one field of the same record, in JSON and in Avro. It reports how many times as much the second takes, which is to
// be three at most.
func BenchmarkFilterBySchema(b *testing.B) {
	s := &schema.Set{}
	if err := s.Add(origin.Schema{ID: 1, Type: origin.AvroSchema, Text: boughtAvro}); err != nil {
		b.Fatal(err)
	}
	avro, err := s.AppendPayload(nil, schema.Name{ID: 1}, nil, []byte(boughtJSON))
	if err != nil {
		b.Fatal(err)
	}
	var ofJSON float64 // nanoseconds a record
	for _, c := range []struct {
		name  string
		value []byte
	}{{"JSON", []byte(boughtJSON)}, {"Avro", avro}} {
		b.Run(c.name, func(b *testing.B) {
			p, err := Compile(Rules{Filter: []Expression{{Text: "value.total > 100"}}})
			if err != nil {
				b.Fatal(err)
			}
			p.ReadWith(s)
			w := p.Worker()
			for b.Loop() {
				r := Record{Record: format.Record{Value: c.value}, Topic: "t"}
				if got, err := w.Apply(&r); got != Pass || err != nil || !bytes.Equal(r.Value, c.value) {
					b.Fatal(got, err)
				}
			}
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if c.name == "JSON" {
				ofJSON = each
			}
			b.ReportMetric(each/ofJSON, "x-JSON")
		})
	}
}
