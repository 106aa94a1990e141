package replay

import (
	"cmp"
	"context"
	"time"
)

// progressInterval is the time between two looks at a running replay.
const progressInterval = 200 * time.Millisecond

// watch looks at a running replay now and then: it reports progress, saves the checkpoint, and notices a target that does not answer.
// It ends with ctx; an error of its own it hands to stop.
func (p *player) watch(ctx context.Context, stop context.CancelCauseFunc) {
	clock := p.settings.Clock
	saved, moved, before := p.started, p.started, int64(0)
	var rates recentRate
	for {
		if clock.SleepUntil(ctx, clock.Now().Add(p.lookInterval())) != nil {
			return
		}
		now, progress := clock.Now(), p.progress()
		if p.speed != nil {
			p.speed.look(progress)
		}
		progress.Rate = rates.look(progress)
		if p.settings.OnProgress != nil {
			p.settings.OnProgress(progress)
		}
		decided := p.decided()
		if decided != before || decided == progress.Sent {
			moved, before = now, decided
		}
		p.refusals.listen(moved != now)
		if quiet := now.Sub(moved); quiet >= p.settings.StallTimeout {
			stop(stalled(quiet, cmp.Or(p.dials.Last(), p.refusals.cause())))
			return
		}
		if p.transactions == nil && now.Sub(saved) >= p.settings.CheckpointInterval {
			if err := p.save(ctx, false); err != nil && ctx.Err() == nil {
				stop(err)
				return
			}
			saved = now
		}
	}
}

// recentRate is the rate over the last looks.
type recentRate struct{ looks []Progress }

// recentLooks are those of two seconds.
const recentLooks = int(2*time.Second/progressInterval) + 1

func (r *recentRate) look(p Progress) float64 {
	r.looks = append(r.looks[max(0, len(r.looks)+1-recentLooks):], p)
	first := &r.looks[0]
	seconds := (p.Elapsed - first.Elapsed).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(p.Acknowledged-first.Acknowledged) / seconds
}

// lookInterval is the time between two looks, less often when nobody wants to hear of it.
func (p *player) lookInterval() time.Duration {
	s := p.settings
	switch {
	case s.OnProgress != nil || !s.Schedule.Pace.Timed():
		return progressInterval
	case s.progress != nil:
		return min(s.CheckpointInterval, s.StallTimeout/8)
	}
	return s.StallTimeout / 8
}

// decided is how many of the records sent have an answer.
func (p *player) decided() int64 {
	var n int64
	for _, part := range p.parts {
		n += part.ledger.answers()
	}
	return n
}

func (l *ledger) answers() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acknowledged + sum(l.refused)
}
