package merge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/test/memfs"
)

// parcel is the records of a partition, with a row group and a segment ending at some of them.
type parcel struct {
	records  []format.Record
	group    int // records of a row group; 0: as many as fit
	segments int // row groups of a segment; 0: all
}

// archiveOf writes partitions 0, 1, ... of a topic and opens the archive.
func archiveOf(t *testing.T, parcels ...parcel) *format.Archive {
	t.Helper()
	files := memfs.New(memfs.Options{})
	write(t, files, parcels...)
	a, err := format.Open(files)
	check(t, err)
	return a
}

func write(t *testing.T, files storage.FS, parcels ...parcel) {
	t.Helper()
	a, err := format.Create(files, format.Identity{ClusterID: "source"})
	check(t, err)
	for i, p := range parcels {
		for len(p.records) > 0 {
			n := len(p.records)
			if p.group > 0 && p.segments > 0 {
				n = min(n, p.group*p.segments)
			}
			seal(t, a, int32(i), p.records[:n], p.group)
			p.records = p.records[n:]
		}
	}
	check(t, a.Close())
}

func seal(t *testing.T, a *format.Archive, partition int32, records []format.Record, group int) {
	t.Helper()
	w, err := a.NewSegment(format.WriterOptions{Topic: "t", Partition: partition, Base: records[0].Offset, Compression: format.NoCompression})
	check(t, err)
	for i := range records {
		if group > 0 && i > 0 && i%group == 0 {
			check(t, w.Cut())
		}
		check(t, w.Write(&records[i]))
	}
	_, _, err = w.Seal(records[len(records)-1].Offset + 1)
	check(t, err)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at makes records with these timestamps.
func at(timestamps ...int64) []format.Record {
	out := make([]format.Record, len(timestamps))
	for i, ms := range timestamps {
		out[i] = format.Record{Offset: int64(i), TimestampMs: ms, LeaderEpoch: 1, Key: fmt.Appendf(nil, "key %d", i), Value: fmt.Appendf(nil, "value %d", i)}
	}
	return out
}

// played is a record of a sequence.
type played struct {
	partition  int
	round      int64
	offset     int64
	ms         int64
	outOfOrder bool
}

// bounds are those of a replay.
func bounds(memory int64, dir string) Options {
	return Options{MemoryBytes: memory, TempDir: dir, RunRecords: 1024, RecordCost: 200}
}

// opened is a sequence over all partitions of an archive.
func opened(t *testing.T, a *format.Archive, w format.Selection, rounds, memory int64) *Sequence {
	t.Helper()
	var tracks []Track
	for _, tp := range a.Partitions() {
		tracks = append(tracks, Track{Archive: a, Walk: a.Walk(tp, w).Repeat(rounds), From: w.FromOffset})
	}
	s := newStage(t.Context(), tracks, bounds(memory, t.TempDir()))
	t.Cleanup(func() { check(t, s.close()) })
	return newSequence(s)
}

// all takes everything and gives the memory back.
func (q *Sequence) all(t *testing.T) []played {
	t.Helper()
	var out []played
	for {
		p, err := q.Next()
		if err == io.EOF {
			return out
		}
		check(t, err)
		p.Run.Done(1)
		out = append(out, played{p.Partition, p.Round, p.Run.Records[p.Index].Offset, p.TimestampMs, p.OutOfOrder})
	}
}

// model is the order that a sequence must have.
func model(parcels []parcel, rounds int64) []played {
	var out []played
	for round := range rounds {
		var all []played
		for i, p := range parcels {
			reached := int64(moment.Untimed)
			for _, r := range p.records {
				reached = moment.Reach(reached, r.TimestampMs)
				all = append(all, played{i, round, r.Offset, reached, moment.Counts(r.TimestampMs) && r.TimestampMs < reached})
			}
		}
		slices.SortStableFunc(all, func(a, b played) int { return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(a.partition, b.partition)) })
		out = append(out, all...)
	}
	return out
}

