package bucket_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/membucket"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

var orders = format.TopicPartition{Topic: "orders"}

func plan(end int64) format.Identity {
	return format.Identity{ClusterID: "c", Topics: []origin.Topic{{Name: "orders", Partitions: 1}}, Capture: &origin.Plan{
		Mode: origin.ModeSnapshot, Isolation: origin.ReadCommitted, From: "earliest",
		Partitions: []origin.PlanRange{{Topic: "orders", Start: 0, End: end}},
	}}
}

// openOrCreate does what a capture does that finds an archive or makes one, and may have a rival that makes it at the same time.
func openOrCreate(s *bucket.Store, id format.Identity) (*format.Archive, error) {
	a, err := format.OpenOrCreate(s, format.Identity{})
	if err != nil || a.Identity().Capture != nil {
		return a, err
	}
	return a, a.SetIdentity(id)
}

// seal writes the records of a partition from where the archive goes on up to next, and seals them.
func seal(a *format.Archive, tp format.TopicPartition, next int64) error {
	from := int64(0)
	if at, ok, err := a.Resume(tp); err != nil {
		return err
	} else if ok {
		from = at.Next
	}
	if from >= next {
		return nil
	}
	p, err := a.NewSegment(format.WriterOptions{Topic: tp.Topic, Partition: tp.Partition, Base: from, Source: origin.Source{ClusterID: "c"}})
	if err != nil {
		return err
	}
	defer p.Discard()
	for at := from; at < next; at++ {
		if err := p.Write(&format.Record{Offset: at, Key: fmt.Append(nil, at), Value: fmt.Appendf(nil, "%s %d", tp, at), LeaderEpoch: format.NoLeaderEpoch}); err != nil {
			return err
		}
	}
	_, _, err = p.Seal(next)
	return err
}

// whole checks that an archive holds the records [0, n) of orders, each once.
func whole(s *bucket.Store, n int64) error {
	a, err := format.Open(s)
	if err != nil {
		return err
	}
	c := scan.NewCursor(a, orders, format.Selection{})
	defer c.Close()
	at := int64(0)
	for {
		list, err := c.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.Offset != at || string(r.Value) != fmt.Sprintf("%s %d", orders, at) {
				return fmt.Errorf("record %d %q, want %d", r.Offset, r.Value, at)
			}
			at++
		}
	}
	if at != n {
		return fmt.Errorf("%d records, want %d", at, n)
	}
	return format.Verify(s, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
}

func TestAnArchiveIsWrittenToABucketAndGoesOn(t *testing.T) {
	b := membucket.New()
	s := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "run1"})
	if _, err := format.OpenForWriting(s); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("nothing there: got %v", err)
	}
	for round := range int64(3) {
		a, err := openOrCreate(s, plan(3))
		ok(t, err)
		id := plan(round + 1)
		ok(t, a.SetIdentity(id))
		ok(t, seal(a, orders, round+1))
		ok(t, a.Close())
		ok(t, a.Close())
	}
	ok(t, whole(s, 3))
	a, err := format.Open(s)
	ok(t, err)
	if got := a.Identity(); got.Capture.Partitions[0].End != 3 || got.Revision != 4 || got.Version != "1.2" {
		t.Errorf("identity: got end %d, revision %d, version %s", got.Capture.Partitions[0].End, got.Revision, got.Version)
	}
	if got := len(strings.Split(strings.TrimSpace(read(t, s, "SHA256SUMS")), "\n")); got != 3 {
		t.Errorf("lines of SHA256SUMS: got %d, want 3", got)
	}
	other0 := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "run0"})
	nobody, err := format.Create(other0, format.Identity{})
	ok(t, err)
	ok(t, nobody.Close())
	if _, err := format.Open(other0); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("created, and nothing done: got %v", err)
	}
	if _, err := format.Create(s, format.Identity{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create where there is one: got %v", err)
	}
	ok(t, s.Put("else/where", nil, false))
	other := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "run1/else"})
	if _, err := format.Create(other, format.Identity{}); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("create where other things are: got %v", err)
	}
}

// download copies the objects of an archive into a directory, as tools do that know nothing of archives.
func download(t *testing.T, s *bucket.Store) string {
	t.Helper()
	dir := t.TempDir()
	ok(t, s.List(".", func(name string, _ int64) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(read(t, s, name)), 0o640)
	}))
	return dir
}

