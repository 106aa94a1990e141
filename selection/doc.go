// Package selection has the words in which a capture, a replay and every reader of an archive is told what of it is meant, and says what they
// mean: topics by name or glob, partitions by number, and positions, which are points in a log or in time.
//
// Of an archive they come down to a [format.Selection], which is what it is asked for: [Window] makes one of two positions, [Topics] and
// [Partitions] say what patterns and numbers take. The errors are about selections that nothing fits.
package selection
