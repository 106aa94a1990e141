// Package timeline says when the records of an archive are due.
//
// A [Pace] is how fast they are: a factor of their own timing, or a steady rate. A [Schedule] adds how that begins, what becomes of silences, and
// how often all is played. Both are values; a [Timeline] goes with a schedule through the records. None of them looks at a clock: all
// times are distances from a start, computed exactly, so that nothing adds up over years.
package timeline