func TestABucketAndADirectoryAreCopiesOfEachOther(t *testing.T) {
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{Prefix: "run1"})
	a, err := openOrCreate(s, plan(1))
	ok(t, err)
	ok(t, a.SetIdentity(plan(2)))
	ok(t, seal(a, orders, 2))
	ok(t, a.Close())

	fsys, err := storage.DirFS(download(t, s))
	ok(t, err)
	there, err := format.OpenForWriting(fsys)
	ok(t, err)
	if got := there.Identity().Capture.Partitions[0].End; got != 2 {
		t.Errorf("end of the plan in the directory: got %d, want 2", got)
	}
	ok(t, there.SetIdentity(plan(4)))
	ok(t, seal(there, orders, 4))
	ok(t, there.Close())
	again, err := format.Open(fsys)
	ok(t, err)
	if got := again.Identity().Capture.Partitions[0].End; got != 4 {
		t.Errorf("end of the plan after the directory was written to: got %d, want 4", got)
	}

	// And back, to where nothing is.
	back := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	for _, name := range []string{"karchive.json", "SHA256SUMS", "plans/00000000000000000002.json"} {
		ok(t, back.Put(name, []byte(read(t, fsys, name)), true))
	}
	for _, seg := range again.Segments(orders) {
		ok(t, back.Put(seg.Path, []byte(read(t, fsys, seg.Path)), true))
	}
	ok(t, whole(back, 4))
	third, err := format.OpenForWriting(back)
	ok(t, err)
	ok(t, third.SetIdentity(plan(5)))
	ok(t, seal(third, orders, 5))
	ok(t, third.Close())
	ok(t, whole(back, 5))
}

func TestOfTwoThatMakeAnArchiveOneDoes(t *testing.T) {
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	one, err := format.Create(s, format.Identity{})
	ok(t, err)
	two, err := format.Create(s, format.Identity{})
	ok(t, err)
	ok(t, one.SetIdentity(plan(2)))
	if err := two.SetIdentity(plan(3)); !errors.Is(err, format.ErrChanged) {
		t.Fatalf("got %v, want %v", err, format.ErrChanged)
	}
	ok(t, two.Refresh())
	ok(t, seal(two, orders, 2))
	ok(t, two.Close())
	ok(t, whole(s, 2))
	if two.Identity().ArchiveID != one.Identity().ArchiveID {
		t.Error("they have two archives")
	}
	three, err := format.Create(bucket.New(t.Context(), membucket.New().Open(), bucket.Options{}), format.Identity{})
	ok(t, err)
	ok(t, seal(three, orders, 2)) // nothing is known of it, and yet it is an archive
	ok(t, three.Close())
}

func TestAnIdentityIsNotChangedBehindAWritersBack(t *testing.T) {
	b := membucket.New()
	s := bucket.New(t.Context(), b.Open(), bucket.Options{})
	one, err := openOrCreate(s, plan(1))
	ok(t, err)
	two, err := format.OpenForWriting(s)
	ok(t, err)
	ok(t, one.SetIdentity(plan(2)))
	if err := two.SetIdentity(plan(3)); !errors.Is(err, format.ErrChanged) {
		t.Errorf("got %v, want %v", err, format.ErrChanged)
	}
	ok(t, two.Refresh())
	if got := two.Identity().Capture.Partitions[0].End; got != 2 {
		t.Errorf("after Refresh: got end %d, want 2", got)
	}
	ok(t, two.SetIdentity(plan(3)))
	other := plan(3)
	other.ArchiveID = "28b68daa-0ebe-467e-b046-c7daf15b14f0"
	if err := two.SetIdentity(other); err == nil {
		t.Error("an archive in a bucket got another id")
	}
}

func TestOfTwoWritersOneWinsAndTheOtherGoesOnBehindIt(t *testing.T) {
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	one, err := openOrCreate(s, plan(9))
	ok(t, err)
	two, err := format.OpenForWriting(s)
	ok(t, err)
	ok(t, seal(one, orders, 4))
	if err := seal(two, orders, 6); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("got %v, want %v", err, fs.ErrExist)
	}
	ok(t, two.Refresh(orders))
	ok(t, seal(two, orders, 6))
	ok(t, one.Refresh(orders))
	ok(t, seal(one, orders, 9))
	ok(t, one.Close())
	ok(t, two.Close())
	ok(t, whole(s, 9))
	if got := strings.Count(read(t, s, "SHA256SUMS"), "\n"); got != 3 {
		t.Errorf("lines of SHA256SUMS: got %d, want 3", got)
	}
}

