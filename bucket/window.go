package bucket

import (
	"slices"
	"sync"
)

// The sizes of windows. A first one is what the small columns of a row group take; one that goes on where the last one ended is larger.
const (
	firstWindow = 256 << 10
	mostWindow  = 4 << 20
	// windowBytes bounds all windows of a Store together: a timed replay has a segment of every partition open.
	windowBytes = 48 << 20
)

// window is the part of an object that was read last. Its file's lock guards begin and size; bytes are the windows'.
type window struct {
	begin int64
	size  int64 // also when the bytes were dropped
	bytes []byte
}

// next is how much to read from at on, up to end: what is asked for, and what is likely to be asked for then.
func (w *window) next(at, want, end int64) int64 {
	n := int64(firstWindow)
	if w.size > 0 && at == w.begin+w.size {
		n = min(2*max(w.size, firstWindow), mostWindow)
	}
	return min(max(n, want), end-at)
}

// windows keeps the memory of the windows of all files within bounds. It is safe for concurrent use.
type windows struct {
	mu    sync.Mutex
	total int
	used  []*window // those with bytes, the one used last at the end
}

// use is what is known from offset at on; nil: nothing. The bytes stay as they are when the window is dropped.
func (ws *windows) use(w *window, at int64) []byte {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if at < w.begin || at >= w.begin+int64(len(w.bytes)) {
		return nil
	}
	ws.forget(w)
	ws.used = append(ws.used, w)
	return w.bytes[at-w.begin:]
}

// put makes b the window, and drops others that were not used for longest.
func (ws *windows) put(w *window, at int64, b []byte) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.forget(w) {
		ws.total -= len(w.bytes)
	}
	w.begin, w.size, w.bytes = at, int64(len(b)), b
	ws.total += len(b)
	for ws.total > windowBytes && len(ws.used) > 0 {
		ws.total -= len(ws.used[0].bytes)
		ws.used[0].bytes = nil
		ws.used = slices.Delete(ws.used, 0, 1)
	}
	ws.used = append(ws.used, w)
}

func (ws *windows) drop(w *window) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.forget(w) {
		ws.total -= len(w.bytes)
		w.bytes = nil
	}
}

// forget takes w out of those in use, and says whether it was there.
func (ws *windows) forget(w *window) bool {
	i := slices.Index(ws.used, w)
	if i >= 0 {
		ws.used = slices.Delete(ws.used, i, i+1)
	}
	return i >= 0
}
