package main

import (
	"os"
	"runtime"
	"sync"
)

// spareThreads is how many more goroutines run at once in a timed replay than by default, which is one a core.
const spareThreads = 2

// spare lets the goroutine that sends in time run when its time has come. While decoding and the collector have all threads of the
// runtime it would wait for one of them to pause, up to 10 ms; with a thread to spare the system decides, and it gives way to who
// slept. GOMAXPROCS in the environment goes first.
var spare = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareThreads)
	}
})