func TestAStagedArchiveIsThereWhenItIsWhole(t *testing.T) {
	b := membucket.New()
	s := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "new"})
	a, err := format.StageStore(s, plan(2))
	ok(t, err)
	ok(t, seal(a, orders, 2))
	ok(t, a.SetIdentity(plan(2)))
	if _, err := format.Open(s); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("before Commit: got %v, want %v", err, format.ErrNotArchive)
	}
	ok(t, a.Commit())
	ok(t, a.Close())
	ok(t, whole(s, 2))

	other := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "abandoned"})
	a, err = format.StageStore(other, plan(2))
	ok(t, err)
	ok(t, seal(a, orders, 2))
	ok(t, a.Close())
	ok(t, other.List(".", func(name string, _ int64) error {
		if !strings.HasPrefix(name, ".karchive-") {
			t.Errorf("left of an abandoned archive: %s", name)
		}
		return nil
	}))
}

func TestSumsOfABucketAreWrittenAgain(t *testing.T) {
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	a, err := openOrCreate(s, plan(2))
	ok(t, err)
	ok(t, seal(a, orders, 1))
	ok(t, seal(a, orders, 2))
	ok(t, whole(s, 2)) // its writer still lives: there are no sums
	ok(t, format.RebuildSums(s, func(format.FileCheck) error { return nil }))
	if got := strings.Count(read(t, s, "SHA256SUMS"), "\n"); got != 2 {
		t.Errorf("lines of SHA256SUMS: got %d, want 2", got)
	}
	ok(t, whole(s, 2))
}

func TestDamageInABucketIsFoundWithoutSums(t *testing.T) {
	b := membucket.New()
	s := bucket.New(t.Context(), b.Open(), bucket.Options{})
	a, err := openOrCreate(s, plan(1))
	ok(t, err)
	ok(t, seal(a, orders, 1))
	path := a.Segments(orders)[0].Path
	content := []byte(read(t, s, path))
	sha, err := s.SHA256(path)
	ok(t, err)
	content[8] ^= 1
	ok(t, b.Objects().WriteAll(t.Context(), path, content, nil))
	if err := whole(s, 1); !errors.Is(err, format.ErrCorrupt) {
		t.Errorf("without metadata: got %v, want %v", err, format.ErrCorrupt)
	}
	if sha == "" {
		t.Error("the object has no SHA-256")
	}
}

// TestTwoWritersAreKilledAgainAndAgain has two writers take turns at one archive, of which each is killed at any request, before or after it was
// done, while others fail for a moment. What comes of it is what one writer would have written.
func TestTwoWritersAreKilledAgainAndAgain(t *testing.T) {
	for seed := range crashruns.Seeds(60, 20) {
		if err := killed(t, seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func killed(t *testing.T, seed uint64) error {
	const end = 30
	r := rand.New(rand.NewPCG(seed, 7))
	objects := membucket.New()
	clients := [2]*membucket.Bucket{}
	writers := [2]*format.Archive{}
	for turn := 0; ; turn++ {
		if turn > 1000 {
			return errors.New("it does not come to an end")
		}
		i := r.IntN(2)
		if writers[i] == nil {
			c := objects.Other()
			c.Seed, c.Faults, c.KillAt = r.Uint64(), 0.1, 1+r.IntN(40)
			clients[i] = c
			a, err := openOrCreate(bucket.New(t.Context(), c.Open(), bucket.Options{}).WithoutPauses(), plan(end))
			if err != nil && !errors.Is(err, membucket.ErrKilled) && !errors.Is(err, format.ErrChanged) {
				return fmt.Errorf("open: %w\n%s", err, strings.Join(c.Trace(), "\n"))
			}
			if err == nil {
				writers[i] = a
			}
			continue
		}
		done, err := step(writers[i], r, end)
		switch {
		case errors.Is(err, membucket.ErrKilled):
			writers[i] = nil
		case err != nil:
			return fmt.Errorf("%w\n%s", err, strings.Join(clients[i].Trace(), "\n"))
		case done:
			if err := writers[i].Close(); err != nil && !errors.Is(err, membucket.ErrKilled) {
				return err
			}
			return whole(bucket.New(t.Context(), objects.Other().Open(), bucket.Options{}), end)
		}
	}
}

// step seals a segment of any length, or finds that another writer came first.
func step(a *format.Archive, r *rand.Rand, end int64) (done bool, err error) {
	next := int64(0)
	if at, ok, err := a.Resume(orders); err != nil {
		return false, err
	} else if ok {
		next = at.Next
	}
	if next == end {
		return true, nil
	}
	err = seal(a, orders, min(end, next+1+r.Int64N(8)))
	if errors.Is(err, fs.ErrExist) {
		err = a.Refresh(orders)
	}
	return false, err
}
