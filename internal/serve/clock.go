package serve

import "sync"

// clock says when watermarks move. It is safe for concurrent use.
type clock struct {
	mu   sync.Mutex
	next chan struct{} // closed when a watermark moves; nil: none will
}

// changed is closed when a watermark moves.
func (c *clock) changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

// running says whether watermarks may move.
func (c *clock) running() bool { return c.changed() != nil }
