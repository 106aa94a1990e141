package copying

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/memfs"
)

// fact is what the log of a test has at an offset.
type fact struct {
	kind   kind // held, control, absent or retention, corrupt
	record format.Record
}

func recordAt(o int64, size int) format.Record {
	return format.Record{
		Offset: o, TimestampMs: 1000 + (o*7)%50, LeaderEpoch: int32(o / 100), Key: fmt.Appendf(nil, "k%d", o%5),
		Value: bytes.Repeat([]byte{byte(o)}, size), Headers: []format.Header{{Key: "h\xff", Value: nil}},
	}
}

// logOf is a log of n offsets, whose kinds repeat: r record, c marker, a absent, R lost by retention, X lost by damage.
func logOf(n int64, kinds string, size int) []fact {
	all := make([]fact, n)
	for o := range n {
		switch kinds[o%int64(len(kinds))] {
		case 'r':
			all[o] = fact{held, recordAt(o, size)}
		case 'c':
			all[o].kind = control
		case 'a':
			all[o].kind = absent
		case 'f':
			all[o].kind = filtered
		case 'R':
			all[o].kind = retention
		case 'X':
			all[o].kind = corrupt
		}
	}
	return all
}

var (
	orders0    = format.TopicPartition{Topic: "orders", Partition: 0}
	testSource = origin.Source{ClusterID: "c", TopicID: "t", Isolation: origin.ReadUncommitted}
)

// archive is an archive for a test.
type archive struct {
	t    testing.TB
	fsys *memfs.FS
}

func (a *archive) open() *format.Archive {
	a.t.Helper()
	opened, err := format.Open(a.fsys)
	if err != nil {
		a.t.Fatal(err)
	}
	return opened
}

func (a *archive) data() map[string][]byte {
	files := a.fsys.Files()
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return !strings.HasPrefix(name, "data/") && name != "SHA256SUMS" })
	return files
}

func (a *archive) verify() {
	a.t.Helper()
	err := format.Verify(a.fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error {
		return c.Err()
	})
	if err != nil {
		a.t.Errorf("verify: %v", err)
	}
}

