package replay

import (
	"context"
	"time"
)

// Clock is all that a replay knows of time. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
	// SleepUntil returns nil at t or later, at once when t has passed, or the context's error when that ends first.
	SleepUntil(ctx context.Context, t time.Time) error
}

// systemClock is the time package, which a testing/synctest bubble makes virtual.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) SleepUntil(ctx context.Context, t time.Time) error {
	wait := time.Until(t)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
