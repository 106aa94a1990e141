package bucket

import (
	"context"
	"sync"
	"time"
)

// MostWindowBytes bounds WindowBytes.
const MostWindowBytes = windowBytes

// WindowBytes is what is kept of objects that are open.
func (s *Store) WindowBytes() int {
	s.windows.mu.Lock()
	defer s.windows.mu.Unlock()
	total := 0
	for _, w := range s.windows.used {
		total += len(w.bytes)
	}
	return total
}

// WithoutPauses makes pauses take no time but on the Store's own clock.
func (s *Store) WithoutPauses() *Store {
	var mu sync.Mutex
	now := time.Unix(0, 0)
	s.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	s.pause = func(ctx context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
		return context.Cause(ctx)
	}
	return s
}
