// Package selecting applies selections: patterns to the topics that there are, numbers to their partitions, positions to the records of an
// archive. Capture, replay and the commands share it, so that a selection means the same everywhere.
package selecting
