package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/membucket"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// spooled is a file with content, and the SHA-256 of it.
func spooled(t *testing.T, s *bucket.Store, content []byte) (storage.File, string) {
	t.Helper()
	f, err := s.Spool()
	ok(t, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.Write(content)
	ok(t, err)
	sum := sha256.Sum256(content)
	return f, hex.EncodeToString(sum[:])
}

const segment = "data/topic=orders/partition=0/00000000000000000000.parquet"

func read(t *testing.T, fsys storage.ReadFS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	ok(t, err)
	defer f.Close()
	size, err := f.Size()
	ok(t, err)
	b, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	ok(t, err)
	return string(b)
}

// golden puts an archive of testdata into a bucket.
func golden(t *testing.T, s *bucket.Store, name string) {
	t.Helper()
	root := filepath.Join("..", "testdata", name)
	ok(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return s.Put(filepath.ToSlash(rel), content, true)
	}))
}

func TestAnArchiveInABucketIsReadAsInADirectory(t *testing.T) {
	for _, name := range []string{"golden-1.0", "golden-1.1-arrow", "golden-1.0-ledger"} {
		for _, prefix := range []string{"", "some/where"} {
			b := membucket.New()
			s := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: prefix})
			golden(t, s, name)
			here, err := format.Open(s)
			ok(t, err)
			there, err := format.OpenPath(filepath.Join("..", "testdata", name))
			ok(t, err)
			if got, want := records(t, here), records(t, there); got != want {
				t.Errorf("%s at %q: got %q, want %q", name, prefix, got, want)
			}
			ok(t, format.Verify(s, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() }))
		}
	}
}

// records is the digest of every row group of an archive, after it was decoded.
func records(t *testing.T, a *format.Archive) string {
	t.Helper()
	var all strings.Builder
	for _, tp := range a.Partitions() {
		c := scan.NewCursor(a, tp, format.Selection{})
		for {
			list, err := c.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			ok(t, err)
			for _, r := range list {
				fmt.Fprintf(&all, "%s %d %q %q\n", tp, r.Offset, r.Key, r.Value)
			}
		}
		ok(t, c.Close())
	}
	return all.String()
}

func TestFootersAreReadOnceAndRowGroupsWithFewRequests(t *testing.T) {
	b := membucket.New()
	s := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "a"})
	golden(t, s, "golden-1.0")
	before := s.Requests()
	a, err := format.Open(s)
	ok(t, err)
	segments := 0
	for _, tp := range a.Partitions() {
		segments += len(a.Segments(tp))
	}
	for range 3 {
		_, err = a.Completeness(format.Selection{})
		ok(t, err)
	}
	now := s.Requests()
	// karchive.json, SHA256SUMS and a footer for each segment.
	if got, want := now.Get-before.Get, int64(2+segments); got != want {
		t.Errorf("GET: got %d, want %d: %s", got, want, strings.Join(b.Trace(), "\n"))
	}
	if got := now.List - before.List; got != 1 {
		t.Errorf("LIST: got %d, want 1", got)
	}
	if now.Head != before.Head {
		t.Errorf("HEAD: got %d, want %d", now.Head, before.Head)
	}
}

func TestAnObjectIsReadByRanges(t *testing.T) {
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	content := make([]byte, 9<<20)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(content)
	f, sha := spooled(t, s, content)
	ok(t, s.Publish(segment, f, sha))
	in, err := s.Open(segment)
	ok(t, err)
	defer in.Close()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		at := random.Int64N(int64(len(content)) + 10)
		b := make([]byte, random.IntN(1<<random.IntN(22)))
		n, err := in.ReadAt(b, at)
		want := content[min(at, int64(len(content))):]
		want = want[:min(len(want), len(b))]
		if !bytes.Equal(b[:n], want) || (n < len(b)) != (err == io.EOF) {
			t.Fatalf("ReadAt of %d at %d: got %d bytes, %v, want %d", len(b), at, n, err, len(want))
		}
	}
	before := s.Requests().Get
	if got := read(t, s, segment); got != string(content) {
		t.Error("the object that was read from its beginning to its end is another")
	}
	if got := s.Requests().Get - before; got > 6 {
		t.Errorf("requests for 9 MiB in a row: got %d, want at most 6", got)
	}
}

