package bucket_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/membucket"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

var prunedAt = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// five has five segments of two offsets each.
func five(t *testing.T) *membucket.Bucket {
	t.Helper()
	b := membucket.New()
	a, err := openOrCreate(bucket.New(t.Context(), b.Open(), bucket.Options{}), plan(10))
	ok(t, err)
	for next := int64(2); next <= 10; next += 2 {
		ok(t, seal(a, orders, next))
	}
	ok(t, a.Close())
	return b
}

func pruneTo(s *bucket.Store, until int64) error {
	a, err := format.OpenForWriting(s)
	if err != nil {
		return err
	}
	return errors.Join(a.Prune(map[format.TopicPartition]int64{orders: until}, "keep-bytes 1", prunedAt), a.Close())
}

// begins checks that an archive is sound and where it begins.
func begins(s *bucket.Store, at ...int64) error {
	if err := format.Verify(s, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() }); err != nil {
		return err
	}
	a, err := format.Open(s)
	if err != nil {
		return err
	}
	c, err := a.Coverage(orders)
	if err != nil {
		return err
	}
	for _, from := range at {
		if c.From == from && c.Next == 10 {
			return nil
		}
	}
	return fmt.Errorf("got offsets %d..%d, want them from one of %v to 10", c.From, c.Next, at)
}

// TestAPruneOfABucketThatIsKilledIsEndedByTheNext kills prunes at every request, before or after it was done, while others fail for a moment.
func TestAPruneOfABucketThatIsKilledIsEndedByTheNext(t *testing.T) {
	for seed := range crashruns.Seeds(40, 20) {
		r := rand.New(rand.NewPCG(seed, 11))
		objects := five(t)
		c := objects.Other()
		c.Seed, c.Faults, c.KillAt = r.Uint64(), 0.1, 1+int(seed)
		err := pruneTo(bucket.New(t.Context(), c.Open(), bucket.Options{}).WithoutPauses(), 6)
		if err != nil && !errors.Is(err, membucket.ErrKilled) {
			t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(c.Trace(), "\n"))
		}
		s := bucket.New(t.Context(), objects.Other().Open(), bucket.Options{})
		if err := begins(s, 0, 6); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(c.Trace(), "\n"))
		}
		ok(t, pruneTo(s, 6))
		s = bucket.New(t.Context(), objects.Other().Open(), bucket.Options{})
		if err := begins(s, 6); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, strings.Join(c.Trace(), "\n"))
		}
		left := 0
		ok(t, s.List("data", func(string, int64) error { left++; return nil }))
		if left != 2 {
			t.Fatalf("seed %d: got %d segments, want 2\n%s", seed, left, strings.Join(c.Trace(), "\n"))
		}
	}
}

func TestAWriterAtTheEndGoesOnBesideAPrune(t *testing.T) {
	b := five(t)
	a, err := format.OpenForWriting(bucket.New(t.Context(), b.Open(), bucket.Options{}))
	ok(t, err)
	ok(t, pruneTo(bucket.New(t.Context(), b.Open(), bucket.Options{}), 6))
	ok(t, seal(a, orders, 12))
	ok(t, seal(a, orders, 14))
	ok(t, a.Close())
	r, err := format.Open(bucket.New(t.Context(), b.Open(), bucket.Options{}))
	ok(t, err)
	if c, err := r.Coverage(orders); err != nil || c.From != 6 || c.Next != 14 {
		t.Errorf("got offsets %d..%d, %v, want 6..14", c.From, c.Next, err)
	}
}

// A writer that was paused for long finds the name of its segment free, because what had it was pruned.
func TestAWriterThatWasPausedWhileItsPlaceWasPrunedEnds(t *testing.T) {
	b := membucket.New()
	paused, err := openOrCreate(bucket.New(t.Context(), b.Open(), bucket.Options{}), plan(10))
	ok(t, err)
	ok(t, paused.SetIdentity(paused.Identity()))
	a, err := format.OpenForWriting(bucket.New(t.Context(), b.Open(), bucket.Options{}))
	ok(t, err)
	for next := int64(2); next <= 10; next += 2 {
		ok(t, seal(a, orders, next))
	}
	ok(t, a.Close())
	ok(t, pruneTo(bucket.New(t.Context(), b.Open(), bucket.Options{}), 6))
	if err := seal(paused, orders, 7); !errors.Is(err, format.ErrPruned) {
		t.Errorf("got error %v, want %v", err, format.ErrPruned)
	}
	if err := seal(paused, orders, 9); err == nil {
		t.Error("the writer goes on")
	}
	if err := begins(bucket.New(t.Context(), b.Open(), bucket.Options{}), 6); err != nil {
		t.Error(err)
	}
}

func TestAReaderOfABucketIsToldOfAPrune(t *testing.T) {
	b := five(t)
	a, err := format.Open(bucket.New(t.Context(), b.Open(), bucket.Options{}))
	ok(t, err)
	ok(t, pruneTo(bucket.New(t.Context(), b.Open(), bucket.Options{}), 6))
	if _, err := a.Coverage(orders); !errors.Is(err, format.ErrPruned) {
		t.Errorf("got error %v, want %v", err, format.ErrPruned)
	}
}
