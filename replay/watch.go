package replay

import (
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
		if clock.SleepUntil(ctx, clock.Now().Add(progressInterval)) != nil {
			return
		}
		now, progress := clock.Now(), p.progress()
		if p.settings.OnProgress != nil {
			p.settings.OnProgress(progress)
		}
		decided := p.decided()
		if decided != before || decided == progress.Sent {
			moved, before = now, decided
		}
		if quiet := now.Sub(moved); quiet >= p.settings.StallTimeout {
			stop(&StalledError{For: quiet, Err: p.dials.last()})
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
