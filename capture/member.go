package capture

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/internal/options"
)

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
	Protocol GroupProtocol
	// SessionTimeout is how long the group waits for a member that is silent before others get its partitions; 0: 45 seconds. In the [Consumer]
	// protocol the cluster has its own.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long the group waits for members to give partitions up; 0: a minute. What is there of a partition is sealed in the first
	// three quarters of it, and dropped after that.
	RebalanceTimeout time.Duration
}

// GroupProtocol is how a group comes to know who gets which partition.
type GroupProtocol string

// The protocols of groups.
const (
	Cooperative GroupProtocol = "cooperative" // members give up only what another one gets
	Eager       GroupProtocol = "eager"       // every rebalance takes all partitions from all members first
	Consumer    GroupProtocol = "consumer"    // KIP-848, of Kafka 4.0 and later: the cluster assigns
)

const (
	defaultSessionTimeout   = 45 * time.Second
	defaultRebalanceTimeout = time.Minute
	longestHeartbeat        = 3 * time.Second
)

func (m *Member) fillDefaults() {
	if m.Group == "" {
		return
	}
	options.Default(&m.Protocol, Cooperative)
	options.Default(&m.SessionTimeout, defaultSessionTimeout)
	options.Default(&m.RebalanceTimeout, defaultRebalanceTimeout)
}

func (m *Member) check(follow bool) error {
	if m.Group == "" {
		if *m != (Member{}) {
			return options.New("give {Member}", "what is said of a member of a group needs the group")
		}
		return nil
	}
	switch {
	case !follow:
		return options.New("give {Follow}", "{Member} is for a follow capture")
	case m.Protocol != Cooperative && m.Protocol != Eager && m.Protocol != Consumer:
		return options.New("", "group protocol %q is not %s, %s or %s", m.Protocol, Cooperative, Eager, Consumer)
	case m.SessionTimeout < 0 || m.RebalanceTimeout < 0:
		return options.New("", "limits must not be negative")
	case m.Protocol == Consumer && m.SessionTimeout != defaultSessionTimeout:
		return options.New("", "in the consumer protocol the cluster says how long it waits for a silent member")
	}
	if err := kgo.ValidateOpts(m.timeouts()...); err != nil {
		return options.New("", "%v", err)
	}
	return nil
}

func (m *Member) timeouts() []kgo.Opt {
	return []kgo.Opt{
		kgo.SessionTimeout(m.SessionTimeout), kgo.RebalanceTimeout(m.RebalanceTimeout), kgo.HeartbeatInterval(min(longestHeartbeat, m.SessionTimeout/3)),
	}
}

// balancer is how the members of a group balance. In the protocols of clients its name says which archive they fill, so a group does not take in a member that
// fills another one, or that is no capture at all.
func (m *Member) balancer(archiveID string) []kgo.GroupOpt {
	switch m.Protocol {
	case Eager:
		return []kgo.GroupOpt{kgo.Balancers(named{kgo.StickyBalancer(), m.balancerName(archiveID)})}
	case Consumer:
		return []kgo.GroupOpt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}
	}
	return []kgo.GroupOpt{kgo.Balancers(named{kgo.CooperativeStickyBalancer(), m.balancerName(archiveID)})}
}

func (m *Member) balancerName(archiveID string) string {
	return fmt.Sprintf("karchive-%s-%s", m.Protocol, archiveID)
}

// named is a balancer under another name.
type named struct {
	kgo.GroupBalancer
	name string
}

func (n named) ProtocolName() string { return n.name }

// Handed counts partitions that a Member got and gave up.
type Handed struct {
	Assigned int `json:"assigned"`
	Revoked  int `json:"revoked"` // given up in order, and sealed before
	Lost     int `json:"lost"`    // taken away by the group, because it had not heard of the member for too long
}
