// Package merge brings the records of many partitions into one order, by time, in bounded memory.
//
// Tracks, one a partition, walk the row groups. A stage decodes these ahead, those first that are needed first, and keeps what finds no room
// in memory in a temporary file. A [Sequence] takes runs of records from the stage and gives out one record after another.
//
// The order depends on the archive and the tracks alone, not on memory, row groups or the number of processors.
package merge
