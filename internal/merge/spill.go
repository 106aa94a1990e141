package merge

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// spill keeps bytes in a temporary file and uses the room of what is given up again. Where the system allows it the file has no name, so
// that nothing is left behind, however the process ends. It is safe for concurrent use.
type spill struct {
	dir string

	mu    sync.Mutex
	file  *os.File // nil: not needed so far
	named bool
	free  []extent // in the file, in order, none adjoining another
	end   int64
}

// extent is a part of a file.
type extent struct{ at, size int64 }

// put keeps b and returns where.
func (s *spill) put(b []byte) (extent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return extent{}, fmt.Errorf("make a temporary file: %w", err)
	}
	e := s.allocate(int64(len(b)))
	if _, err := s.file.WriteAt(b, e.at); err != nil {
		s.release(e)
		return extent{}, fmt.Errorf("write a temporary file: %w", err)
	}
	return e, nil
}

func (s *spill) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "karchive-replay-")
	if err != nil {
		return err
	}
	s.file, s.named = f, os.Remove(f.Name()) != nil
	return nil
}

// allocate takes the first room that is large enough, or the end of the file.
func (s *spill) allocate(size int64) extent {
	for i := range s.free {
		f := &s.free[i]
		if f.size < size {
			continue
		}
		e := extent{f.at, size}
		f.at, f.size = f.at+size, f.size-size
		if f.size == 0 {
			s.free = slices.Delete(s.free, i, i+1)
		}
		return e
	}
	e := extent{s.end, size}
	s.end += size
	return e
}

// get fills b with what is at a place.
func (s *spill) get(b []byte, at int64) error {
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	if _, err := file.ReadAt(b, at); err != nil {
		return fmt.Errorf("read a temporary file: %w", err)
	}
	return nil
}

// giveUp makes room of an extent.
func (s *spill) giveUp(e extent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(e)
}

func (s *spill) release(e extent) {
	i, _ := slices.BinarySearchFunc(s.free, e, func(a, b extent) int { return int(min(max(a.at-b.at, -1), 1)) })
	s.free = slices.Insert(s.free, i, e)
	if i+1 < len(s.free) && e.at+e.size == s.free[i+1].at {
		s.free[i].size += s.free[i+1].size
		s.free = slices.Delete(s.free, i+1, i+2)
	}
	if i > 0 && s.free[i-1].at+s.free[i-1].size == e.at {
		s.free[i-1].size += s.free[i].size
		s.free = slices.Delete(s.free, i, i+1)
	}
}

// close removes the file.
func (s *spill) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}
