package main

import "sync"

var leaving struct {
	mu   sync.Mutex
	do   map[int]func()
	last int
}

// onLeave adds to what leave does, until forget is called.
func onLeave(do func()) (forget func()) {
	leaving.mu.Lock()
	defer leaving.mu.Unlock()
	if leaving.do == nil {
		leaving.do = make(map[int]func())
	}
	leaving.last++
	n := leaving.last
	leaving.do[n] = do
	return func() {
		leaving.mu.Lock()
		defer leaving.mu.Unlock()
		delete(leaving.do, n)
	}
}

// leave does what must not be left undone when the process ends without its deferred calls.
func leave() {
	leaving.mu.Lock()
	defer leaving.mu.Unlock()
	for _, do := range leaving.do {
		do()
	}
}
