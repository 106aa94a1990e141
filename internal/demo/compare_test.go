package demo

import (
	"errors"
	"testing"

	"github.com/karchive/karchive/format"
)

// archive makes one with the records, by partition.
func archive(t *testing.T, partitions ...[]format.Record) *format.Archive {
	t.Helper()
	fsys, err := format.DirFS(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.Create(fsys, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	for n, records := range partitions {
		p, err := a.NewSegment(format.WriterOptions{Topic: "t", Partition: int32(n), Base: records[0].Offset})
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			if err := p.Write(&records[i]); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := p.Seal(p.Position()); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func record(offset int64, change func(*format.Record)) format.Record {
	r := format.Record{Offset: offset, TimestampMs: 1700000000000 + offset, Key: []byte("k"), Value: []byte{}, Headers: []format.Header{{Key: "a", Value: nil}}}
	if change != nil {
		change(&r)
	}
	return r
}

func TestCompareAllowsOnlyWhatALogSetsItself(t *testing.T) {
	a := archive(t, []format.Record{record(0, nil), record(1, nil)}, []format.Record{record(0, nil)})
	moved := func(r *format.Record) { r.Offset, r.LeaderEpoch = r.Offset+40, 7 }
	b := archive(t, []format.Record{record(0, moved), record(1, moved)}, []format.Record{record(0, nil)})
	if n, err := Compare(a, b); n != 3 || err != nil {
		t.Errorf("got %d, %v, want 3 equal records", n, err)
	}
}

func TestCompareFindsEveryDifference(t *testing.T) {
	a := archive(t, []format.Record{record(0, nil), record(1, nil)})
	for name, other := range map[string]*format.Archive{
		"a key":              archive(t, []format.Record{record(0, nil), record(1, func(r *format.Record) { r.Key = []byte("x") })}),
		"null for empty":     archive(t, []format.Record{record(0, nil), record(1, func(r *format.Record) { r.Value = nil })}),
		"a header":           archive(t, []format.Record{record(0, nil), record(1, func(r *format.Record) { r.Headers[0].Value = []byte{} })}),
		"a timestamp":        archive(t, []format.Record{record(0, nil), record(1, func(r *format.Record) { r.TimestampMs++ })}),
		"a timestamp's type": archive(t, []format.Record{record(0, nil), record(1, func(r *format.Record) { r.TimestampType = format.TimestampLogAppend })}),
		"a record less":      archive(t, []format.Record{record(0, nil)}),
		"a record more":      archive(t, []format.Record{record(0, nil), record(1, nil), record(2, nil)}),
		"a partition more":   archive(t, []format.Record{record(0, nil), record(1, nil)}, []format.Record{record(0, nil)}),
	} {
		if n, err := Compare(a, other); !errors.Is(err, ErrDifferent) {
			t.Errorf("%s: got %d, %v, want ErrDifferent", name, n, err)
		}
	}
}
