// Package serve answers as the Kafka cluster that an archive was captured from would.
//
// [Start] makes a [Server] of one broker. Groups, transactions, topics that clients make and all else that an archive knows nothing of are
// kept by an embedded broker; what is read of archived topics is answered at the connection, from row groups, which are decoded when a
// client asks for them. Records have the offsets, timestamps, timestamp types, leader epochs and headers that the archive has, with the
// gaps between them. Archived topics are read-only.
//
// Memory is bounded, whatever the archive's size and the number of clients: see [Options].
//
// A row group whose digest is wrong is an error of its partition to the client, and is told to [Options.OnTrouble].
package serve
