package format_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/memfs"
)

var otherTP = format.TopicPartition{Topic: "orders", Partition: 1}

// plannedArchive is wholeArchive, partition 2 of orders, with a plan of the given mode that begins at offset 0 and goes to end in
// partition 2 and to 40 in partition 1, of which there is nothing; in a follow capture it has no ends.
func plannedArchive(t *testing.T, mode origin.Mode, end int64) map[string][]byte {
	t.Helper()
	fsys := memfs.FromFiles(memfs.Options{}, wholeArchive(t))
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		t.Fatal(err)
	}
	other := int64(40)
	if mode == origin.ModeFollow {
		other = -1
	}
	id := a.Identity()
	id.Capture = &origin.Plan{Mode: mode, Isolation: origin.ReadCommitted, From: "beginning", Partitions: []origin.PlanRange{
		{Topic: "orders", Partition: 1, Start: 10, End: other}, {Topic: "orders", Partition: 2, Start: 0, End: end}}}
	if err := errors.Join(a.SetIdentity(id), a.Close()); err != nil {
		t.Fatal(err)
	}
	return fsys.Files()
}

func TestCompletenessIsWhatThePlanSaysAndNoSegmentCovers(t *testing.T) {
	retention := format.LostRange{TopicPartition: damagedTP, Gap: ledger.Gap{From: 110, Until: 115, Reason: ledger.Retention}}
	nothing := format.Shortfall{TopicPartition: otherTP, From: 10, Until: 40, Empty: true}
	tests := []struct {
		name  string
		files func() map[string][]byte
		takes func(format.TopicPartition) bool
		want  format.Completeness
	}{
		{"no plan", func() map[string][]byte { return wholeArchive(t) }, nil, format.Completeness{Lost: []format.LostRange{retention}}},
		{"a follow capture", func() map[string][]byte { return plannedArchive(t, origin.ModeFollow, -1) }, nil,
			format.Completeness{Lost: []format.LostRange{retention}, OpenEnd: true}},
		{"a snapshot that got to its end in one partition", func() map[string][]byte { return plannedArchive(t, origin.ModeSnapshot, 300) }, nil,
			format.Completeness{Short: []format.Shortfall{nothing}, Lost: []format.LostRange{retention}}},
		{"a snapshot that was interrupted in both", func() map[string][]byte { return plannedArchive(t, origin.ModeSnapshot, 320) }, nil,
			format.Completeness{Short: []format.Shortfall{nothing, {TopicPartition: damagedTP, From: 300, Until: 320}}, Lost: []format.LostRange{retention}}},
		{"one partition alone", func() map[string][]byte { return plannedArchive(t, origin.ModeSnapshot, 320) },
			func(tp format.TopicPartition) bool { return tp == otherTP }, format.Completeness{Short: []format.Shortfall{nothing}}},
		{"a first segment that nothing tells of", func() map[string][]byte {
			files := plannedArchive(t, origin.ModeFollow, -1)
			delete(files, damagedPath(0))
			delete(files, "SHA256SUMS")
			return files
		}, nil, format.Completeness{Short: []format.Shortfall{{TopicPartition: damagedTP, From: 0, Until: 100}}, Lost: []format.LostRange{retention}, OpenEnd: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := format.Open(memfs.FromFiles(memfs.Options{}, test.files()))
			if err != nil {
				t.Fatal(err)
			}
			got, err := a.Completeness(format.Selection{Takes: test.takes})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got.Complete() != (len(test.want.Short) == 0) {
				t.Errorf("got complete %t with %v short", got.Complete(), got.Short)
			}
		})
	}
}

