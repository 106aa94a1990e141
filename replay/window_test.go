package replay

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestWhoWaitsForAWindowIsWokenOnceHalfOfItIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWindow(100)
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
	w := newWindow(10)
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
	w, batch := newWindow(1_000_000), make(chan int, 1100)
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
