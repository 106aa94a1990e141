package serve

import (
	"math"
	"sync"

	"github.com/karchive/karchive/internal/saturating"
)

// watermark is the offset behind the last one that clients can read now. Of a schedule that plays several rounds it passes the partition's end:
// each round has the offsets behind those of the one before.
func (p *partition) watermark() int64 { return p.high.Load() }

// span is how many offsets a round has.
func (p *partition) span() int64 { return p.end - p.start }

// offsetIn is an offset of the archive as it is served in a round.
func (p *partition) offsetIn(round, offset int64) int64 {
	return saturating.Add(offset, saturating.MulDiv(round, uint64(p.span()), 1))
}

// stretch is offsets of one round that clients can read, as they are in the archive.
type stretch struct {
	partition *partition
	round     int64
	at, until int64 // of the archive; until is exclusive
}

// stretchAt is from an offset that clients can read up to the watermark or the end of the round.
func (p *partition) stretchAt(offset, watermark int64) stretch {
	s := stretch{partition: p, at: offset, until: watermark}
	if watermark <= p.end {
		return s
	}
	s.round = (offset - p.start) / p.span()
	shift := s.round * p.span()
	s.at, s.until = offset-shift, min(watermark-shift, p.end)
	return s
}

// served is an offset of the archive as clients see it.
func (s *stretch) served(offset int64) int64 { return s.partition.offsetIn(s.round, offset) }

// shiftMs is how much later timestamps are than in the archive.
func (s *stretch) shiftMs() int64 {
	return saturating.MulDiv(s.round, uint64(s.partition.shiftMs.Load()), 1)
}

// rounds calls do with what clients can read of each round, from a round on, until it returns false.
func (p *partition) rounds(from int64, do func(stretch) bool) {
	high := p.watermark()
	for at := p.offsetIn(from, p.start); at < high && at < math.MaxInt64; {
		s := p.stretchAt(at, high)
		if !do(s) {
			return
		}
		at = s.served(s.until)
	}
}

// lastRound is that of the last offset that clients can read.
func (p *partition) lastRound() int64 {
	if high := p.watermark(); high > p.end {
		return (high - 1 - p.start) / p.span()
	}
	return 0
}

// bells are those who wait for a watermark to rise.
type bells struct {
	mu  sync.Mutex
	all map[chan<- struct{}]struct{}
}

// watch has a channel with room for one told when the watermark rises, until stop is called.
func (b *bells) watch(c chan<- struct{}) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[chan<- struct{}]struct{}{}
	}
	b.all[c] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.all, c)
	}
}

func (b *bells) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.all {
		select {
		case c <- struct{}{}:
		default: // was told already
		}
	}
}
