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
	for {
		if clock.SleepUntil(ctx, clock.Now().Add(p.settings.lookInterval())) != nil {
			return
		}
		now, progress := clock.Now(), p.progress()
		if p.speed != nil {
			p.speed.look(progress)
		}
		if p.settings.OnProgress != nil {
			p.settings.OnProgress(progress)
		}
		decided := p.decided()
		if decided != before || decided == progress.Sent {
			moved, before = now, decided
		}
		p.refusals.listen(moved != now)
		if quiet := now.Sub(moved); quiet >= p.settings.StallTimeout {
			stop(&StalledError{For: quiet, Err: cmp.Or(p.dials.last(), p.refusals.cause())})
			return
		}
		if now.Sub(saved) >= p.settings.CheckpointInterval {
			if err := p.save(ctx, false); err != nil && ctx.Err() == nil {
				stop(err)
				return
			}
			saved = now
		}
	}
}

// lookInterval is the time between two looks, less often when nobody wants to hear of it.
func (s *settings) lookInterval() time.Duration {
	switch {
	case s.OnProgress != nil || !s.Schedule.Pace.Timed():
		return progressInterval
	case s.Checkpoint != nil:
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
