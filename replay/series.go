package replay

import (
	"time"
)

// Series counts records over the time of a replay, in intervals of equal length. The three slices are equally long.
type Series struct {
	Interval     time.Duration `json:"interval_ns"`
	Planned      []int64       `json:"planned"` // due in the interval; all 0 at top speed
	Sent         []int64       `json:"sent"`
	Acknowledged []int64       `json:"acknowledged"`
}

const (
	// firstInterval is that of a replay until it is longer than maxIntervals of them.
	firstInterval = 100 * time.Millisecond
	maxIntervals  = 1200
)

// interval returns the number of the interval that a time since the start is in. Where there would be too many, each two become one.
func (s *Series) interval(at time.Duration) int {
	if s.Interval == 0 {
		s.Interval = firstInterval
	}
	at = max(at, 0)
	for at/s.Interval >= maxIntervals {
		s.Interval *= 2
		s.Planned, s.Sent, s.Acknowledged = halved(s.Planned), halved(s.Sent), halved(s.Acknowledged)
	}
	i := int(at / s.Interval)
	for len(s.Planned) <= i {
		s.Planned, s.Sent, s.Acknowledged = append(s.Planned, 0), append(s.Sent, 0), append(s.Acknowledged, 0)
	}
	return i
}

func halved(counts []int64) []int64 {
	n := (len(counts) + 1) / 2
	for i := range n {
		sum := counts[2*i]
		if 2*i+1 < len(counts) {
			sum += counts[2*i+1]
		}
		counts[i] = sum
	}
	return counts[:n]
}

func (s *Series) addPlanned(at time.Duration, n int64) { i := s.interval(at); s.Planned[i] += n }

func (s *Series) addSent(at time.Duration, n int64) { i := s.interval(at); s.Sent[i] += n }

func (s *Series) addAcknowledged(at time.Duration, n int64) {
	i := s.interval(at)
	s.Acknowledged[i] += n
}
