package replay

import (
	"sync"
)

// speedometer makes a Series of a replay at top speed, by looking at it now and then. It is safe for concurrent use.
type speedometer struct {
	mu     sync.Mutex
	series Series
	last   Progress
}

func newSpeedometer() *speedometer { return &speedometer{series: Series{Interval: progressInterval}} }

// look notes how far the replay is.
func (s *speedometer) look(now Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(now)
}

func (s *speedometer) add(now Progress) {
	at := (now.Elapsed + s.last.Elapsed) / 2 // the middle of what has passed
	s.series.addSent(at, now.Sent-s.last.Sent)
	s.series.addAcknowledged(at, now.Acknowledged-s.last.Acknowledged)
	s.last = now
}

// finish notes the end.
func (s *speedometer) finish(r *Report) Series {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(Progress{Elapsed: r.Elapsed, Sent: r.Sent, Acknowledged: r.Acknowledged})
	return s.series
}