// captured is the archive of offsets [from, until) of a log, cut by the rules of a capture.
func captured(t testing.TB, e format.Encoding, log []fact, from, until, rotate int64) *archive {
	t.Helper()
	a := &archive{t, memfs.New(memfs.Options{})}
	into, err := format.Create(a.fsys, format.Identity{
		ClusterID: "c", Encoding: e, Topics: []origin.Topic{{Name: "orders", ID: "t", Partitions: 1}},
		Capture: &origin.Plan{
			Mode: origin.ModeSnapshot, Isolation: origin.ReadUncommitted, From: "beginning", Options: map[string]string{planRotateBytes: fmt.Sprint(rotate)},
			Partitions: []origin.PlanRange{{Topic: "orders", Partition: 0, Start: from, End: until}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &partition{tp: orders0, source: testSource, from: from, until: until}
	w := &target{partition: p, copier: &copier{into: into, plan: &plan{}}, base: from, anew: true, rotateBytes: rotate}
	if err := writeLog(w, log, from, until); err != nil {
		t.Fatal(err)
	}
	if err := into.Close(); err != nil {
		t.Fatal(err)
	}
	return a
}

// writeLog writes as a capture does.
func writeLog(w *target, log []fact, from, until int64) error {
	for o := from; o < until; o++ {
		var err error
		switch f := log[o]; f.kind {
		case held:
			err = w.record(&f.record)
		case control:
			var p *format.Pending
			if p, err = w.open(); err == nil {
				err = p.Skip(o, int32(o/100), ledger.Control)
			}
		case absent: // a fetch does not say it
		default:
			err = w.span(span{from: o, until: o + 1, kind: f.kind})
		}
		if err != nil {
			return err
		}
	}
	return w.seal(until)
}

func (a *archive) input(name string) Input { return Input{Name: name, Archive: a.open()} }

func copied(t testing.TB, o Options, inputs ...Input) (*archive, *Report) {
	t.Helper()
	a, r, err := tryCopy(t, o, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	a.verify()
	return a, r
}

func tryCopy(t testing.TB, o Options, inputs ...Input) (*archive, *Report, error) {
	t.Helper()
	a := &archive{t, memfs.New(memfs.Options{})}
	id, err := Identity(inputs, o)
	if err != nil {
		return nil, nil, err
	}
	into, err := format.Create(a.fsys, id)
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	r, err := Run(context.Background(), inputs, into, o)
	return a, r, err
}

func eachEncoding(t *testing.T, test func(t *testing.T, e format.Encoding)) {
	for _, e := range format.Encodings() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func sameData(t *testing.T, what string, got, want *archive) {
	t.Helper()
	g, w := got.data(), want.data()
	if maps.EqualFunc(g, w, bytes.Equal) {
		return
	}
	t.Fatalf("%s: got %v\nwant %v, or other bytes", what, slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w)))
}

const oddKinds = "rrrrcrraarrrcfrRRRrXrrrrrrrrrr"

func TestWithoutOptionsEveryFileIsCopied(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		a := captured(t, e, logOf(300, oddKinds, 100), 5, 300, 2000)
		got, r := copied(t, Options{}, a.input("a"))
		sameData(t, "copy", got, a)
		if r.DecodedGroups != 0 || r.CopiedFiles == 0 || r.CopiedFiles != int64(r.Segments) {
			t.Errorf("got %+v, want files only", *r)
		}
	})
}

func TestTheUnionOfOverlappingCapturesIsTheCaptureOfTheWhole(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		// Where a document counts markers among compacted offsets, it is known of one in each run of them where it is.
		for i, rotate := range []int64{9000, 40000, 1 << 20} {
			log := logOf(1000, []string{"rrrrcrracrrrcrRRRrXrrrrrrrrrrrrrrrc", "rrrrccrrcrrrRrc"}[i%2], 400)
			whole := captured(t, e, log, 0, 1000, rotate)
			parts := []Input{captured(t, e, log, 0, 400, rotate).input("a"), captured(t, e, log, 350, 800, rotate).input("b"), captured(t, e, log, 700, 1000, rotate).input("c")}
			got, r := copied(t, Options{}, parts...)
			sameData(t, "union", got, whole)
			slices.Reverse(parts)
			got, _ = copied(t, Options{}, parts...)
			sameData(t, "union in another order", got, whole)
			if r.Records != int64(len(held1(log))) {
				t.Errorf("got %d records", r.Records)
			}
			if c, err := got.open().Completeness(format.Selection{}); err != nil || !c.Complete() {
				t.Errorf("got completeness %+v, %v", c, err)
			}
		}
	})
}

func held1(log []fact) (all []format.Record) {
	for _, f := range log {
		if f.kind == held {
			all = append(all, f.record)
		}
	}
	return all
}

func TestAUnionOfLargeRowGroupsCopiesBytes(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		log := logOf(400, "r", 100<<10)
		whole := captured(t, e, log, 0, 400, 64<<20)
		got, r := copied(t, Options{}, captured(t, e, log, 0, 250, 64<<20).input("a"), captured(t, e, log, 240, 400, 64<<20).input("b"))
		sameData(t, "union", got, whole)
		if r.CopiedGroups == 0 {
			t.Error("no row group was copied as bytes")
		}
	})
}

func TestASliceOfASliceIsTheSlice(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		a := captured(t, e, logOf(400, oddKinds, 3000), 0, 400, 100_000)
		slice := func(a *archive, from, until int64) *archive {
			got, _ := copied(t, Options{Window: format.Selection{FromOffset: from, UntilOffset: until}}, a.input("a"))
			return got
		}
		for from := int64(40); from < 60; from += 3 {
			until := 330 + from%11
			once := slice(a, from, until)
			sameData(t, fmt.Sprintf("[%d, %d)", from, until), slice(slice(a, from-30, until+40), from, until), once)
			if c, err := once.open().Coverage(orders0); err != nil || c.From != from || c.Next != until {
				t.Errorf("[%d, %d): got coverage %+v, %v", from, until, c, err)
			}
		}
	})
}

