package extract

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
)

// orders are records of about 1 KB, JSON with nested objects and arrays.
func orders(n int) []reshape.Record {
	var out []reshape.Record
	note := strings.Repeat("leave it at the door, ", 28)
	for i := range n {
		value := fmt.Sprintf(`{"order":{"id":"o-%08d","customer":"c-%04d","total":%d.%02d,"currency":"EUR"},"items":[{"sku":"%08x","count":%d},{"sku":"%08x","count":1}],`+
			`"address":{"street":"Some street %d","city":"Köln","zip":"5%04d"},"note":"%s","status":"created"}`, i, i%900, i%300, i%100, i*2654435761, i%4, i*40503, i, i%10000, note)
		out = append(out, reshape.Record{Topic: "orders", Record: format.Record{Offset: int64(i), TimestampMs: 1700000000000 + int64(i), Key: fmt.Appendf(nil, "c-%04d", i%900), Value: []byte(value),
			Headers: []format.Header{{Key: "type", Value: []byte("created")}, {Key: "trace", Value: fmt.Appendf(nil, "%016x", i)}}}})
	}
	return out
}

// BenchmarkExtract takes records that are in memory to a table: one path at the front of the JSON, one at its end, and what a table
// for a person has.
func BenchmarkExtract(b *testing.B) {
	records := orders(1000)
	var size int64
	for i := range records {
		size += format.CanonicalSize(&records[i].Record)
	}
	for _, c := range []struct {
		name, format string
		paths        []string
		explode      bool
	}{
		{"csv/first", CSV, []string{"value.order.id"}, false},
		{"csv/last", CSV, []string{"value.status"}, false},
		{"csv/five", CSV, []string{"value.order.id", "value.order.total", "value.address.city", "headers.type", "timestamp"}, false},
		{"csv/explode", CSV, []string{"value.order.id", "value.items.#.sku"}, true},
		{"jsonl/last", JSONL, []string{"value.status"}, false},
		{"parquet/last", Parquet, []string{"value.status"}, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			cs := columns(b, c.paths...)
			w, err := NewWriter(io.Discard, cs, FormatOptions{Format: c.format})
			if err != nil {
				b.Fatal(err)
			}
			x := New(cs, Options{Explode: c.explode})
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				for i := range records {
					if err := x.Each(&records[i], w.Row); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
