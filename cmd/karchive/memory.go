package main

import (
	"os"
	"runtime/debug"
)

// defaultMemory is what the process may take in all, as --memory says.
const defaultMemory = 256 << 20

// The heap is collected in time to keep the process within its budget; the rest of it is for stacks, the binary and what the collector
// lags behind. Records in flight, in capture and replay, get recordShare of it: they are in memory several times on their way,
// as the broker sent them, decoded, and encoded.
const (
	heapShare   = 0.70
	recordShare = 0.25
	// servedShare is heapShare of what serves: the packages of a broker are more of the binary than others touch.
	servedShare = 0.66

	// gcPercent lets the heap grow to three times of what lives: a tenth less work for the collector than with Go's 100, and far from
	// the budget, which the limit keeps in any case.
	gcPercent = 200
)

// limitMemory sets the garbage collector to a budget of bytes. GOMEMLIMIT and GOGC in the environment go first.
func limitMemory(bytes int64) { limitHeap(bytes, heapShare) }

// limitHeap is limitMemory with another share for the heap.
func limitHeap(bytes int64, share float64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(float64(bytes) * share))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