func TestAnArchiveThatCoversItsPlanIsComplete(t *testing.T) {
	a, err := format.Open(memfs.FromFiles(memfs.Options{}, readTree(t, "../testdata/golden-1.0")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Completeness(format.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Short) > 0 {
		t.Errorf("got %+v, want nothing short", got.Short)
	}
}

func TestCompletenessInAWindowLeavesOutOtherOffsets(t *testing.T) {
	c := format.Completeness{
		Short: []format.Shortfall{{From: 100, Until: 200}},
		Lost:  []format.LostRange{{Gap: ledger.Gap{From: 10, Until: 20, Reason: ledger.Corrupt}}},
	}
	for _, test := range []struct {
		window format.Selection
		want   int
	}{
		{format.Selection{}, 2}, {format.Selection{UntilOffset: 10}, 0}, {format.Selection{UntilOffset: 11}, 1}, {format.Selection{FromOffset: 20, UntilOffset: 100}, 0},
		{format.Selection{FromOffset: 199}, 1}, {format.Selection{FromOffset: 200}, 0},
	} {
		in := c.In(&test.window)
		if got := len(in.Short) + len(in.Lost); got != test.want {
			t.Errorf("window %+v: got %d missing, want %d", test.window, got, test.want)
		}
	}
}

func TestCompletenessInAWindowIsThatOfAllLimitedToIt(t *testing.T) {
	without := func(base int64) map[string][]byte {
		files := plannedArchive(t, origin.ModeSnapshot, 320)
		delete(files, damagedPath(base))
		return files
	}
	later := without(0)
	delete(later, "SHA256SUMS")
	offsets := []int64{0, 1, 50, 99, 100, 110, 114, 115, 199, 200, 299, 300, 319, 320, 400}
	for name, files := range map[string]map[string][]byte{
		"all": plannedArchive(t, origin.ModeSnapshot, 320), "no end": plannedArchive(t, origin.ModeFollow, -1),
		"without the first": without(0), "without the second": without(100), "without the last": without(200),
		"begins later than it was to": later,
	} {
		a, err := format.Open(memfs.FromFiles(memfs.Options{}, files))
		if errors.Is(err, format.ErrMissingSegment) {
			a, _ = openIntact(t, files)
		} else if err != nil {
			t.Fatal(err)
		}
		all, err := a.Completeness(format.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range offsets {
			for _, until := range offsets {
				w := format.Selection{FromOffset: from, UntilOffset: until}
				if got, err := a.Completeness(w); err != nil || !reflect.DeepEqual(got, all.In(&w)) {
					t.Errorf("%s, %d..%d: got %+v, %v, want %+v", name, from, until, got, err, all.In(&w))
				}
			}
		}
	}
}

func TestCompletenessOfATopicThatIsNotThereIsAnError(t *testing.T) {
	a := mustOpen(t, memArchive(t, full(orders0, 0, 10)))
	if _, err := a.Completeness(format.Selection{Topics: []string{"order"}}); !errors.Is(err, format.ErrNotArchived) {
		t.Errorf("got %v, want %v", err, format.ErrNotArchived)
	}
}

func TestCompletenessInAWindowOpensOnlyItsSegments(t *testing.T) {
	const segments = 40
	var list []seg
	for i := range int64(segments) {
		list = append(list, full(orders0, 10*i, 10*i+10))
	}
	fsys := memArchive(t, list...)
	a := mustOpen(t, fsys)
	opened := 0
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		if o.Call == memfs.Open {
			opened++
		}
		return nil
	})
	if _, err := a.Completeness(format.Selection{FromOffset: 205, UntilOffset: 206}); err != nil {
		t.Fatal(err)
	}
	if opened != 1 {
		t.Errorf("%d of %d segments were opened for one offset, want 1", opened, segments)
	}
}

// TestARecoverySaysWhatIsLostOfAPlannedArchive takes every segment away, and the last one, of archives with and without a planned end.
func TestARecoverySaysWhatIsLostOfAPlannedArchive(t *testing.T) {
	gap := func(from, until int64) []format.LostRange {
		return []format.LostRange{{TopicPartition: damagedTP, Gap: ledger.Gap{From: from, Until: until, Reason: ledger.Corrupt}}}
	}
	tests := []struct {
		name  string
		mode  origin.Mode
		end   int64
		gone  []int64
		short []format.Shortfall // of partition 2
		lost  []format.LostRange // by damage
	}{
		{"all of a snapshot", origin.ModeSnapshot, 300, []int64{0, 100, 200}, nil, gap(0, 300)},
		{"all of a follow capture", origin.ModeFollow, -1, []int64{0, 100, 200}, nil, gap(0, 201)},
		{"the first of a snapshot", origin.ModeSnapshot, 300, []int64{0}, nil, gap(0, 100)},
		{"the last of a snapshot", origin.ModeSnapshot, 300, []int64{200}, []format.Shortfall{{TopicPartition: damagedTP, From: 200, Until: 300}}, nil},
		{"the last of a follow capture", origin.ModeFollow, -1, []int64{200}, []format.Shortfall{{TopicPartition: damagedTP, From: 200, Until: 201}}, nil},
		{"none", origin.ModeSnapshot, 300, nil, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := plannedArchive(t, test.mode, test.end)
			for _, base := range test.gone {
				delete(files, damagedPath(base))
			}
			from, _ := openIntact(t, files)
			into, err := format.Create(memfs.New(memfs.Options{}), from.Identity())
			if err != nil {
				t.Fatal(err)
			}
			defer into.Close()
			if err := format.Recover(from, into, format.ConvertOptions{}); err != nil {
				t.Fatal(err)
			}
			for name, a := range map[string]*format.Archive{"the damaged archive": from, "the recovered one": into} {
				got, err := a.Completeness(format.Selection{Topics: []string{damagedTP.Topic}, Partitions: []int32{damagedTP.Partition}})
				if err != nil {
					t.Fatal(err)
				}
				var lost []format.LostRange
				for _, l := range got.Lost {
					if l.Reason == ledger.Corrupt {
						lost = append(lost, l)
					}
				}
				if !reflect.DeepEqual(got.Short, test.short) || !reflect.DeepEqual(lost, test.lost) {
					t.Errorf("%s: got short %v, lost %v, want %v, %v", name, got.Short, lost, test.short, test.lost)
				}
			}
		})
	}
}
