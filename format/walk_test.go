package format_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

// placesOf lists what a walk comes to as "round base/index", with a ? where the window may cut through the row group.
func placesOf(t *testing.T, w *format.Walk) (all []string) {
	t.Helper()
	for {
		p, err := w.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		s := fmt.Sprintf("%d %d/%d", p.Round, p.Segment.Base, p.Index)
		if !p.Whole() {
			s += "?"
		}
		all = append(all, s)
	}
}

func TestAWalkNamesTheRowGroupsOfItsWindow(t *testing.T) {
	a := mustOpen(t, memArchive(t,
		seg{tp: orders0, base: 0, next: 100, offsets: offsets(0, 90), groups: 3}, // row groups 0-29, 30-59, 60-89
		seg{tp: orders0, base: 100, next: 200},
		seg{tp: orders0, base: 200, next: 300, offsets: offsets(200, 300), groups: 2})) // 200-249, 250-299
	for name, c := range map[string]struct {
		window format.Selection
		rounds int64
		want   []string
	}{
		"everything":         {format.Selection{}, 1, []string{"0 0/0", "0 0/1", "0 0/2", "0 200/0", "0 200/1"}},
		"by offset":          {format.Selection{FromOffset: 45, UntilOffset: 251}, 1, []string{"0 0/1?", "0 0/2", "0 200/0", "0 200/1?"}},
		"by time":            {format.Selection{From: ms(60), Until: ms(210)}, 1, []string{"0 0/2", "0 200/0?"}},
		"three rounds":       {format.Selection{FromOffset: 60, UntilOffset: 200}, 3, []string{"0 0/2", "1 0/2", "2 0/2"}},
		"an empty round":     {format.Selection{FromOffset: 90, UntilOffset: 200}, 1 << 60, nil},
		"everything, twice":  {format.Selection{From: ms(250)}, 2, []string{"0 200/1", "1 200/1"}},
		"nothing of nothing": {format.Selection{FromOffset: 1000}, 1, nil},
	} {
		if got := placesOf(t, a.Walk(orders0, c.window).Repeat(c.rounds)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestAWalkDecodesNothing(t *testing.T) {
	big := seg{tp: orders0, base: 0, next: 8000, offsets: offsets(0, 8000), groups: 8}
	fsys := memArchive(t, big)
	a := mustOpen(t, fsys)
	placesOf(t, a.Walk(orders0, format.Selection{}))
	if size := int64(len(fsys.Files()[big.path()])); a.BytesRead() == 0 || a.BytesRead() > size/4 {
		t.Errorf("of %d bytes the walk read %d, want the footer alone", size, a.BytesRead())
	}
}

func TestAWalkSeesTheSegmentsOfItsBeginning(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t, full(orders0, 0, 10)))
	w := a.Walk(orders0, format.Selection{}).Repeat(2)
	mustSeal(t, a, full(orders0, 10, 20))
	if got, want := placesOf(t, w), []string{"0 0/0", "1 0/0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSegmentsOfDifferentSourcesAreNoPartition(t *testing.T) {
	first, second := full(orders0, 0, 10), full(orders0, 10, 20)
	files := memArchive(t, first, second).Files()
	files[second.path()] = otherSource(t, second)
	delete(files, "SHA256SUMS") // it would be found there first
	a := mustOpen(t, memfs.FromFiles(memfs.Options{}, files))
	wants := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, format.ErrCorrupt) || !strings.Contains(fmt.Sprint(err), second.path()) || !strings.Contains(fmt.Sprint(err), "made again") {
			t.Errorf("%s: got %v, want ErrCorrupt that names %s and its source", what, err, second.path())
		}
	}
	got, err := readAll(scan.NewCursor(a, orders0, format.Selection{}))
	wants("a cursor", err)
	if len(got) != 10 {
		t.Errorf("a cursor gave %d records, want the 10 before it", len(got))
	}
	_, err = a.Coverage(orders0)
	wants("coverage", err)
	wants("records", lastError(a.Records(t.Context(), format.Selection{})))
	wants("places", lastError(a.Places(format.Selection{})))
	if found := findings(t, memfs.FromFiles(memfs.Options{}, files), format.VerifyOptions{}); !strings.Contains(strings.Join(found, "\n"), "made again") {
		t.Errorf("verify found %q", found)
	}
}

func TestARecordInsideAGapIsGivenToNobody(t *testing.T) {
	files := readTree(t, "../testdata/refuse/doc-gap-record50")
	a := mustOpen(t, memfs.FromFiles(memfs.Options{}, files))
	tp := a.Partitions()[0]
	got, err := readAll(scan.NewCursor(a, tp, format.Selection{}))
	if len(got) > 0 || !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), "offset 50, in the gap 50..51") {
		t.Errorf("a cursor: got %d records, %v", len(got), err)
	}
	intact, found := openIntact(t, files)
	if got, err := readAll(scan.NewCursor(intact, tp, format.Selection{})); len(got) > 0 || err != nil || len(found) != 1 {
		t.Errorf("what is intact: got %d records, %v, findings %q", len(got), err, found)
	}
	into, err := format.Create(memfs.New(memfs.Options{}), a.Identity())
	if err != nil {
		t.Fatal(err)
	}
	if err := convert(a, into, format.ConvertOptions{}); !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("convert: got %v, want ErrCorrupt", err)
	}
}

func TestGroupReadersKeepFewSegmentsOpen(t *testing.T) {
	var segments []seg
	for base := int64(0); base < 60; base += 10 {
		segments = append(segments, full(orders0, base, base+10))
	}
	fsys := memArchive(t, segments...)
	a := mustOpen(t, fsys)
	var all []format.Place
	for p, err := range a.Places(format.Selection{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	opened, open, most := 0, 0, 0
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		switch o.Call {
		case memfs.Open:
			opened++
			open++
			most = max(most, open)
		case memfs.Close:
			open--
		}
		return nil
	})
	r := a.NewGroupReader(3)
	for _, i := range []int{0, 1, 2, 0, 1, 2, 3, 2, 1, 3, 5, 4} { // the four first ones opened once each
		records, err := r.Read(&all[i], nil)
		if err != nil || len(records) != 10 || records[0].Offset != int64(10*i) {
			t.Fatalf("place %d: got %d records, %v", i, len(records), err)
		}
	}
	if opened != 6 || most > 4 || open != 3 {
		t.Errorf("opened %d times, at most %d at once, and %d in the end: want 6, up to 4, 3", opened, most, open)
	}
	if err := r.Close(); err != nil || open != 0 {
		t.Errorf("after Close %d are open, %v", open, err)
	}
}

func TestAFileThatTookThePlaceOfASegmentIsNotRead(t *testing.T) {
	before, after := full(orders0, 0, 10), full(orders0, 0, 9)
	a, b := mustOpen(t, memArchive(t, before)), mustOpen(t, memArchive(t, after))
	place, err := a.Walk(orders0, format.Selection{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	r := b.NewGroupReader(1)
	defer r.Close()
	if got, err := r.Read(&place, nil); len(got) > 0 || !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), "took its place") {
		t.Errorf("got %d records, %v; want ErrCorrupt", len(got), err)
	}
}
