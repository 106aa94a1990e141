package compare

import "time"

// settling finds out when a program has read all, and has written nothing for a while. Times are since the program's start.
type settling struct {
	settle  time.Duration
	drained time.Duration // since when nothing is left to read; 0: something is
	changed time.Duration // when something was written last
	written int64
}

// look takes what is so now, and says whether the program is done.
func (s *settling) look(now time.Duration, left bool, written int64) (done bool) {
	if written != s.written {
		s.written, s.changed = written, now
	}
	switch {
	case left:
		s.drained = 0
		return false
	case s.drained == 0:
		s.drained = max(now, 1)
	}
	return now-max(s.drained, s.changed) >= s.settle
}
