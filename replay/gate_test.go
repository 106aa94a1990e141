package replay

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestNobodyMissesThatAGateIsOpened has somebody come at the moment at which it is opened. With the race detector it takes less than a thousand
// rounds to see who waits for an opening that has been.
func TestNobodyMissesThatAGateIsOpened(t *testing.T) {
	for i := range 3000 {
		synctest.Test(t, func(t *testing.T) { // who waits for good is a deadlock
			g := newGate()
			open := g.close()
			var all sync.WaitGroup
			var begin atomic.Bool
			all.Go(func() {
				for !begin.Load() {
					runtime.Gosched()
				}
				for range i % 97 {
					begin.Load()
				}
				g.enter()
				g.leave()
			})
			runtime.Gosched()
			begin.Store(true)
			open()
			all.Wait()
		})
	}
}
