package capture

import "sync"

// spool bounds the segments of a follow capture that are not in their store yet. Past three quarters of the budget it has the largest ones
// sealed; what they have counts until they are uploaded, and past the budget no lane may write more. It is safe for concurrent use.
//
// A lane that is asked to seal always gets to it, also while it waits for room, and what no lane was asked for stays below the budget: there
// is room again when those are uploaded.
type spool struct {
	budget int64

	mu    sync.Mutex
	open  held          // of lanes that go on
	asked held          // of lanes that are to seal
	freed chan struct{} // closed when there is room; nil: nobody waits
}

// held is how many bytes lanes have.
type held struct {
	total int64
	of    map[*lane]int64
}

func (h *held) set(l *lane, n int64) {
	h.total += n - h.of[l]
	h.of[l] = n
	if n == 0 {
		delete(h.of, l)
	}
}

func (h *held) fullest() (fullest *lane) {
	for l, n := range h.of {
		if fullest == nil || n > h.of[fullest] {
			fullest = l
		}
	}
	return fullest
}

func newSpool(budget int64) *spool {
	return &spool{budget: budget, open: held{of: map[*lane]int64{}}, asked: held{of: map[*lane]int64{}}}
}

// set says how many bytes the segment of l has, and asks lanes to seal.
func (s *spool) set(l *lane, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked.of[l] > 0 {
		s.asked.set(l, n)
	} else {
		s.open.set(l, n)
	}
	for s.open.total > s.budget/4*3 {
		fullest := s.open.fullest()
		s.asked.set(fullest, s.open.of[fullest])
		s.open.set(fullest, 0)
		signal(fullest.due)
	}
	if s.freed != nil && s.room() {
		close(s.freed)
		s.freed = nil
	}
}

// room says whether lanes may write. The caller holds mu.
func (s *spool) room() bool { return s.open.total+s.asked.total <= s.budget }

// full is closed when there is room; nil: there is.
func (s *spool) full() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room() {
		return nil
	}
	if s.freed == nil {
		s.freed = make(chan struct{})
	}
	return s.freed
}
