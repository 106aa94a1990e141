// Package selection has the words in which a capture, a replay and every reader of an archive is told what of it is meant: topics by name or
// glob, partitions by number, and positions, which are points in a log or in time. It holds the positions, and the errors of selections that
// nothing fits.
package selection
