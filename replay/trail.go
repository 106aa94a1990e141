package replay

import "time"

// trail is how far behind the schedule records are sent while a delay is caught up. Late records come at most at twice the pace that the schedule
// has for them, so that a delay does not end in a burst. The zero value is on time. It is for one goroutine.
type trail struct {
	last   time.Duration // when the record before was due
	behind time.Duration
}

// atOnce is the lateness that is caught up in one step: shorter ones are in every wake-up.
const atOnce = 5 * time.Millisecond

// step goes to the next record, given when it is due, and returns how long after that it may be sent.
func (t *trail) step(due time.Duration) time.Duration {
	t.behind = max(0, t.behind-(due-t.last)/2)
	t.last = due
	return t.behind
}

// note takes in how late a record was sent, and whether the schedule was moved for it.
func (t *trail) note(late time.Duration, moved bool) {
	if moved || late > t.behind+atOnce {
		t.behind = late
	}
}
