package format

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/ondisk"
)

func TestTheSegmentsOfEveryEncodingAreSeen(t *testing.T) {
	for _, e := range Encodings() {
		name := ondisk.SegmentPath("orders", 3, 1200, string(e))
		if got, ok := ondisk.ParseSegmentPath(name); !ok || got != (ondisk.Segment{Topic: "orders", Partition: 3, Base: 1200}) {
			t.Errorf("ondisk.ParseSegmentName: %s is %+v, %t", name, got, ok)
		}
		if got := (Segment{Path: name}).encoding(); got != e {
			t.Errorf("%s has the encoding %q, want %q", name, got, e)
		}
	}
}

// oddRecords holds every kind of record that is easy to lose a bit of.
func oddRecords() []Record {
	return []Record{
		{Offset: 1200, TimestampMs: 1700000000000, LeaderEpoch: 3, Key: []byte("k"), Value: []byte("v"), Headers: []Header{{"type", []byte("created")}}},
		{Offset: 1201, TimestampMs: NoTimestamp, TimestampType: TimestampNone, LeaderEpoch: NoLeaderEpoch},
		{Offset: 1202, TimestampMs: 0, TimestampType: TimestampLogAppend, Key: []byte{}, Value: []byte{}},
		{Offset: 1205, TimestampMs: 1700000000000000, Key: nil, Value: []byte{0, 0xff, 0xfe}},
		{Offset: 1206, TimestampMs: math.MaxInt64, Key: []byte("\x00"), Value: nil},
		{Offset: 1207, TimestampMs: math.MinInt64, Headers: []Header{{"a", nil}, {"a", []byte{}}, {"", []byte("x")}, {"a", []byte("y")}}},
		{Offset: 1208, Headers: []Header{{"\xff\xfe", []byte("bad key")}, {"ok", nil}, {"caf\xc3", []byte{}}}},
		{Offset: 1 << 40, LeaderEpoch: 7, Value: bytes.Repeat([]byte("0123456789"), 1<<20)},
	}
}

// eachEncoding runs a test of what every encoding promises.
func eachEncoding(t *testing.T, test func(t *testing.T, e Encoding)) {
	for _, e := range Encodings() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func testOptions() WriterOptions { return optionsIn(Parquet) }

func optionsIn(e Encoding) WriterOptions {
	return WriterOptions{Encoding: e, Topic: "orders", Partition: 3, Base: 1200, Source: origin.Source{ClusterID: "c", TopicID: "t", Isolation: origin.ReadCommitted}}
}

func writeSegment(t testing.TB, o WriterOptions, records []Record) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := newWriter(&buf, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.finish(w.Position()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func readSegment(t testing.TB, b []byte) ([]Record, *Document) {
	t.Helper()
	r, err := newReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var all []Record
	for i := range r.Document().Groups {
		records, err := r.ReadGroup(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
	return all, r.Document()
}

func checkEqual(t testing.TB, got, want []Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(AppendCanonical(nil, &got[i]), AppendCanonical(nil, &want[i])) {
			t.Fatalf("record %d: got %.200v, want %.200v", i, got[i], want[i])
		}
	}
}

func TestWhatIsWrittenComesBackByteForByte(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		for _, c := range []Compression{"", "zstd:7", NoCompression} {
			t.Run(string(c), func(t *testing.T) {
				o := optionsIn(e)
				o.Compression = c
				got, doc := readSegment(t, writeSegment(t, o, oddRecords()))
				checkEqual(t, got, oddRecords())
				if doc.Topic != "orders" || doc.Partition != 3 || doc.BaseOffset != 1200 || doc.NextOffset != 1<<40+1 || doc.LastLeaderEpoch != 7 {
					t.Errorf("got document %+v", doc)
				}
			})
		}
	})
}

func TestNullAndEmptyStayApart(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		records, _ := readSegment(t, writeSegment(t, optionsIn(e), oddRecords()))
		if r := records[1]; r.Key != nil || r.Value != nil {
			t.Errorf("null became %v, %v", r.Key, r.Value)
		}
		if r := records[2]; r.Key == nil || r.Value == nil {
			t.Errorf("empty became null")
		}
		if h := records[5].Headers; h[0].Value != nil || h[1].Value == nil {
			t.Errorf("header values: got %v, want nil and empty", h)
		}
	})
}

// manyRecords makes n records that fill several row groups.
func manyRecords(n int, seed uint64) []Record {
	random := rand.New(rand.NewPCG(seed, 1))
	records := make([]Record, n)
	for i := range records {
		r := Record{Offset: 1200 + int64(i)*3, TimestampMs: 1700000000000 + int64(i), LeaderEpoch: int32(i / 1000)}
		r.Key = fmt.Appendf(nil, "key-%d", random.IntN(1000))
		if random.IntN(10) > 0 {
			r.Value = []byte(strings.Repeat("value ", random.IntN(300)))
		}
		for range random.IntN(4) {
			r.Headers = append(r.Headers, Header{fmt.Sprintf("h%d", random.IntN(5)), fmt.Appendf(nil, "%d", random.Int64())})
		}
		records[i] = r
	}
	return records
}

