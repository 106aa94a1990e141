// Package turn has a lock for what takes long and is done by one at a time, such as a request to a store.
package turn

import "sync"

// Lock is a sync.Locker that is given in the order in which it was asked for. Who waits for it waits on a channel: in a bubble of virtual time
// (testing/synctest) time goes on meanwhile, while it stands still as long as anybody waits for a sync.Mutex, and for ever when who holds that
// waits for time to pass. The zero value is free. A Lock must not be copied once it was used.
type Lock struct {
	mu      sync.Mutex
	taken   bool
	waiting []chan struct{} // of those who wait, the first one first
}

// Lock takes the lock when those before have given it back.
func (l *Lock) Lock() {
	if turn := l.ask(); turn != nil {
		<-turn
	}
}

// ask takes the lock if it is free, or returns what is closed when it is the caller's.
func (l *Lock) ask() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.taken {
		l.taken = true
		return nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	return turn
}

// Unlock gives the lock to who has waited for longest, if anybody waits. To unlock what nobody holds is a mistake, and panics.
func (l *Lock) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.taken {
		panic("turn: unlock of a lock that nobody holds")
	}
	if len(l.waiting) == 0 {
		l.taken = false
		return
	}
	close(l.waiting[0])
	l.waiting = l.waiting[1:]
}
