package replay

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestWhoWaitsForAWindowIsWokenOnceHalfOfItIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(100, false)
		for range 100 {
			if err := w.take(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		var small, large atomic.Bool
		take := func(n int64, taken *atomic.Bool) {
			if err := w.take(t.Context(), n); err != nil {
				t.Error(err)
			}
			taken.Store(true)
		}
		go take(1, &small)
		synctest.Wait()
		for range 49 {
			w.give(1)
		}
		if synctest.Wait(); small.Load() {
			t.Error("it was woken for less than half of the window")
		}
		w.give(1)
		if synctest.Wait(); !small.Load() || w.used != 51 {
			t.Errorf("%d bytes are under way, want 51, with that of who waited", w.used)
		}
		go take(1000, &large) // which is more than the window, and goes alone
		synctest.Wait()
		for range 50 {
			w.give(1)
		}
		if synctest.Wait(); large.Load() {
			t.Error("a record larger than the window did not wait to be alone")
		}
		w.give(1)
		if synctest.Wait(); !large.Load() || w.used != 1000 {
			t.Errorf("%d bytes are under way, want the 1000 of the large record alone", w.used)
		}
	})
}

func TestWhoWaitsForAWindowEndsWithItsContext(t *testing.T) {
	w := newWindow(10, false)
	if err := w.take(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if err := w.take(ctx, 1); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the end", err)
	}
	var none *window
	if err := none.take(ctx, 1); err != nil {
		t.Errorf("without a window: %v", err)
	}
	none.give(1)
}

// BenchmarkWindow sends batches of 1,000 records of 1 kB through a window of 1 MB, and has each acknowledged as the client does it.
func BenchmarkWindow(b *testing.B) {
	w, batch := newWindow(1_000_000, false), make(chan int, 1100)
	go func() {
		for range batch {
			w.give(1000)
		}
	}()
	for b.Loop() {
		if err := w.take(b.Context(), 1000); err != nil {
			b.Fatal(err)
		}
		batch <- 1
	}
	close(batch)
}

func TestAWindowWithADetourHasAnOversizedRecordAloneAndInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(1000, true)
		small, large := &kgo.Record{Value: make([]byte, 100)}, &kgo.Record{Value: make([]byte, 1000)}
		equalInt(t, "weight of a record that fits", w.weigh(small), 1)
		if n := w.weigh(large); !w.detours(n) || w.detours(1) {
			t.Errorf("weight %d of one that does not: want that it makes a detour, and the other none", n)
		}
		var largeIn, smallIn atomic.Int64
		take := func(r *kgo.Record, in *atomic.Int64) {
			if err := w.take(t.Context(), w.weigh(r)); err != nil {
				t.Error(err)
			}
			in.Add(1)
		}
		for range 2000 { // which are more bytes than a batch
			take(small, new(atomic.Int64))
		}
		go take(large, &largeIn)
		synctest.Wait()
		go take(small, &smallIn)
		go take(small, &smallIn)
		synctest.Wait()
		for range 1999 {
			w.give(1)
		}
		synctest.Wait()
		equalInt(t, "let in before all were acknowledged", largeIn.Load()+smallIn.Load(), 0)
		w.give(1)
		synctest.Wait()
		equalInt(t, "oversized records let in when all were", largeIn.Load(), 1)
		equalInt(t, "records let in next to it", smallIn.Load(), 0)
		w.give(w.weigh(large))
		synctest.Wait()
		equalInt(t, "records let in behind it", smallIn.Load(), 2)
		equalInt(t, "under way", w.used, 2)
	})
}

func TestWhoLeavesAWindowLetsTheNextIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(1000, true)
		ctx, cancel := context.WithCancel(t.Context())
		w.used = 1
		var large, small error = nil, errors.New("not yet")
		go func() { large = w.take(ctx, w.size) }()
		synctest.Wait()
		go func() { small = w.take(t.Context(), 1) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(large, context.Canceled) || small != nil {
			t.Errorf("the first got %v, the second %v, want that it ended, and nil", large, small)
		}
		w.give(1)
		w.give(1)
		equalInt(t, "under way", w.used, 0)
	})
}

func equalInt(t *testing.T, what string, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}