func TestSegmentsOfTheSameRecordsAreTheSameBytes(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		records := manyRecords(30_000, 1)
		want := writeSegment(t, optionsIn(e), records)
		for n := 1; n <= 4; n++ {
			o := optionsIn(e)
			o.Encoders = make(chan struct{}, n)
			if got := writeSegment(t, o, records); !bytes.Equal(got, want) {
				t.Errorf("%d encoders: got other bytes than without", n)
			}
		}
		got, doc := readSegment(t, want)
		if len(doc.Groups) < 3 {
			t.Fatalf("got %d row groups, want several", len(doc.Groups))
		}
		checkEqual(t, got, records)
	})
}

func TestRowGroupsAreCutByCanonicalBytes(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		_, doc := readSegment(t, writeSegment(t, optionsIn(e), manyRecords(30_000, 2)))
		for i, g := range doc.Groups {
			if g.Bytes > ondisk.RowGroupBytes {
				t.Errorf("row group %d has %d bytes", i, g.Bytes)
			}
			if i+1 < len(doc.Groups) && g.Bytes < ondisk.RowGroupBytes-4096 {
				t.Errorf("row group %d has only %d bytes", i, g.Bytes)
			}
		}
	})
}

// Later versions may write larger row groups. To convert one must not cut it in two.
func TestARowGroupOfAnyLegalSizeIsCopiedAsOne(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		var file bytes.Buffer
		w, err := newWriter(&file, optionsIn(e))
		if err != nil {
			t.Fatal(err)
		}
		records := manyRecords(30_000, 7)
		if err := w.copyGroup(&RowGroup{}, records); err != nil {
			t.Fatal(err)
		}
		if _, err := w.finish(w.Position()); err != nil {
			t.Fatal(err)
		}
		got, doc := readSegment(t, file.Bytes())
		checkEqual(t, got, records)
		if len(doc.Groups) != 1 || doc.Bytes < 2*ondisk.RowGroupBytes {
			t.Errorf("got %d row groups of %d bytes, want one of more than two", len(doc.Groups), doc.Bytes)
		}
	})
}

func TestHeaderKeysThatAreNotUTF8CutTheRowGroup(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		var records []Record
		for i := range int64(3000) {
			records = append(records, Record{Offset: 1200 + i, Headers: []Header{{"\xff" + strings.Repeat("k", 50), nil}}})
		}
		got, doc := readSegment(t, writeSegment(t, optionsIn(e), records))
		checkEqual(t, got, records)
		if len(doc.Groups) < 2 {
			t.Errorf("got %d row groups", len(doc.Groups))
		}
	})
}

func TestGapsAndSkippedOffsetsAreInTheDocument(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		var buf bytes.Buffer
		w, err := newWriter(&buf, optionsIn(e))
		if err != nil {
			t.Fatal(err)
		}
		steps := []error{
			w.Gap(ledger.Gap{From: 1200, Until: 1210, Reason: ledger.Retention}),
			w.Gap(ledger.Gap{From: 1210, Until: 1220, Reason: ledger.Retention}),
			w.Write(&Record{Offset: 1221}),
			w.Skip(1222, 5, ledger.Control),
			w.Skip(1223, 5, ledger.Filtered),
			w.Write(&Record{Offset: 1224, LeaderEpoch: NoLeaderEpoch}),
			w.Skip(1225, 6, ledger.Control),
		}
		if err := errors.Join(steps...); err != nil {
			t.Fatal(err)
		}
		if _, err := w.finish(1230); err != nil {
			t.Fatal(err)
		}
		_, doc := readSegment(t, buf.Bytes())
		if want := []ledger.Gap{{From: 1200, Until: 1220, Reason: ledger.Retention}}; !reflect.DeepEqual(doc.Gaps, want) {
			t.Errorf("got gaps %v, want %v", doc.Gaps, want)
		}
		if doc.Control != 2 || doc.Filtered != 1 || doc.Groups[0].Control != 1 || doc.Groups[0].Filtered != 1 || doc.LastLeaderEpoch != 6 {
			t.Errorf("got %+v", doc)
		}
	})
}

func TestASegmentMayHaveNoRecords(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		var buf bytes.Buffer
		w, err := newWriter(&buf, optionsIn(e))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.finish(1300); err != nil {
			t.Fatal(err)
		}
		records, doc := readSegment(t, buf.Bytes())
		if len(records) != 0 || doc.NextOffset != 1300 {
			t.Errorf("got %d records, next offset %d", len(records), doc.NextOffset)
		}
	})
}

