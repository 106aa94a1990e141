package group

import "time"

// Member makes a follow capture a member of a consumer group, whose members share the partitions among them and fill one archive. It must be
// one that several may write: in a store. What they write is what one capture would write, record for record, whoever of them is killed, paused or
// cut off, and whenever: where to go on says the archive, and of two that seal the same segment the first one wins. Offsets are committed
// after a segment is sealed, for programs that show lag; nobody reads them back.
type Member struct {
	// Group is its id; empty: none. It must be of this archive alone: committed offsets of others are refused.
	Group string
	// InstanceID makes a static member: it keeps its partitions when it is restarted within SessionTimeout, and does not leave when it ends. Empty: a
	// dynamic one, which leaves when it ends.
	InstanceID string
	// Protocol is [Cooperative] when empty. All members need the same.
	Protocol Protocol
	// SessionTimeout is how long the group waits for a member that is silent before others get its partitions; 0: 45 seconds. In the [Consumer]
	// protocol the cluster has its own.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long the group waits for members to give partitions up; 0: a minute. What is there of a partition is sealed in the first
	// three quarters of it, and dropped after that.
	RebalanceTimeout time.Duration
}

// Protocol is how a group comes to know who gets which partition.
type Protocol string

// The protocols of groups.
const (
	Cooperative Protocol = "cooperative" // members give up only what another one gets
	Eager       Protocol = "eager"       // every rebalance takes all partitions from all members first
	Consumer    Protocol = "consumer"    // KIP-848, of Kafka 4.0 and later: the cluster assigns
)

// Handed counts partitions that a Member got and gave up.
type Handed struct {
	Assigned int `json:"assigned"`
	Revoked  int `json:"revoked"` // given up in order, and sealed before
	Lost     int `json:"lost"`    // taken away by the group, because it had not heard of the member for too long
}
