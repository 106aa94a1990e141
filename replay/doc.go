// Package replay produces the records of an archive into a Kafka cluster.
//
// In the normal case open an archive, give [Run] the connection options of a franz-go client and an [Options] value, and look at the
// [Report]. Run plans what goes where, looks at the target for what would lose records (the preflight), makes missing topics when
// asked to, sends, and keeps what was acknowledged in a [Checkpoint].
//
// Promises. The records of a partition are sent in their order, and a record that the target refuses stops its partition there: no
// later record of it gets in front of it. The other partitions go on. Nothing is sent that did not pass the digest of its row group.
// A replay with a checkpoint that ends in an orderly way, also by a failure or a cancelled context, goes on with nothing doubled; one
// that was killed sends again what was acknowledged since its checkpoint was last saved.
//
// The data flow is one for all replays: a feed decodes a partition ahead, a lane takes records from feeds when their time has come,
// the sender hands them to the producer, and the ledger of their partition hears what became of them. At top speed each lane plays one
// partition after another.
//
// The package prints nothing, reads no flag and no environment, and ends no process.
package replay