func TestAllPartitionsArePlayedInTheOrderOfTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		parcels []parcel
		rounds  int64
		want    []played
	}{
		{"merged", []parcel{{records: at(10, 30)}, {records: at(20, 40)}}, 1, []played{{0, 0, 0, 10, false}, {1, 0, 0, 20, false}, {0, 0, 1, 30, false}, {1, 0, 1, 40, false}}},
		{"equal times go by partition", []parcel{{records: at(10, 10)}, {records: at(10)}}, 1, []played{{0, 0, 0, 10, false}, {0, 0, 1, 10, false}, {1, 0, 0, 10, false}}},
		{"a partition is never reordered", []parcel{{records: at(10, 50, 20, 60)}, {records: at(30, 55)}}, 1, []played{
			{0, 0, 0, 10, false}, {1, 0, 0, 30, false}, {0, 0, 1, 50, false}, {0, 0, 2, 50, true}, {1, 0, 1, 55, false}, {0, 0, 3, 60, false}}},
		{"a record without a time comes with the one before it", []parcel{{records: at(-1, 10, -1, 30)}, {records: at(20)}}, 1, []played{
			{0, 0, 0, moment.Untimed, false}, {0, 0, 1, 10, false}, {0, 0, 2, 10, false}, {1, 0, 0, 20, false}, {0, 0, 3, 30, false}}},
		{"a time that cannot be sent does not count", []parcel{{records: at(10, 1_700_000_000_000_000, 30)}}, 1, []played{{0, 0, 0, 10, false}, {0, 0, 1, 10, false}, {0, 0, 2, 30, false}}},
		{"rounds follow each other", []parcel{{records: at(10, 40)}, {records: at(20)}}, 2, []played{
			{0, 0, 0, 10, false}, {1, 0, 0, 20, false}, {0, 0, 1, 40, false}, {0, 1, 0, 10, false}, {1, 1, 0, 20, false}, {0, 1, 1, 40, false}}},
	} {
		got := opened(t, archiveOf(t, c.parcels...), format.Selection{}, c.rounds, 1<<20).all(t)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %v\nwant %v", c.name, got, c.want)
		}
	}
}

// Whatever the row groups, the segments and the memory are, the order is that of a sort of everything.
func TestTheOrderDoesNotDependOnRowGroupsOrMemory(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		parcels := make([]parcel, 1+random.IntN(8))
		for i := range parcels {
			parcels[i] = parcel{records: at(walking(random)...), group: 1 + random.IntN(60), segments: 1 + random.IntN(5)}
		}
		rounds := 1 + random.Int64N(2)
		q := opened(t, archiveOf(t, parcels...), format.Selection{}, rounds, 1+random.Int64N(1<<uint(6+i%12)))
		if got, want := q.all(t), model(parcels, rounds); !slices.Equal(got, want) {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Fatalf("case %d: %d records, want %d; they differ from number %d on: %v, want %v", i, len(got), len(want), at, got[at:min(at+3, len(got))], want[at:min(at+3, len(want))])
		}
	}
}

// walking is timestamps that mostly rise, with repeats, steps back, records without a time and some that cannot be.
func walking(random *rand.Rand) []int64 {
	now := random.Int64N(500)
	out := make([]int64, 1+random.IntN(300))
	for i := range out {
		switch now += random.Int64N(4); random.IntN(20) {
		case 0:
			out[i] = now - random.Int64N(200)
		case 1:
			out[i] = format.NoTimestamp
		case 2:
			now += 200
			out[i] = now
		case 3:
			if out[i] = now; random.IntN(10) == 0 {
				out[i] = 1 << 60
			}
		default:
			out[i] = now
		}
	}
	return out
}

func TestOnlyWhatIsInTheWindowIsPlayed(t *testing.T) {
	from, until := int64(25), int64(400)
	parcels := []parcel{{records: at(10, 20, 30, 500, 40, 50), group: 2}, {records: at(5, 15, 35, 45, 450), group: 3, segments: 1}}
	q := opened(t, archiveOf(t, parcels...), format.Selection{From: time.UnixMilli(from), Until: time.UnixMilli(until)}, 1, 1<<20)
	want := []played{{0, 0, 2, 30, false}, {1, 0, 2, 35, false}, {0, 0, 4, 40, false}, {1, 0, 3, 45, false}, {0, 0, 5, 50, false}}
	if got := q.all(t); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	q = opened(t, archiveOf(t, parcels...), format.Selection{FromOffset: 4, UntilOffset: 5}, 1, 1<<20)
	want = []played{{0, 0, 4, 40, false}, {1, 0, 4, 450, false}}
	if got := q.all(t); !slices.Equal(got, want) {
		t.Errorf("by offset: got %v, want %v", got, want)
	}
}