func TestTheMemoryOfOpenObjectsIsBounded(t *testing.T) {
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	content := make([]byte, 600<<10)
	var open []storage.ReadFile
	for i := range 200 {
		name := fmt.Sprintf("data/topic=t/partition=%d/00000000000000000000.parquet", i)
		content[0] = byte(i)
		ok(t, s.Put(name, content, false))
		f, err := s.Open(name)
		ok(t, err)
		open = append(open, f)
		_, err = f.ReadAt(make([]byte, 10), 1)
		ok(t, err)
	}
	if got := s.WindowBytes(); got > bucket.MostWindowBytes {
		t.Errorf("windows of %d open objects: got %d bytes, want at most %d", len(open), got, bucket.MostWindowBytes)
	}
	for i, f := range open {
		var b [1]byte
		_, err := f.ReadAt(b[:], 0)
		ok(t, err)
		if b[0] != byte(i) {
			t.Errorf("object %d: got %d", i, b[0])
		}
		ok(t, f.Close())
	}
	if got := s.WindowBytes(); got != 0 {
		t.Errorf("windows of no open object: got %d bytes", got)
	}
}

func TestANameIsGivenOnce(t *testing.T) {
	b := membucket.New()
	s := bucket.New(t.Context(), b.Open(), bucket.Options{})
	f, sha := spooled(t, s, []byte("one"))
	ok(t, s.Publish(segment, f, sha))
	ok(t, s.Publish(segment, f, sha)) // the same bytes
	other, otherSHA := spooled(t, s, []byte("two"))
	if err := s.Publish(segment, other, otherSHA); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another object of the name: got %v, want %v", err, fs.ErrExist)
	}
	if got := read(t, s, segment); got != "one" {
		t.Errorf("got %q", got)
	}
	// A tool that copies objects dropped the metadata.
	ok(t, s.Remove(segment))
	ok(t, b.Objects().WriteAll(t.Context(), segment, []byte("one"), nil))
	ok(t, s.Publish(segment, f, sha))
	if err := s.Publish(segment, other, otherSHA); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another object of the name, without metadata: got %v, want %v", err, fs.ErrExist)
	}
}

func TestOfRacingWritersOneWins(t *testing.T) {
	b := membucket.New()
	var won sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := bucket.New(t.Context(), b.Other().Open(), bucket.Options{})
			f, sha := spooled(t, s, fmt.Appendf(nil, "writer %d", i))
			if err := s.Publish(segment, f, sha); err == nil {
				won.Store(i, true)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var winners []any
	won.Range(func(i, _ any) bool { winners = append(winners, i); return true })
	s := bucket.New(t.Context(), b.Other().Open(), bucket.Options{})
	if got := read(t, s, segment); len(winners) != 1 || got != fmt.Sprintf("writer %v", winners[0]) {
		t.Errorf("winners: got %v, and the object is %q", winners, got)
	}
}

// TestWhatMayPassIsTriedAgain makes three in ten requests fail, half of them after they were done.
func TestWhatMayPassIsTriedAgain(t *testing.T) {
	for seed := range crashruns.Seeds(100, 100) {
		synctest.Test(t, func(t *testing.T) {
			b := membucket.New()
			b.Seed, b.Faults = seed, 0.3
			s := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "p"})
			if err := faulty(t, s); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(b.Trace(), "\n"))
			}
		})
		if t.Failed() {
			return
		}
	}
}

func faulty(t *testing.T, s *bucket.Store) error {
	if err := s.Probe(); err != nil {
		return err
	}
	f, sha := spooled(t, s, []byte("content"))
	if err := s.Publish(segment, f, sha); err != nil {
		return err
	}
	other, otherSHA := spooled(t, s, []byte("CONTENT"))
	if err := s.Publish(segment, other, otherSHA); !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("another object of the name: got %v", err)
	}
	var listed []string
	if err := s.List("data", func(name string, _ int64) error { listed = append(listed, name); return nil }); err != nil {
		return err
	}
	if !slices.Equal(listed, []string{segment}) {
		return fmt.Errorf("list: got %q", listed)
	}
	if got := read(t, s, segment); got != "content" {
		return fmt.Errorf("read: got %q", got)
	}
	if err := s.Remove(segment); err != nil {
		return err
	}
	if _, err := s.Stat(segment); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("after it was removed: got %v", err)
	}
	return nil
}

func TestAStoreThatStaysDownIsNamedAfterThePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := membucket.New()
		told := 0
		s := bucket.New(t.Context(), b.Open(), bucket.Options{Patience: time.Minute, OnTrouble: func(error) { told++ }})
		ok(t, s.Put("a", []byte("x"), false))
		b.Faults = 1
		begun := time.Now()
		_, err := s.Open("a")
		var gave *bucket.GaveUpError
		if !errors.As(err, &gave) || gave.For < time.Minute {
			t.Errorf("got %v, want a GaveUpError after a minute", err)
		}
		if took := time.Since(begun); took > 2*time.Minute {
			t.Errorf("it took %s", took)
		}
		if told == 0 || told > 7 {
			t.Errorf("told %d times", told)
		}
		if s.Requests().Again == 0 {
			t.Error("no request was counted as another attempt")
		}
	})
}

func TestAStoreThatWasNeverReachedIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := membucket.New()
		b.Faults = 1
		s := bucket.New(t.Context(), b.Open(), bucket.Options{})
		begun := time.Now()
		_, err := s.Open("karchive.json")
		if took := time.Since(begun); err == nil || took > 2*bucket.FirstPatience {
			t.Errorf("got %v after %s", err, took)
		}
	})
}

func TestAnEndedContextEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		b := membucket.New()
		s := bucket.New(ctx, b.Open(), bucket.Options{})
		ok(t, s.Put("a", []byte("x"), false))
		b.Faults = 1
		stopped := errors.New("stopped")
		time.AfterFunc(3*time.Second, func() { cancel(stopped) })
		if _, err := s.Open("a"); !errors.Is(err, stopped) {
			t.Errorf("got %v, want %v", err, stopped)
		}
	})
}

func TestAStoreWithoutAFenceIsRefusedByName(t *testing.T) {
	b := membucket.New()
	b.NoIf = true
	s := bucket.New(t.Context(), b.Open(), bucket.Options{Prefix: "run1", Name: "s3://bkt/run1"})
	var fence *bucket.FenceError
	if err := s.Probe(); !errors.As(err, &fence) || !strings.Contains(err.Error(), "s3://bkt/run1") {
		t.Errorf("got %v, want a FenceError that names the archive", err)
	}
	good := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	for range 3 {
		ok(t, good.Probe())
	}
}

func TestNamesThatLeadOutsideAreRefused(t *testing.T) {
	b := memblob.OpenBucket(nil)
	ok(t, b.WriteAll(t.Context(), "secret", []byte("x"), nil))
	s := bucket.New(t.Context(), b, bucket.Options{Prefix: "in"})
	for _, name := range []string{"../secret", "..", "/secret", "a/../../secret", "", "a//b", "./a"} {
		_, opened := s.Open(name)
		_, stated := s.Stat(name)
		_, listed := s.ReadDir(name)
		_, hashed := s.SHA256(name)
		for what, err := range map[string]error{"Open": opened, "Stat": stated, "ReadDir": listed, "SHA256": hashed,
			"Put": s.Put(name, nil, true), "Remove": s.Remove(name), "List": s.List(name, func(string, int64) error { return nil })} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s of %q: got %v, want %v", what, name, err, fs.ErrInvalid)
			}
		}
	}
}

func TestDirectoriesAreWhatNamesGoThrough(t *testing.T) {
	b := memblob.OpenBucket(nil)
	s := bucket.New(t.Context(), b, bucket.Options{Prefix: "p"})
	for _, key := range []string{"p/a", "p/d/b", "p/d/e/c", "p/d/", "q/other", "pp"} {
		ok(t, b.WriteAll(t.Context(), key, []byte("x"), nil))
	}
	for dir, want := range map[string]string{".": "a d/", "d": "b e/"} {
		list, err := s.ReadDir(dir)
		ok(t, err)
		var got []string
		for _, e := range list {
			name := e.Name()
			if e.IsDir() {
				name += "/"
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("names in %s: got %q, want %q", dir, got, want)
		}
	}
	_, err := s.ReadDir("none")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadDir of what is not there: got %v", err)
	}
	info, err := s.Stat("d")
	ok(t, err)
	if !info.IsDir() {
		t.Errorf("d is no directory: %v", info.Mode())
	}
	if _, err := s.Open("d"); err == nil {
		t.Error("a directory was opened")
	}
}

func TestASpoolFileIsGoneWhenItIsClosed(t *testing.T) {
	dir := t.TempDir()
	s := bucket.New(t.Context(), memblob.OpenBucket(nil), bucket.Options{Spool: dir})
	f, err := s.Spool()
	ok(t, err)
	_, err = f.Write([]byte("x"))
	ok(t, err)
	ok(t, f.Close())
	left, err := os.ReadDir(dir)
	ok(t, err)
	if len(left) > 0 {
		t.Errorf("left in the spool: %v", left)
	}
	s = bucket.New(t.Context(), memblob.OpenBucket(nil), bucket.Options{Spool: filepath.Join(dir, "none")})
	if _, err := s.Spool(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a spool directory that is not there: got %v", err)
	}
}
