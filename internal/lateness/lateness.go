// Package lateness says what counts as late in a timed replay, and the bounds by which latenesses are counted: the replay counts by them,
// the metrics and the report show them.
package lateness

import "time"

// Late is the lateness from which on a record counts as late.
const Late = 10 * time.Millisecond

// Bounds are the bounds of all bins but the last, in order. Nobody changes them.
var Bounds = []time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute,
}