func TestARoundWithoutARecordIsTheLast(t *testing.T) {
	from, until := int64(12), int64(18)
	q := opened(t, archiveOf(t, parcel{records: at(10, 20)}), format.Selection{From: time.UnixMilli(from), Until: time.UnixMilli(until)}, 1<<40, 1<<20)
	if got := q.all(t); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestRecordsComeBackFromTheTemporaryFileAsTheyWere(t *testing.T) {
	records := at(1, 2, 3, -1, 4, 5)
	records[0].Key, records[0].Value = nil, []byte{}
	records[1].Key, records[1].Value = []byte{}, nil
	records[2].Headers = []format.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}, {Key: "\xff", Value: []byte{0}}}
	records[3].TimestampType, records[3].LeaderEpoch = format.TimestampNone, format.NoLeaderEpoch
	records[4].Value = make([]byte, 3<<20)
	q := opened(t, archiveOf(t, parcel{records: records}), format.Selection{}, 1, 1)
	for i := range records {
		p, err := q.Next()
		check(t, err)
		got := format.AppendCanonical(nil, &p.Run.Records[p.Index])
		if want := format.AppendCanonical(nil, &records[i]); !slices.Equal(got, want) {
			t.Errorf("record %d: got %.100q, want %.100q", i, got, want)
		}
	}
	if q.stage.spill.end == 0 {
		t.Error("nothing was in the temporary file")
	}
}

// Whatever byte of the temporary file is not what was written: nothing of it is sent.
func TestADamagedTemporaryFileIsFound(t *testing.T) {
	records := at(10, 20, 30, 40)
	a := archiveOf(t, parcel{records: records})
	_, whole := spilled(t, a)
	if whole.size < 100 {
		t.Fatalf("%d bytes are in the temporary file", whole.size)
	}
	for i := range whole.size {
		q, rest := spilled(t, a)
		damage(t, q.stage.spill.file, rest.at+i)
		for n := 1; ; n++ {
			p, err := q.Next()
			if err == io.EOF {
				t.Fatalf("byte %d is changed and not found", i)
			}
			if err != nil {
				if !errors.Is(err, errSpill) {
					t.Errorf("byte %d: %v, want %v", i, err, errSpill)
				}
				break
			}
			got, want := format.AppendCanonical(nil, &p.Run.Records[p.Index]), format.AppendCanonical(nil, &records[n])
			if !slices.Equal(got, want) {
				t.Fatalf("byte %d is changed, and record %d is %q, want %q", i, n, got, want)
			}
		}
	}
}

// spilled is a sequence of which one record was taken and the rest is in the temporary file, at a place.
func spilled(t *testing.T, a *format.Archive) (q *Sequence, rest extent) {
	t.Helper()
	q = opened(t, a, format.Selection{}, 1, 1)
	_, err := q.Next()
	check(t, err)
	return q, q.strands[0].group.where
}

func damage(t *testing.T, f *os.File, at int64) {
	t.Helper()
	b := make([]byte, 1)
	_, err := f.ReadAt(b, at)
	check(t, err)
	b[0] ^= 0x10
	_, err = f.WriteAt(b, at)
	check(t, err)
}

