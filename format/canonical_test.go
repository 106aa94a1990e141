package format

import (
	"testing"

	"github.com/karchive/karchive/internal/ondisk"
)

// BenchmarkWayIntoColumns takes apart what a row group costs on its way from records into columns, with the memory of the row group before. The
// steps are those of a Pending: records are copied as their canonical bytes, those are hashed, and their fields are cut out again ("cut"), which
// "encode" does too.
func BenchmarkWayIntoColumns(b *testing.B) {
	records := manyRecords(30_000, 1)
	group := new(batch)
	fill := func() {
		*group = batch{arena: group.arena[:0]}
		for i := range records {
			group.add(&records[i], CanonicalSize(&records[i]))
		}
	}
	fill()
	e, err := newParquetEncoder(1)
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"copy", fill},
		{"hash", func() { ondisk.Digest(group.arena) }},
		{"cut", func() { cutFields(group.arena) }},
		{"encode", func() { _, _, err = e.encode(group.arena, &group.info) }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.SetBytes(group.info.Bytes)
			b.ReportAllocs()
			for b.Loop() {
				step.do()
			}
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// cutFields cuts all fields out of canonical bytes and returns how many bytes the payloads have.
func cutFields(arena []byte) (n int) {
	for r := (canonicalReader{arena}); len(r.rest) > 0; {
		r.u64()
		r.u64()
		r.u8()
		r.u32()
		n += len(r.payload()) + len(r.payload())
		for range r.u32() {
			n += len(r.payload()) + len(r.payload())
		}
	}
	return n
}
