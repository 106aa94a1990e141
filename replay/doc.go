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
// The data flows in one of two ways. At top speed as many lanes as there are to be each play one partition after another: a feed decodes the
// partition ahead, and the lane sends its records as fast as they are taken. In a timed replay one goroutine puts the records of all partitions
// into one order (internal/merge) and says when each is due (a timeline), into a queue; another, the conductor, sleeps until the next is due and
// sends it. Both ways a record is sent by the player, to the client, and the ledger of its partition hears what became of it.
//
// Words that are near to each other: routing says where a record goes, a timeline.Pace how fast, a timeline.Schedule when each is due by it, with
// ramps and rounds. [Pacing] says how a replay keeps to the schedule: when it begins and what becomes of late records. [Timing] is how well it did.
//
// The package prints nothing, reads no flag and no environment, and ends no process.
package replay
