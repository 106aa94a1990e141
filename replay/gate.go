package replay

import (
	"sync"
	"sync/atomic"
)

// gate lets many pass at once, until someone closes it, who waits for those inside to leave. Those outside wait on a channel: a lock would
// keep virtual time from going on. It is closed and opened by one goroutine at a time.
type gate struct {
	inside sync.RWMutex
	shut   atomic.Bool                   // nobody enters until it was closed and opened
	opened atomic.Pointer[chan struct{}] // closed when the gate is opened next
}

func newGate() *gate {
	g := &gate{}
	g.renew()
	return g
}

// renew puts another channel in the place of the one that it returns.
func (g *gate) renew() *chan struct{} {
	opened := make(chan struct{})
	return g.opened.Swap(&opened)
}

func (g *gate) enter() {
	for {
		opened := g.opened.Load() // before looking whether it is open, so that the next opening is not missed
		if !g.shut.Load() && g.inside.TryRLock() {
			return
		}
		<-*opened
	}
}

func (g *gate) leave() { g.inside.RUnlock() }

// close returns how to open the gate again.
func (g *gate) close() (open func()) {
	g.inside.Lock()
	return func() {
		g.shut.Store(false)
		g.inside.Unlock()
		close(*g.renew()) // not before: who finds the gate closed by then waits for this opening, and not for the next one, which may never come
	}
}