func TestWriterRefusesWhatIsNotInOrder(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *writer) error
	}{
		{"same offset twice", func(w *writer) error { return w.Write(&Record{Offset: 1200}) }},
		{"offset before the base", func(w *writer) error { return w.Write(&Record{Offset: 10}) }},
		{"negative offset", func(w *writer) error { return w.Write(&Record{Offset: -1}) }},
		{"skip behind", func(w *writer) error { return w.Skip(1200, 0, ledger.Control) }},
		{"skip for a range reason", func(w *writer) error { return w.Skip(1300, 0, ledger.Retention) }},
		{"empty gap", func(w *writer) error { return w.Gap(ledger.Gap{From: 1300, Until: 1300, Reason: ledger.Retention}) }},
		{"gap of a counted reason", func(w *writer) error { return w.Gap(ledger.Gap{From: 1300, Until: 1301, Reason: ledger.Control}) }},
		{"finish behind", func(w *writer) error { _, err := w.finish(1200); return err }},
		{"unknown timestamp type", func(w *writer) error { return w.Write(&Record{Offset: 1300, TimestampType: 2}) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, err := newWriter(&bytes.Buffer{}, testOptions())
			if err != nil {
				t.Fatal(err)
			}
			defer w.abort()
			if err := w.Write(&Record{Offset: 1200}); err != nil {
				t.Fatal(err)
			}
			if err := test.do(w); err == nil {
				t.Fatal("got no error")
			}
			if err := w.Write(&Record{Offset: 1400}); err == nil {
				t.Error("the writer went on after an error")
			}
		})
	}
}

func TestEveryFlippedBitIsFoundOrChangesNothing(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		for _, c := range []Compression{"zstd", NoCompression} {
			t.Run(string(c), func(t *testing.T) {
				t.Parallel()
				o := optionsIn(e)
				o.Compression = c
				checkFlips(t, writeSegment(t, o, oddRecords()[:7]))
			})
		}
	})
}

// checkFlips flips every bit of a segment of one row group and reads it.
func checkFlips(t *testing.T, good []byte) {
	want, doc := readSegment(t, good)
	bad := bytes.Clone(good)
	step := 1
	if testing.Short() {
		step = 13
	}
	for bit := 0; bit < len(good)*8; bit += step {
		bad[bit/8] ^= 1 << (bit % 8)
		if r, err := newReader(bytes.NewReader(bad), int64(len(bad))); err == nil {
			if !reflect.DeepEqual(r.Document(), doc) {
				t.Fatalf("bit %d: another document passed", bit)
			}
			got, err := r.ReadGroup(0)
			if err == nil {
				checkEqual(t, got, want)
			} else if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("bit %d: got %v, want ErrCorrupt", bit, err)
			}
		}
		bad[bit/8] ^= 1 << (bit % 8)
	}
}

func TestEveryTruncationIsFound(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		good := writeSegment(t, optionsIn(e), oddRecords()[:7])
		for n := range good {
			_, err := newReader(bytes.NewReader(good[:n]), int64(n))
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotArchive) {
				t.Fatalf("%d of %d bytes: got %v", n, len(good), err)
			}
		}
	})
}

func TestNewerMajorVersionIsRefusedByName(t *testing.T) {
	if err := checkVersion("segment", "2.0"); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "2.0") {
		t.Errorf("got %v, want ErrVersion that names 2.0", err)
	}
	if err := checkVersion("segment", "1.99"); err != nil {
		t.Errorf("newer minor: %v", err)
	}
	for _, v := range []string{"", "x", "0.1", "-1", "01.0"} {
		if err := checkVersion("segment", v); err == nil {
			t.Errorf("%q: got no error", v)
		}
	}
}

type failingWriter struct{ left int }

func (f *failingWriter) Write(b []byte) (int, error) {
	if len(b) > f.left {
		return 0, errors.New("disk full")
	}
	f.left -= len(b)
	return len(b), nil
}

func TestAWriteErrorIsFinal(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e Encoding) {
		w, err := newWriter(&failingWriter{left: 100}, optionsIn(e))
		if err != nil {
			t.Fatal(err)
		}
		defer w.abort()
		records := manyRecords(20_000, 3)
		for i := range records {
			if err = w.Write(&records[i]); err != nil {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Fatalf("got %v, want the write error", err)
		}
		if _, again := w.finish(1 << 40); again == nil {
			t.Error("finished after a write error")
		}
	})
}

func benchmarkEach(b *testing.B, bench func(b *testing.B, e Encoding)) {
	for _, e := range Encodings() {
		b.Run(string(e), func(b *testing.B) { bench(b, e) })
	}
}

func BenchmarkEncodeRowGroup(b *testing.B) {
	records := manyRecords(30_000, 1)
	var n int64
	for i := range records {
		n += CanonicalSize(&records[i])
	}
	benchmarkEach(b, func(b *testing.B, e Encoding) {
		b.SetBytes(n)
		b.ReportAllocs()
		var size int
		for b.Loop() {
			size = len(writeSegment(b, optionsIn(e), records))
		}
		b.ReportMetric(float64(n)/float64(size), "ratio")
	})
}

func BenchmarkReadGroup(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, e Encoding) {
		segment := writeSegment(b, optionsIn(e), manyRecords(30_000, 1))
		_, doc := readSegment(b, segment)
		b.SetBytes(doc.Bytes)
		b.ReportAllocs()
		for b.Loop() {
			readSegment(b, segment)
		}
	})
}

func BenchmarkDigest(b *testing.B) {
	records := manyRecords(10_000, 1)
	var n int64
	for i := range records {
		n += CanonicalSize(&records[i])
	}
	b.SetBytes(n)
	b.ReportAllocs()
	for b.Loop() {
		recordsDigest(records)
	}
}
