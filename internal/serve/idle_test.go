package serve

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/karchive/karchive/format"
)

func TestIdlenessBeginsWithTheFirstClient(t *testing.T) {
	virtually(t, []log{plain(orders0, 0, 3)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		s := start(t, Options{Sources: []Source{{Archive: a}}, Listen: "127.0.0.1:9092", Listener: network.Listen})
		var read atomic.Pointer[time.Time]
		go func() {
			time.Sleep(time.Hour)
			c := reader(t, network, s)
			for c.PollFetches(t.Context()).NumRecords() == 0 {
			}
			now := time.Now()
			read.Store(&now) // and it stays, and polls
			for c.PollFetches(t.Context()).Err() == nil {
			}
		}()
		if err := s.Idle(t.Context(), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		last := read.Load()
		if last == nil {
			t.Fatal("it was idle before anything was read")
		}
		if quiet := time.Since(*last); quiet < 4*time.Second || quiet > 6*time.Second {
			t.Errorf("it was idle %s after the last record, want 5 s", quiet)
		}
	})
}
