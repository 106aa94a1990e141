package bucket

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
