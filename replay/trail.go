package replay

import (
	"time"

	"github.com/karchive/karchive/internal/lateness"
)

// trail is how far behind the schedule records are sent while a delay is caught up. Late records come at most at one and a half times the
// pace that the schedule has for them, so that a delay does not end in a burst. The zero value is on time. It is for one goroutine.
type trail struct {
	last   time.Duration // when the record before was due
	behind time.Duration
	delays int // in a row, without having caught up
}

const (
	// atOnce is the lateness that is caught up in one step: what came too late and what is due are then at most twice what is due in
	// that time.
	atOnce = lateness.Late
	// atOnceBehind is what it begins with while a delay is caught up, where the pace is higher already.
	atOnceBehind = time.Millisecond
)

// step goes to the next record, given when it is due, and returns how long after that it may be sent.
func (t *trail) step(due time.Duration) time.Duration {
	t.behind = max(0, t.behind-(due-t.last+2)/3)
	t.last = due
	if t.behind == 0 {
		t.delays = 0
	}
	return t.behind
}

// note takes in how late a record was sent, and whether the schedule was moved for it.
func (t *trail) note(late time.Duration, moved bool) {
	switch {
	case moved:
		t.behind, t.delays = late, 0
	case late-t.behind > t.tolerated():
		t.behind, t.delays = late, min(t.delays+1, 20)
	}
}

// tolerated is how late a record may be, beyond what it is anyway, without being a delay. A process that wakes up late again and again has
// to do more in one step, or it would never catch up: after each delay twice as much.
func (t *trail) tolerated() time.Duration {
	if t.behind == 0 {
		return atOnce
	}
	return atOnceBehind << t.delays
}
