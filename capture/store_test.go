package capture

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/membucket"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// runIn captures into whatever is in the bucket, as the command does.
func runIn(ctx context.Context, b *broker, client *membucket.Bucket, o Options) (Report, error) {
	s := bucket.New(context.Background(), client.Open(), bucket.Options{Prefix: "run1"})
	a, err := format.OpenOrCreate(s, format.Identity{})
	if err != nil {
		return Report{}, err
	}
	r, err := Run(ctx, b.dial, a, b.options(o))
	return r, errors.Join(err, a.Close())
}

// objects are those of data/ in a bucket.
func objects(t *testing.T, b *membucket.Bucket) map[string]string {
	t.Helper()
	s := bucket.New(context.Background(), b.Other().Open(), bucket.Options{Prefix: "run1"})
	all := map[string]string{}
	err := s.List("data", func(name string, size int64) error {
		f, err := s.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		content, err := io.ReadAll(io.NewSectionReader(f, 0, size))
		all[name] = string(content)
		return err
	})
	if err == nil {
		err = format.Verify(s, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSnapshotsIntoABucketThatAreKilledMakeTheSameBytes has one or two captures at a time, whose processes are killed at any request, while others fail
// for a moment.
func TestSnapshotsIntoABucketThatAreKilledMakeTheSameBytes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := newCrashLog(t, format.Parquet, newVirtualBroker)
		want := l.whole.data()
		for seed := range crashruns.Seeds(25, 5) {
			bkt := membucket.New()
			r := rand.New(rand.NewPCG(seed, 3))
			for try := 0; ; try++ {
				if try > 200 {
					t.Fatalf("seed %d: it does not come to an end", seed)
				}
				errs := l.killedRuns(t, bkt, r)
				if errs == 0 {
					break
				}
			}
			got := objects(t, bkt)
			if len(got) != len(want) {
				t.Fatalf("seed %d: got %d segments, want %d", seed, len(got), len(want))
			}
			for name, content := range want {
				if got[name] != content {
					t.Fatalf("seed %d: %s has %d other bytes than an undisturbed capture writes", seed, name, len(got[name]))
				}
			}
		}
	})
}

// killedRuns captures once or twice at the same time, and counts what did not come to its end.
func (l *crashLog) killedRuns(t *testing.T, bkt *membucket.Bucket, r *rand.Rand) (unfinished int) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 1 + r.IntN(2) {
		c := bkt.Other()
		c.Seed, c.Faults, c.KillAt = r.Uint64(), 0.05, 1+r.IntN(60)
		all.Go(func() {
			_, err := runIn(t.Context(), l.broker, c, l.settings())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				unfinished++
			}
			if err != nil && !errors.Is(err, membucket.ErrKilled) {
				t.Errorf("%v\n%s", err, strings.Join(c.Trace(), "\n"))
			}
		})
	}
	all.Wait()
	return unfinished
}

func TestTwoFollowCapturesOfOneArchiveTakeEachRecordOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		bkt := membucket.New()
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		overtaken := 0
		var mu sync.Mutex
		for i := range 2 {
			all.Go(func() {
				c := bkt.Other()
				c.Seed, c.Faults = uint64(i), 0.05
				o := Options{Topics: []string{"orders"}, Follow: true, RotateInterval: time.Duration(20+15*i) * time.Second}
				r, err := runIn(ctx, b, c, o)
				mu.Lock()
				defer mu.Unlock()
				overtaken += r.Overtaken
				if err != nil {
					t.Errorf("capture %d: %v", i, err)
				}
			})
		}
		sent := map[int32]int{}
		for i := range 40 {
			time.Sleep(5 * time.Second)
			if i == 20 { // both want the new partition
				if _, err := b.admin().UpdatePartitions(t.Context(), 3, "orders"); err != nil {
					t.Fatal(err)
				}
			}
			for p := range int32(2 + i/30) {
				b.fill("orders", p, 7)
				sent[p] += 7
			}
		}
		time.Sleep(time.Minute)
		stop()
		all.Wait()
		if overtaken == 0 {
			t.Error("neither of the two ever came second: nothing was tested")
		}
		objects(t, bkt) // are an archive
		s := bucket.New(context.Background(), bkt.Other().Open(), bucket.Options{Prefix: "run1"})
		a, err := format.Open(s)
		if err != nil {
			t.Fatal(err)
		}
		for p, n := range sent {
			if got := countRecords(t, a, p); got != n {
				t.Errorf("partition %d: got %d records, want %d", p, got, n)
			}
		}
	})
}

// TestLanesThatSealAtOnceWaitForASlowStore stands still, for good, when a lane waits for a sync.Mutex that is held during a request.
func TestLanesThatSealAtOnceWaitForASlowStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders", "payments")) // both are described when they are sealed
		b.fill("orders", 0, 7)
		b.fill("payments", 0, 7)
		bkt := membucket.New()
		bkt.Delay = time.Second
		r, err := runIn(t.Context(), b, bkt, Options{Topics: []string{"orders", "payments"}})
		if err != nil || r.Records != 14 {
			t.Errorf("got %d records and %v, want 14", r.Records, err)
		}
	})
}

// countRecords counts the records of a partition of orders, whose offsets must be without a hole.
func countRecords(t *testing.T, a *format.Archive, partition int32) int {
	t.Helper()
	n := 0
	for r, err := range a.Records(t.Context(), format.Selection{Topics: []string{"orders"}, Partitions: []int32{partition}}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Offset != int64(n) {
			t.Fatalf("partition %d: got offset %d, want %d", partition, r.Offset, n)
		}
		n++
	}
	return n
}

func TestTheSpoolOfAFollowCaptureIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(4, "orders"))
		bkt := membucket.New()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := runIn(ctx, b, bkt, Options{Topics: []string{"orders"}, Follow: true, RotateInterval: 24 * time.Hour, MemoryBytes: 10 << 10, SpoolBytes: 20 << 10})
			done <- err
		}()
		for range 20 {
			for p := range int32(4) {
				b.fill("orders", p, 60)
			}
			time.Sleep(time.Second)
		}
		early := len(objects(t, bkt))
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if early < 4 {
			t.Errorf("segments that were uploaded before their time: got %d, want some", early)
		}
	})
}
