// Package aside makes archives, files and directories that are there whole or not at all: each is made beside its place and moved there when it
// is whole, and what a process leaves behind that ends otherwise is taken away, by itself or by the next one.
package aside

import "sync"

var leaving struct {
	mu   sync.Mutex
	do   map[int]func()
	last int
}

// OnLeave adds to what Leave does, until forget is called.
func OnLeave(do func()) (forget func()) {
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

// Leave does what must not be left undone when the process ends without its deferred calls.
func Leave() {
	leaving.mu.Lock()
	defer leaving.mu.Unlock()
	for _, do := range leaving.do {
		do()
	}
}
