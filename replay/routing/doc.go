// Package routing says where the records of an archive go: to a topic of which name ([Mapping]), into which of its partitions
// ([Partitioner]), and sent by which of several replays ([Shard]). All of these are plain values that ask nobody, so the same archive and
// the same values give the same way each time, in each process.
package routing
