package replay

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

const preciseSystem = true

// preciseClock sleeps until an absolute time of the monotonic clock. It is for one goroutine, locked to its thread.
type preciseClock struct{ systemClock }

// preciseStretch is the end of a sleep that cannot be interrupted. It is longer than the runtime's timers are late.
const preciseStretch = 2 * time.Millisecond

// newPreciseClock lets the thread wake up as soon as a time has come; by default the system may collect wake-ups for 50 microseconds.
func newPreciseClock() Clock {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it sleeps are longer, and still right
	return preciseClock{}
}

func (c preciseClock) SleepUntil(ctx context.Context, t time.Time) error {
	if err := c.systemClock.SleepUntil(ctx, t.Add(-preciseStretch)); err != nil {
		return err
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return c.systemClock.SleepUntil(ctx, t)
	}
	end := unix.NsecToTimespec(now.Nano() + int64(time.Until(t)))
	for {
		err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &end, nil)
		if err != unix.EINTR { // signals of the runtime interrupt it
			return ctx.Err()
		}
	}
}