// A run is small, and a single record may be larger: what a thousand partitions have under way at once is bounded.
func TestRunsAreAsSmallAsTheirSlot(t *testing.T) {
	large := at(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	large[4].Value = make([]byte, 100_000)
	const memory = 64 << 10
	q := opened(t, archiveOf(t, parcel{records: large}, parcel{records: at(make([]int64, 500)...)}), format.Selection{}, 1, memory)
	seen := map[*Run]bool{}
	for {
		p, err := q.Next()
		if err == io.EOF {
			break
		}
		check(t, err)
		if seen[p.Run] {
			continue
		}
		seen[p.Run] = true
		if slot := int64(memory / slotShare / 2); p.Run.Cost > slot && len(p.Run.Records) > 1 {
			t.Errorf("a run of %d records costs %d bytes, the slot is %d", len(p.Run.Records), p.Run.Cost, slot)
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d runs, want more", len(seen))
	}
}

func TestNothingIsLeftOfTheTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	a := archiveOf(t, parcel{records: at(1, 2, 3, 4), group: 2})
	s := newStage(t.Context(), []Track{{Archive: a, Walk: a.Walk(a.Partitions()[0], format.Selection{})}}, bounds(1, dir))
	q := newSequence(s)
	if got := len(q.all(t)); got != 4 {
		t.Errorf("%d records", got)
	}
	if s.spill.end == 0 || len(s.spill.free) != 1 || s.spill.free[0] != (extent{0, s.spill.end}) {
		t.Errorf("of %d bytes %v are free, want all in one piece", s.spill.end, s.spill.free)
	}
	check(t, s.close())
	left, err := os.ReadDir(dir)
	check(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestASequenceGoesOnWithoutAPartitionThatCannotBeRead(t *testing.T) {
	files := memfs.New(memfs.Options{})
	write(t, files, parcel{records: at(10, 30, 50, 70), group: 1, segments: 2}, parcel{records: at(20, 40, 60), group: 1})
	a, err := format.Open(files)
	check(t, err)
	broken := errors.New("broken")
	files.Inject(func(o memfs.Op) *memfs.Fault {
		if o.Name == a.Segments(a.Partitions()[0])[1].Path && o.Off > 0 {
			return &memfs.Fault{Err: broken}
		}
		return nil
	})
	q := opened(t, a, format.Selection{}, 1, 1<<20)
	var got []int64
	for {
		p, err := q.Next()
		switch {
		case err == io.EOF:
			if want := []int64{10, 20, 30, -2, 40, 60}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			return
		case err == nil:
			got = append(got, p.TimestampMs)
		case !errors.Is(err, broken) || p.Partition != 0 || q.stage.end(0) != 2:
			t.Fatalf("partition %d fails at offset %d: %v", p.Partition, q.stage.end(0), err)
		default:
			got = append(got, -2)
		}
	}
}

func TestASequenceGoesOnWithoutAPartitionThatIsDropped(t *testing.T) {
	for _, memory := range []int64{1, 1 << 20} {
		q := opened(t, archiveOf(t, parcel{records: at(10, 30, 50), group: 2}, parcel{records: at(20, 40, 60)}), format.Selection{}, 1, memory)
		_, err := q.Next()
		check(t, err)
		q.Drop(0)
		q.Drop(0)
		if got, want := q.all(t), (played{1, 0, 0, 20, false}); len(got) != 3 || got[0] != want {
			t.Errorf("memory %d: got %v", memory, got)
		}
	}
}

func TestTheTemporaryFileUsesRoomAgain(t *testing.T) {
	s := &spill{dir: t.TempDir()}
	defer s.close()
	random := rand.New(rand.NewPCG(3, 4))
	type kept struct {
		extent
		fill byte
	}
	var all []kept
	for i := range 2000 {
		if len(all) > 20 || len(all) > 0 && random.IntN(2) == 0 {
			k := random.IntN(len(all))
			got := make([]byte, all[k].size)
			check(t, s.get(got, all[k].at))
			if slices.ContainsFunc(got, func(b byte) bool { return b != all[k].fill }) {
				t.Fatalf("step %d: other bytes than were put at %v", i, all[k].extent)
			}
			s.giveUp(all[k].extent)
			all = slices.Delete(all, k, k+1)
			continue
		}
		b := make([]byte, 1+random.IntN(1000))
		for j := range b {
			b[j] = byte(i)
		}
		e, err := s.put(b)
		check(t, err)
		all = append(all, kept{e, byte(i)})
	}
	if s.end > 60_000 {
		t.Errorf("the file grew to %d bytes for at most 21,000", s.end)
	}
}

func TestAStageEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := archiveOf(t, parcel{records: at(1, 2, 3, 4), group: 1})
	s := newStage(ctx, []Track{{Archive: a, Walk: a.Walk(a.Partitions()[0], format.Selection{}).Repeat(1 << 40)}}, bounds(1<<20, t.TempDir()))
	defer s.close()
	q := newSequence(s)
	for range 3 {
		if _, err := q.Next(); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	for range 1 << 20 { // what is staged still comes
		if _, err := q.Next(); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			return
		}
	}
	t.Error("it goes on")
}

func TestTheFirstRecordNeedsOnlyItsOwnRowGroup(t *testing.T) {
	const partitions, first = 50, 37
	var parcels []parcel
	for i := range partitions {
		parcels = append(parcels, parcel{records: at(int64(1000-(i+partitions-first)%partitions), 5000)})
	}
	a := archiveOf(t, parcels...)
	var tracks []Track
	early := errors.New("decoded for nothing")
	for i, tp := range a.Partitions() {
		next := Track{Archive: a, Walk: a.Walk(tp, format.Selection{})}
		if i != (first+partitions-1)%partitions {
			next.Reshape = func([]format.Record) ([]format.Record, error) { return nil, early }
		}
		tracks = append(tracks, next)
	}
	s := newStage(t.Context(), tracks, bounds(1<<20, t.TempDir()))
	defer s.close()
	p, err := newSequence(s).Next()
	if err != nil || p.Partition != (first+partitions-1)%partitions {
		t.Errorf("got partition %d, %v, want the one with the earliest record", p.Partition, err)
	}
}
