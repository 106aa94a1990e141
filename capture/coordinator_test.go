package capture

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordinator does for a group of the older protocols what Kafka does and the embedded broker does not. It forgets a member that died while it
// joined: the broker times no session of it. It ends a rebalance that takes too long: the broker moves the deadline with every join, so members that
// wait give up, join anew and move it again, for ever. And it drops joins that wait for longer than a session, without an answer.
type coordinator struct {
	t      *testing.T
	client *kgo.Client
	group  string
	died   map[string]time.Time // by client ID
	busy   time.Time            // since when the group rebalances; zero: it does not
	ended  int                  // rebalances that took too long
}

func newCoordinator(b *broker, group string) *coordinator {
	return &coordinator{t: b.t, client: b.client(), group: group, died: map[string]time.Time{}}
}

// rest lets time pass.
func (c *coordinator) rest(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(5*time.Second, time.Until(end)))
		c.tend()
	}
}

func (c *coordinator) tend() {
	c.t.Helper()
	described, err := kadm.NewClient(c.client).DescribeGroups(c.t.Context(), c.group)
	if err != nil {
		c.t.Fatal(err)
	}
	g := described[c.group]
	tooLong := c.tooLong(g.State)
	if tooLong {
		c.ended++
	}
	c.remove(slices.DeleteFunc(g.Members, func(m kadm.DescribedGroupMember) bool {
		died, dead := c.died[m.ClientID]
		return !tooLong && (!dead || time.Since(died) < defaultSessionTimeout)
	}))
}

// tooLong says whether a rebalance is at an end that Kafka would have put to it before. Those that live join again after it.
func (c *coordinator) tooLong(state string) bool {
	switch {
	case state != "PreparingRebalance" && state != "CompletingRebalance":
		c.busy = time.Time{}
	case c.busy.IsZero():
		c.busy = time.Now()
	case time.Since(c.busy) > 2*defaultRebalanceTimeout:
		c.busy = time.Time{}
		return true
	}
	return false
}

func (c *coordinator) remove(members []kadm.DescribedGroupMember) {
	c.t.Helper()
	if len(members) == 0 {
		return
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = c.group
	for _, m := range members {
		leaving := kmsg.NewLeaveGroupRequestMember()
		leaving.MemberID = m.MemberID
		req.Members = append(req.Members, leaving)
	}
	if _, err := req.RequestWith(c.t.Context(), c.client); err != nil {
		c.t.Fatal(err)
	}
}
