package capture

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/internal/options"
)

const (
	defaultSessionTimeout   = 45 * time.Second
	defaultRebalanceTimeout = time.Minute
	longestHeartbeat        = 3 * time.Second
)

func fillMember(m *group.Member) {
	if m.Group == "" {
		return
	}
	options.Default(&m.Protocol, group.Cooperative)
	options.Default(&m.SessionTimeout, defaultSessionTimeout)
	options.Default(&m.RebalanceTimeout, defaultRebalanceTimeout)
}

func checkMember(m *group.Member, follow bool) error {
	if m.Group == "" {
		if *m != (group.Member{}) {
			return options.New("give {Member}", "what is said of a member of a group needs the group")
		}
		return nil
	}
	switch {
	case !follow:
		return options.New("give {Follow}", "{Member} is for a follow capture")
	case m.Protocol != group.Cooperative && m.Protocol != group.Eager && m.Protocol != group.Consumer:
		return options.New("", "group protocol %q is not %s, %s or %s", m.Protocol, group.Cooperative, group.Eager, group.Consumer)
	case m.SessionTimeout < 0 || m.RebalanceTimeout < 0:
		return options.New("", "limits must not be negative")
	case m.Protocol == group.Consumer && m.SessionTimeout != defaultSessionTimeout:
		return options.New("", "in the consumer protocol the cluster says how long it waits for a silent member")
	}
	if err := kgo.ValidateOpts(groupTimeouts(m)...); err != nil {
		return options.New("", "%v", err)
	}
	return nil
}

func groupTimeouts(m *group.Member) []kgo.Opt {
	return []kgo.Opt{
		kgo.SessionTimeout(m.SessionTimeout), kgo.RebalanceTimeout(m.RebalanceTimeout), kgo.HeartbeatInterval(min(longestHeartbeat, m.SessionTimeout/3)),
	}
}

// balancersOf are how the members of a group balance. In the protocols of clients its name says which archive they fill, so a group does not take in a member that
// fills another one, or that is no capture at all.
func balancersOf(m *group.Member, archiveID string) []kgo.GroupOpt {
	switch m.Protocol {
	case group.Eager:
		return []kgo.GroupOpt{kgo.Balancers(named{kgo.StickyBalancer(), balancerName(m, archiveID)})}
	case group.Consumer:
		return []kgo.GroupOpt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}
	}
	return []kgo.GroupOpt{kgo.Balancers(named{kgo.CooperativeStickyBalancer(), balancerName(m, archiveID)})}
}

func balancerName(m *group.Member, archiveID string) string {
	return fmt.Sprintf("karchive-%s-%s", m.Protocol, archiveID)
}

// named is a balancer under another name.
type named struct {
	kgo.GroupBalancer
	name string
}

func (n named) ProtocolName() string { return n.name }
