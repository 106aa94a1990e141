package format_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

// otherSource is the file of s with records of another topic id.
func otherSource(t testing.TB, s seg) []byte {
	t.Helper()
	o := s.options()
	o.Source.TopicID = "made again"
	return s.bytesWith(t, o)
}

func ms(v int64) time.Time { return time.UnixMilli(v) }

func TestACursorReadsItsWindowAndOpensNothingElse(t *testing.T) {
	segments := []seg{
		{tp: orders0, base: 0, next: 100, offsets: offsets(0, 90), groups: 3}, // row groups 0-29, 30-59, 60-89
		{tp: orders0, base: 100, next: 200},
		{tp: orders0, base: 200, next: 300, offsets: offsets(200, 300), groups: 2}, // 200-249, 250-299
	}
	for name, c := range map[string]struct {
		window format.Selection
		want   []int64
		open   []int // the segments whose file is opened
	}{
		"everything":               {format.Selection{}, append(offsets(0, 90), offsets(200, 300)...), []int{0, 1, 2}},
		"from within":              {format.Selection{FromOffset: 45}, append(offsets(45, 90), offsets(200, 300)...), []int{0, 1, 2}},
		"from a border":            {format.Selection{FromOffset: 100}, offsets(200, 300), []int{1, 2}},
		"from the last":            {format.Selection{FromOffset: 299}, []int64{299}, []int{2}},
		"from behind the end":      {format.Selection{FromOffset: 300}, nil, []int{2}},
		"until within":             {format.Selection{UntilOffset: 31}, offsets(0, 31), []int{0}},
		"until a border":           {format.Selection{UntilOffset: 200}, offsets(0, 90), []int{0, 1}},
		"one offset":               {format.Selection{FromOffset: 60, UntilOffset: 61}, []int64{60}, []int{0}},
		"a hole":                   {format.Selection{FromOffset: 95, UntilOffset: 150}, nil, []int{0, 1}},
		"an empty window":          {format.Selection{FromOffset: 50, UntilOffset: 50}, nil, []int{0}},
		"from a time":              {format.Selection{From: ms(80)}, append(offsets(80, 90), offsets(200, 300)...), []int{0, 1, 2}},
		"until a time":             {format.Selection{Until: ms(250)}, append(offsets(0, 90), offsets(200, 250)...), []int{0, 1, 2}},
		"a time in no segment":     {format.Selection{From: ms(120), Until: ms(130)}, nil, []int{0, 1, 2}},
		"a time and offsets":       {format.Selection{From: ms(20), Until: ms(260), FromOffset: 25, UntilOffset: 255}, append(offsets(25, 90), offsets(200, 255)...), []int{0, 1, 2}},
		"before the first offset":  {format.Selection{UntilOffset: 1}, []int64{0}, []int{0}},
		"a time before all others": {format.Selection{Until: ms(0)}, nil, []int{0, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := memArchive(t, segments...)
			opened := map[string]bool{}
			fsys.Inject(func(o memfs.Op) *memfs.Fault {
				if o.Call == memfs.Open && strings.HasSuffix(o.Name, ".parquet") {
					opened[o.Name] = true
				}
				return nil
			})
			a := mustOpen(t, fsys)
			if got := offsetsOf(t, a, orders0, c.window); !slices.Equal(got, c.want) {
				t.Errorf("got offsets %v, want %v", got, c.want)
			}
			for i, s := range segments {
				if want := slices.Contains(c.open, i); opened[s.path()] != want {
					t.Errorf("segment %d was opened: %v, want %v", i, opened[s.path()], want)
				}
			}
		})
	}
}

func TestACursorReadsOnlyTheRowGroupsItNeeds(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		big := seg{tp: orders0, base: 0, next: 8000, offsets: offsets(0, 8000), groups: 8, encoding: e}
		fsys := memArchive(t, big)
		size := int64(len(fsys.Files()[big.path()]))
		read := func(w format.Selection) int64 {
			a := mustOpen(t, fsys)
			if len(offsetsOf(t, a, orders0, w)) == 0 {
				t.Fatal("got no records")
			}
			return a.BytesRead()
		}
		all, one := read(format.Selection{}), read(format.Selection{From: ms(5100), Until: ms(5200)})
		if all < size*9/10 || one > size/3 {
			t.Errorf("of %d bytes a cursor over everything read %d, one over an eighth %d", size, all, one)
		}
	})
}

func TestASegmentThatAWindowDoesNotNeedIsOpenedOnce(t *testing.T) {
	s := full(orders0, 0, 10)
	fsys := memArchive(t, s)
	a := mustOpen(t, fsys)
	late := format.Selection{From: ms(1000)}
	offsetsOf(t, a, orders0, late)
	before := a.BytesRead()
	offsetsOf(t, a, orders0, late)
	if before == 0 || a.BytesRead() != before {
		t.Errorf("read %d bytes, then %d: want the document from memory", before, a.BytesRead())
	}
}

func TestACursorOverNoSegmentsEnds(t *testing.T) {
	c := scan.NewCursor(mustOpen(t, memArchive(t)), orders0, format.Selection{})
	for range 2 {
		if got, err := c.Next(); got != nil || err != io.EOF {
			t.Errorf("got %v, %v, want io.EOF", got, err)
		}
	}
}

func TestAClosedCursorEnds(t *testing.T) {
	two := []seg{{tp: orders0, next: 100, offsets: offsets(0, 100), groups: 4}, full(orders0, 100, 110)}
	c := scan.NewCursor(mustOpen(t, memArchive(t, two...)), orders0, format.Selection{})
	if got, err := c.Next(); len(got) != 25 || err != nil {
		t.Fatalf("got %d records, %v", len(got), err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if got, err := c.Next(); got != nil || err != io.EOF {
		t.Errorf("got %v, %v, want io.EOF", got, err)
	}
}

func TestACursorStopsAtDamageAndNamesTheFile(t *testing.T) {
	good, bad := full(orders0, 0, 10), full(orders0, 10, 20)
	fsys := memArchive(t, good, bad, full(orders0, 20, 30))
	damaged := bad.bytes(t)
	damaged[40] ^= 1
	a := mustOpen(t, changed(fsys, map[string][]byte{bad.path(): damaged}))
	c := scan.NewCursor(a, orders0, format.Selection{})
	defer c.Close()
	if got, err := c.Next(); len(got) != 10 || err != nil {
		t.Fatalf("got %d records, %v", len(got), err)
	}
	for range 2 {
		got, err := c.Next()
		if got != nil || !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), bad.path()) {
			t.Errorf("got %d records, %v, want ErrCorrupt that names %s", len(got), err, bad.path())
		}
	}
}

func TestACursorSeesTheSegmentsOfItsBeginning(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t, full(orders0, 0, 10)))
	c := scan.NewCursor(a, orders0, format.Selection{})
	mustSeal(t, a, full(orders0, 10, 20))
	got, err := readAll(c)
	if err != nil || len(got) != 10 {
		t.Errorf("got %d records, %v, want 10", len(got), err)
	}
}
