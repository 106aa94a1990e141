package format_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/memfs"
)

// changes lists the operations that change something while do runs, as "call name".
func changes(fsys *memfs.FS, do func()) []string {
	var got []string
	on := true
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		if on && o.Changes() {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.Call, o.Name, o.To)))
		}
		return nil
	})
	do()
	on = false
	return got
}

func pendingOf(t testing.TB, a *format.Archive, s seg) *format.Pending {
	t.Helper()
	p, err := a.NewSegment(s.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writeTo(p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSealMakesDurableWhatItShowsBeforeItShowsIt(t *testing.T) {
	const (
		temp = ".karchive-tmp/segment-1"
		path = "data/topic=orders/partition=0/00000000000000000000.parquet"
	)
	rest := []string{
		"syncdir .", "syncdir data", "syncdir data/topic=orders", "syncdir data/topic=orders/partition=0",
		"write SHA256SUMS", "sync SHA256SUMS",
	}
	for name, c := range map[string]struct {
		options memfs.Options
		publish []string
	}{
		"links":    {memfs.Options{}, []string{"link " + temp + " " + path, "remove " + temp}},
		"no links": {memfs.Options{NoLinks: true}, []string{"link " + temp + " " + path, "rename " + temp + " " + path, "remove " + temp}},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := memfs.New(c.options)
			a, err := format.Create(fsys, identity)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			p := pendingOf(t, a, full(orders0, 0, 10))
			got := changes(fsys, func() {
				if _, _, err := p.Seal(10); err != nil {
					t.Fatal(err)
				}
			})
			got = slices.Compact(got) // the writes of the encoding
			want := append([]string{
				"create " + temp, "write " + temp, "sync " + temp, "mkdir data/topic=orders", "mkdir data/topic=orders/partition=0",
			}, append(c.publish, rest...)...)
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestSealNeverReplaces(t *testing.T) {
	for name, o := range map[string]memfs.Options{"links": {}, "no links": {NoLinks: true}} {
		t.Run(name, func(t *testing.T) {
			fsys := memfs.New(o)
			a, err := format.Create(fsys, identity)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			s := full(orders0, 0, 10)
			p := pendingOf(t, a, s)
			putFile(t, fsys, s.path(), "sealed by another writer")
			if _, _, err := p.Seal(10); !errors.Is(err, fs.ErrExist) {
				t.Errorf("got %v, want fs.ErrExist", err)
			}
			files := fsys.Files()
			if got := string(files[s.path()]); got != "sealed by another writer" {
				t.Errorf("it was replaced: %.40q", got)
			}
			checkNoTemp(t, fsys)
			if len(files["SHA256SUMS"]) > 0 {
				t.Errorf("got SHA256SUMS %q, want none", files["SHA256SUMS"])
			}
		})
	}
}

// putFile makes a file with its directories.
func putFile(t *testing.T, fsys storage.FS, path, content string) {
	t.Helper()
	for i, c := range path {
		if c == '/' {
			fsys.Mkdir(path[:i])
		}
	}
	f, err := fsys.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
}

func checkNoTemp(t *testing.T, fsys *memfs.FS) {
	t.Helper()
	for name := range fsys.Files() {
		if strings.HasPrefix(name, ".karchive-tmp/") {
			t.Errorf("%s is left", name)
		}
	}
}

func TestAPendingSegmentMakesNoFileBeforeItsFirstRowGroup(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	got := changes(fsys, func() {
		for p := range int32(1000) {
			s := full(format.TopicPartition{Topic: "orders", Partition: p}, 0, 3)
			pendingOf(t, a, s)
		}
	})
	if len(got) > 0 {
		t.Errorf("got %q, want no change", got)
	}
}

func TestADiscardedSegmentLeavesNothing(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	before := fsys.Files()
	p := pendingOf(t, a, full(orders0, 0, 10))
	if err := p.Cut(); err != nil {
		t.Fatal(err)
	}
	if fsys.Files()[".karchive-tmp/segment-1"] == nil {
		t.Fatal("there is no temporary file")
	}
	for range 2 {
		if err := p.Discard(); err != nil {
			t.Error(err)
		}
	}
	checkFiles(t, fsys, before)
	if _, _, err := p.Seal(10); err == nil {
		t.Error("sealed a discarded segment")
	}
	mustSeal(t, a, full(orders0, 5, 10)) // another one may follow
}

func TestASegmentMayHaveNoRecordButNotNoOffset(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	if err := (seg{tp: orders0, base: 7, next: 7}).seal(a); err == nil {
		t.Error("sealed a segment that covers nothing")
	}
	checkNoTemp(t, fsys)
	mustSeal(t, a, seg{tp: orders0, base: 7, next: 8}, full(orders0, 8, 9))
	if got := offsetsOf(t, a, orders0, format.Selection{}); !slices.Equal(got, []int64{8}) {
		t.Errorf("got offsets %v, want 8", got)
	}
}

func TestNewSegmentRefusesWhatDoesNotContinueTheArchive(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t, full(orders0, 0, 10)))
	pendingOf(t, a, full(orders1, 0, 10))
	for name, change := range map[string]func(*format.WriterOptions){
		"a base too early":          func(o *format.WriterOptions) { o.Base = 9 },
		"a base too late":           func(o *format.WriterOptions) { o.Base = 11 },
		"another cluster":           func(o *format.WriterOptions) { o.Source.ClusterID = "cluster-b" },
		"no cluster":                func(o *format.WriterOptions) { o.Source.ClusterID = "" },
		"another topic id":          func(o *format.WriterOptions) { o.Source.TopicID = "made again" },
		"another isolation":         func(o *format.WriterOptions) { o.Source.Isolation = origin.ReadUncommitted },
		"other rules":               func(o *format.WriterOptions) { o.Source.Rules = "r" },
		"another encoding":          func(o *format.WriterOptions) { o.Encoding = "arrow" },
		"an illegal topic":          func(o *format.WriterOptions) { o.Topic = "../x" },
		"a pending partition":       func(o *format.WriterOptions) { o.Partition, o.Base = 1, 0 },
		"a new one, other cluster":  func(o *format.WriterOptions) { o.Partition, o.Source.ClusterID = 7, "cluster-b" },
		"a partition below zero":    func(o *format.WriterOptions) { o.Partition = -1 },
		"an unknown codec":          func(o *format.WriterOptions) { o.Compression = "lz4" },
		"a topic that is a dot-dot": func(o *format.WriterOptions) { o.Topic = ".." },
	} {
		o := full(orders0, 10, 20).options()
		change(&o)
		if p, err := a.NewSegment(o); err == nil {
			t.Errorf("%s: got no error", name)
			p.Discard()
		}
	}
	mustSeal(t, a, full(orders0, 10, 20)) // none of them has claimed the partition
}

func TestAFullDiskCostsOnlyTheSegmentThatDoesNotFit(t *testing.T) {
	fsys := memArchive(t, full(orders0, 0, 10))
	before := fsys.Files()
	a := mustOpenForWriting(t, fsys)
	fsys.SetFree(100)
	if err := full(orders0, 10, 20).seal(a); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	checkFiles(t, fsys, before)
}

func TestAfterAFailedSyncNothingIsWrittenAnyMore(t *testing.T) {
	for _, what := range []string{"sync .karchive-tmp/segment-1", "syncdir data/topic=orders/partition=0", "write SHA256SUMS", "sync SHA256SUMS"} {
		t.Run(what, func(t *testing.T) {
			fsys := memArchive(t)
			a := mustOpenForWriting(t, fsys)
			other := pendingOf(t, a, full(orders1, 0, 10))
			fsys.Inject(func(o memfs.Op) *memfs.Fault {
				if string(o.Call)+" "+o.Name == what {
					return &memfs.Fault{Err: syscall.EIO}
				}
				return nil
			})
			if err := full(orders0, 0, 10).seal(a); !errors.Is(err, syscall.EIO) {
				t.Fatalf("got %v, want EIO", err)
			}
			got := changes(fsys, func() {
				if _, _, err := other.Seal(10); !errors.Is(err, syscall.EIO) {
					t.Errorf("seal: got %v, want the first EIO", err)
				}
				if err := full(orders0, 10, 20).seal(a); !errors.Is(err, syscall.EIO) {
					t.Errorf("new segment: got %v, want the first EIO", err)
				}
				if err := a.SetIdentity(identity); !errors.Is(err, syscall.EIO) {
					t.Errorf("set identity: got %v, want the first EIO", err)
				}
			})
			if len(got) > 0 {
				t.Errorf("got changes %q, want none", got)
			}
			checkNoTemp(t, fsys)
		})
	}
}

func TestResumeSaysWhereAPartitionGoesOn(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t, full(orders0, 0, 10)))
	gap, err := a.NewSegment(full(orders0, 10, 20).options())
	if err == nil {
		err = gap.Gap(ledger.Gap{From: 10, Until: 20, Reason: ledger.Retention})
	}
	if err == nil {
		_, _, err = gap.Seal(25)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := a.Resume(orders0)
	// The epoch is of the records: the gap has none.
	want := format.ResumePoint{Next: 25, LeaderEpoch: 1, Source: source}
	if got != want || !ok || err != nil {
		t.Errorf("got %+v, %v, %v, want %+v", got, ok, err, want)
	}
	if got, ok, err := a.Resume(orders1); ok || err != nil {
		t.Errorf("of a partition without segments: got %+v, %v, %v", got, ok, err)
	}
}
