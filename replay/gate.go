package replay

import (
	"sync"
	"sync/atomic"
)

// gate lets many pass at once, until someone closes it and waits for those inside to leave. Who has to wait outside waits on a channel, a
// lock would keep virtual time from going on. It opens and closes on one goroutine at a time. The zero value is open.
type gate struct {
	inside sync.RWMutex
	opened atomic.Pointer[chan struct{}] // closed when the gate is opened again
}

func (g *gate) enter() {
	for !g.inside.TryRLock() {
		<-*g.opened.Load()
	}
}

func (g *gate) leave() { g.inside.RUnlock() }

// close returns how to open the gate again.
func (g *gate) close() (open func()) {
	opened := make(chan struct{})
	g.opened.Store(&opened) // before the lock, so that whoever finds it taken finds this
	g.inside.Lock()
	return func() {
		g.inside.Unlock()
		close(opened)
	}
}
