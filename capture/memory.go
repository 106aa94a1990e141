package capture

import "sync"

// memory bounds what the lanes of a follow capture collect in row groups. It is safe for concurrent use.
type memory struct {
	budget int64

	mu    sync.Mutex
	total int64
	used  map[*lane]int64
}

func newMemory(budget int64) *memory { return &memory{budget: budget, used: map[*lane]int64{}} }

// set says how many bytes l collected. When all lanes together have more than the budget it returns the one with the most, whose row
// group is to end, and counts it as done.
func (m *memory) set(l *lane, n int64) *lane {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total += n - m.used[l]
	m.used[l] = n
	if n == 0 {
		delete(m.used, l)
	}
	if m.total <= m.budget {
		return nil
	}
	fullest := l
	for other, n := range m.used {
		if n > m.used[fullest] {
			fullest = other
		}
	}
	m.total -= m.used[fullest]
	delete(m.used, fullest)
	return fullest
}
