package format_test

import (
	"errors"
	"io/fs"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/test/memfs"
)

func TestCoverageCountsEveryOffsetOnce(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, identity)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	steps := func(base, next int64, do ...func(*format.Pending) error) {
		t.Helper()
		p, err := a.NewSegment(full(orders0, base, next).options())
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range do {
			if err := step(p); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := p.Seal(next); err != nil {
			t.Fatal(err)
		}
	}
	write := func(offsets ...int64) func(*format.Pending) error {
		return func(p *format.Pending) error { return seg{offsets: offsets}.writeTo(p) }
	}
	skip := func(offset int64, why ledger.Reason) func(*format.Pending) error {
		return func(p *format.Pending) error { return p.Skip(offset, 2, why) }
	}
	gap := func(from, until int64, why ledger.Reason) func(*format.Pending) error {
		return func(p *format.Pending) error { return p.Gap(ledger.Gap{From: from, Until: until, Reason: why}) }
	}
	// 100 lost, 10 records, 1 marker, 2 filtered, 6 absent, then 1 lost to retention.
	steps(0, 120, gap(0, 100, ledger.Retention), write(offsets(100, 110)...), skip(112, ledger.Control),
		skip(113, ledger.Filtered), skip(115, ledger.Filtered), gap(119, 120, ledger.Retention))
	// The gap goes on; then 30 corrupt, 1 record, 19 absent.
	steps(120, 200, gap(120, 150, ledger.Retention), gap(150, 180, ledger.Corrupt), write(190))
	steps(200, 201)

	got, err := a.Coverage(orders0)
	if err != nil {
		t.Fatal(err)
	}
	var disk int64
	for _, s := range a.Segments(orders0) {
		disk += int64(len(fsys.Files()[s.Path]))
	}
	var size int64
	for _, o := range append(offsets(100, 110), 190) {
		r := record(o)
		size += format.CanonicalSize(&r)
	}
	want := format.Coverage{
		From: 0, Next: 201, Segments: 3, RowGroups: 2, Records: 11, Bytes: size, DiskBytes: disk,
		MinTimestampMs: 100, MaxTimestampMs: 190, Source: source,
		Ledger: ledger.Ledger{
			Control: 1, Filtered: 2, Absent: 6 + 19 + 1, Retention: 131, Corrupt: 30,
			Ranges: []ledger.Gap{{From: 0, Until: 100, Reason: "retention"}, {From: 119, Until: 150, Reason: "retention"}, {From: 150, Until: 180, Reason: "corrupt"}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Ledger.Lost() != 161 {
		t.Errorf("got %d lost, want 161", got.Ledger.Lost())
	}
	if again, err := mustOpen(t, fsys).Coverage(orders0); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("a reader got %+v, %v", again, err)
	}
}

func TestCoverageOfAPartitionWithoutRecordsHasNoTimes(t *testing.T) {
	got, err := mustOpen(t, memArchive(t, seg{tp: orders0, base: 5, next: 9})).Coverage(orders0)
	if err != nil || got.MinTimestampMs != format.NoTimestamp || got.MaxTimestampMs != format.NoTimestamp || got.Ledger.Absent != 4 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCoverageOfAPartitionThatIsNotThereSaysSo(t *testing.T) {
	if _, err := mustOpen(t, memArchive(t)).Coverage(orders0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

func TestCoverageOfManySegmentsAddsUp(t *testing.T) {
	var segments []seg
	for base := int64(0); base < 600; base += 2 {
		segments = append(segments, full(orders0, base, base+2))
	}
	got, err := mustOpen(t, memArchive(t, segments...)).Coverage(orders0)
	if err != nil || got.Segments != 300 || got.Records != 600 || got.Next != 600 || got.MaxTimestampMs != 599 || got.MinTimestampMs != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestSegmentsOfAnotherSourceAreNotOneCoverage(t *testing.T) {
	other := full(orders0, 10, 20)
	fsys := changed(memArchive(t, full(orders0, 0, 10)), map[string][]byte{other.path(): otherSource(t, other)})
	if _, err := mustOpen(t, fsys).Coverage(orders0); !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
}