func TestRowGroupsInsideASliceAreCopiedAsBytes(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		a := captured(t, e, logOf(500, "rrrc", 100<<10), 0, 500, 1<<30)
		_, r := copied(t, Options{Window: format.Selection{FromOffset: 10}}, a.input("a"))
		if r.DecodedGroups > 1 || r.CopiedGroups < 3 {
			t.Errorf("got %d row groups decoded and %d copied", r.DecodedGroups, r.CopiedGroups)
		}
	})
}

func TestBytesOfADamagedFileAreNotCopied(t *testing.T) {
	a := captured(t, format.Parquet, logOf(500, "rrrc", 100<<10), 0, 500, 1<<30)
	files := a.fsys.Files()
	for name, content := range files {
		if strings.HasPrefix(name, "data/") {
			content = bytes.Clone(content)
			content[len(content)/2] ^= 1
			files[name] = content
		}
	}
	damaged := &archive{t, memfs.FromFiles(memfs.Options{}, files)}
	for _, o := range []Options{{}, {Window: format.Selection{FromOffset: 10}}, {RotateBytes: 1 << 30}} {
		if _, _, err := tryCopy(t, o, damaged.input("a")); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("%+v: got %v, want ErrCorrupt", o, err)
		}
	}
}

func TestWhatTheArchivesDisagreeAboutIsRefused(t *testing.T) {
	log := logOf(100, "r", 10)
	other := slices.Clone(log)
	other[60].record.Value = []byte("other")
	a, b := captured(t, format.Parquet, log, 0, 80, 1<<20), captured(t, format.Parquet, other, 50, 100, 1<<20)
	_, _, err := tryCopy(t, Options{}, a.input("a"), b.input("b"))
	var conflict *ConflictError
	if !errors.As(err, &conflict) || conflict.Offset != 60 || conflict.Part != "value" || conflict.Inputs != [2]string{"a", "b"} {
		t.Errorf("got %v, want a conflict at 60", err)
	}
	_, _, err = tryCopy(t, Options{}, captured(t, format.Parquet, log, 0, 40, 1<<20).input("a"), b.input("b"))
	var hole *HoleError
	if !errors.As(err, &hole) || hole.From != 40 || hole.Until != 50 {
		t.Errorf("got %v, want a hole 40..50", err)
	}
}

func TestGapsOfOneArchiveAreFilledByAnother(t *testing.T) {
	log := logOf(100, "r", 10)
	early, late, filter := slices.Clone(log), slices.Clone(log), slices.Clone(log)
	for o := range 30 {
		late[o].kind = retention
	}
	for o := 20; o < 100; o += 2 {
		filter[o].kind = filtered
	}
	for o := 40; o < 50; o++ {
		early[o].kind = corrupt
		late[o].kind = absent
	}
	inputs := []Input{
		captured(t, format.Parquet, early, 0, 60, 1<<20).input("early"), captured(t, format.Parquet, late, 0, 100, 1<<20).input("late"),
		captured(t, format.Parquet, filter, 10, 100, 1<<20).input("filter"),
	}
	got, _ := copied(t, Options{}, inputs...)
	c, err := got.open().Coverage(orders0)
	if err != nil || c.Records != 95 || c.Ledger.Lost() != 0 || c.Ledger.Absent != 5 {
		t.Errorf("got %+v, %v: want 95 records, and 5 absent", c, err)
	}
}

func TestManySmallSegmentsBecomeFew(t *testing.T) {
	log := logOf(1000, "rrrrrrrrrc", 400)
	small := captured(t, format.Parquet, log, 0, 1000, 1000)
	got, r := copied(t, Options{RotateBytes: 1 << 20}, small.input("a"))
	sameData(t, "compacted", got, captured(t, format.Parquet, log, 0, 1000, 1<<20))
	if r.Segments != 1 || len(small.open().Segments(orders0)) < 100 {
		t.Errorf("got %d segments", r.Segments)
	}
}
