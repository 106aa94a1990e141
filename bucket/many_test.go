package bucket_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/membucket"
)

// TestManySegmentsAreReadWithAFewRequestsOrOneEachAndSeveralAtATime has more segments than a page of a list, and than documents that are in memory at once.
func TestManySegmentsAreReadWithAFewRequestsOrOneEachAndSeveralAtATime(t *testing.T) {
	const partitions, each = 3, 400
	written := membucket.New()
	a, err := format.Create(bucket.New(t.Context(), written.Open(), bucket.Options{}), format.Identity{})
	ok(t, err)
	for p := range int32(partitions) {
		for next := int64(1); next <= each; next++ {
			ok(t, seal(a, format.TopicPartition{Topic: "orders", Partition: p}, next))
		}
	}
	ok(t, a.Close())
	far := written.Other()
	far.Delay = time.Second
	synctest.Test(t, func(t *testing.T) {
		s := bucket.New(t.Context(), far.Open(), bucket.Options{})
		covered(t, s, partitions*each)
		r := s.Requests()
		// karchive.json and SHA256SUMS, a few footers and then the catalog; the plans, and two pages of segments, twice
		if got, want := [3]int64{r.Get, r.List, r.Head}, [3]int64{2 + 8 + 1, 5, 0}; got != want {
			t.Errorf("GET, LIST and HEAD: got %v, want %v: %s", got, want, lists(far))
		}
		ok(t, far.Objects().Delete(t.Context(), ".karchive-catalog"))
		began := time.Now()
		s = bucket.New(t.Context(), far.Open(), bucket.Options{})
		covered(t, s, partitions*each)
		r = s.Requests()
		if got, want := [3]int64{r.Get, r.List, r.Head}, [3]int64{2 + partitions*each + 1, 5, 0}; got != want {
			t.Errorf("without a catalog GET, LIST and HEAD: got %v, want %v: %s", got, want, lists(far))
		}
		if got, most := time.Since(began), 100*time.Second; got > most { // one at a time: 1,205 s
			t.Errorf("got %s, want at most %s: not 16 at a time", got, most)
		}
	})
}

func TestReadersOfOneFileWaitForASlowStore(t *testing.T) {
	far := membucket.New()
	ok(t, bucket.New(t.Context(), far.Open(), bucket.Options{}).Put("data/a", []byte("abc"), false))
	far.Delay = time.Second
	synctest.Test(t, func(t *testing.T) {
		f, err := bucket.New(t.Context(), far.Open(), bucket.Options{}).Open("data/a")
		ok(t, err)
		var all errgroup.Group
		for at := range int64(3) {
			all.Go(func() error {
				var b [1]byte
				_, err := f.ReadAt(b[:], at)
				if got, want := b[0], "abc"[at]; err == nil && got != want {
					err = fmt.Errorf("offset %d: got %q, want %q", at, got, want)
				}
				return err
			})
		}
		ok(t, all.Wait())
	})
}

func lists(b *membucket.Bucket) string {
	return strings.Join(slices.DeleteFunc(b.Trace(), func(s string) bool { return !strings.Contains(s, " LIST ") }), "\n")
}

// covered reads all footers of an archive.
func covered(t *testing.T, s *bucket.Store, segments int) {
	t.Helper()
	a, err := format.Open(s)
	ok(t, err)
	_, err = a.Completeness(format.Selection{})
	ok(t, err)
	got := 0
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		ok(t, err)
		got += c.Segments
	}
	if got != segments {
		t.Errorf("%d segments, want %d", got, segments)
	}
}
