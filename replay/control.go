package replay

import (
	"context"
	"sync"
)

// Control pauses a replay while it runs, and lets it go on; the schedule moves by the time of the pause. The zero value lets it run. It
// is safe for concurrent use. Each replay needs its own.
type Control struct {
	mu      sync.Mutex
	pause   chan struct{} // closed while paused; nil: nobody asked yet
	resumed chan struct{} // closed when the pause ends; nil: running
}

// Pause stops sending. What was sent may still be acknowledged.
func (c *Control) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resumed == nil {
		c.resumed = make(chan struct{})
		close(c.pausing())
	}
}

// Continue ends a pause.
func (c *Control) Continue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resumed != nil {
		close(c.resumed)
		c.resumed, c.pause = nil, nil
	}
}

// Paused says whether the replay is paused.
func (c *Control) Paused() bool { return c.waiting() != nil }

// pausing is the channel that the next pause closes.
func (c *Control) pausing() chan struct{} {
	if c.pause == nil {
		c.pause = make(chan struct{})
	}
	return c.pause
}

// waiting is the channel that the end of the pause closes; nil: it is not paused.
func (c *Control) waiting() chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resumed
}

// run returns nil when the replay is not paused, waiting for that if need be, or the context's error.
func (c *Control) run(ctx context.Context) error {
	for {
		resumed := c.waiting()
		if resumed == nil {
			return ctx.Err()
		}
		select {
		case <-resumed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// untilPaused is a context that ends with ctx and with the next pause.
func (c *Control) untilPaused(ctx context.Context) (context.Context, context.CancelFunc) {
	c.mu.Lock()
	pause := c.pausing()
	c.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-pause:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
