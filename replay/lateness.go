package replay

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/karchive/karchive/internal/lateness"
	"github.com/karchive/karchive/internal/saturating"
)

// Lateness says how late things were, measured against the schedule. Nothing is early.
type Lateness struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p999_ns"`
	Max   time.Duration `json:"max_ns"`
	Sum   time.Duration `json:"sum_ns"`
	Bins  []LatenessBin `json:"bins"` // in order, without those beyond Max
}

// LatenessBin counts what was later than the bound of the bin before and not later than UpTo. The last bin of all has no bound, and UpTo 0.
type LatenessBin struct {
	UpTo  time.Duration `json:"up_to_ns"`
	Count int64         `json:"count"`
}

// latenesses collects Lateness. It is safe for concurrent use.
type latenesses struct {
	mu     sync.Mutex
	values *hdrhistogram.Histogram
	counts []int64 // by bin
	sum    time.Duration
	max    time.Duration
}

// newLatenesses keeps three digits from a microsecond up.
func newLatenesses() *latenesses {
	return &latenesses{values: hdrhistogram.New(1, int64(latenessLimit/time.Microsecond), 3), counts: make([]int64, len(lateness.Bounds)+1)}
}

// latenessLimit is as far as percentiles tell later from late.
const latenessLimit = 24 * time.Hour

func (l *latenesses) add(d time.Duration) {
	d = max(d, 0)
	bin := 0
	for bin < len(lateness.Bounds) && d > lateness.Bounds[bin] {
		bin++
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values.RecordValue(int64(min(d, latenessLimit) / time.Microsecond)) // it is within the limits
	l.counts[bin]++
	l.sum = saturating.Add(l.sum, d)
	l.max = max(l.max, d)
}

func (l *latenesses) lateness() Lateness {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := func(percent float64) time.Duration {
		return min(l.max, time.Duration(l.values.ValueAtPercentile(percent))*time.Microsecond)
	}
	out := Lateness{Count: l.values.TotalCount(), P50: at(50), P99: at(99), P999: at(99.9), Max: l.max, Sum: l.sum, Bins: []LatenessBin{}}
	for i, n := range l.counts {
		bin := LatenessBin{Count: n}
		if i < len(lateness.Bounds) {
			bin.UpTo = lateness.Bounds[i]
		}
		if out.Count > 0 && (i == 0 || lateness.Bounds[i-1] < l.max) {
			out.Bins = append(out.Bins, bin)
		}
	}
	return out
}

// recentLateness is the median of the last second or two. It is for one goroutine.
type recentLateness struct {
	second      int64
	now, before *hdrhistogram.Histogram
}

func newRecentLateness() *recentLateness {
	limit := int64(latenessLimit / time.Microsecond)
	return &recentLateness{now: hdrhistogram.New(1, limit, 3), before: hdrhistogram.New(1, limit, 3)}
}

// add notes a lateness at a time since the start. Times do not go back.
func (r *recentLateness) add(at, late time.Duration) {
	if second := int64(at / time.Second); second != r.second {
		r.second = second
		r.now, r.before = r.before, r.now
		r.now.Reset()
	}
	r.now.RecordValue(int64(min(max(late, 0), latenessLimit) / time.Microsecond))
}

// median is that of the second that is under way, together with the one before it in which there was something.
func (r *recentLateness) median() time.Duration {
	both := hdrhistogram.New(1, int64(latenessLimit/time.Microsecond), 3)
	both.Merge(r.now)
	both.Merge(r.before)
	return time.Duration(both.ValueAtPercentile(50)) * time.Microsecond
}
