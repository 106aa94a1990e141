package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admission is what a member says of itself when it joins a group that its members balance.
type Admission struct {
	Group, Balancer string
	SessionTimeout  time.Duration
}

// Admits says why a group would not take in a member; nil: it would. Nobody joins: the group gives a new member its id, waits for it to join under that,
// and is told here that it does not. Brokers before Kafka 2.2 give no id first, and for a moment have a member.
func (c *Cluster) Admits(ctx context.Context, a Admission) error {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType = a.Group, "consumer"
	req.SessionTimeoutMillis = int32(a.SessionTimeout.Milliseconds())
	req.RebalanceTimeoutMillis = req.SessionTimeoutMillis
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name = a.Balancer
	req.Protocols = append(req.Protocols, p)
	return c.Retry(ctx, "join", func(ctx context.Context) error {
		answer, err := c.ask(ctx, req)
		if err != nil {
			return err
		}
		resp := answer.(*kmsg.JoinGroupResponse)
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil && !errors.Is(err, kerr.MemberIDRequired) {
			return err
		}
		_ = c.LeaveGroup(ctx, a.Group, resp.MemberID) // or the group forgets it after its session
		return nil
	})
}

// AdmitsByHeartbeat is Admits for the protocol of KIP-848, as far as a group can be asked for it without joining: it does not know the member that is
// heard of here.
func (c *Cluster) AdmitsByHeartbeat(ctx context.Context, group string) error {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = group, "nobody", 1
	return c.Retry(ctx, "heartbeat", func(ctx context.Context) error {
		answer, err := c.ask(ctx, req)
		if err != nil {
			return err
		}
		err = kerr.ErrorForCode(answer.(*kmsg.ConsumerGroupHeartbeatResponse).ErrorCode)
		if errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.GroupIDNotFound) {
			return nil
		}
		return err
	})
}

// LeaveGroup takes a member out of a group that its members balance. It asks once.
func (c *Cluster) LeaveGroup(ctx context.Context, group, member string) error {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = group, member
	m := kmsg.NewLeaveGroupRequestMember()
	m.MemberID = member
	req.Members = append(req.Members, m)
	answer, err := c.ask(ctx, req)
	if err == nil {
		err = kerr.ErrorForCode(answer.(*kmsg.LeaveGroupResponse).ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("leave group %s: %w", group, err)
	}
	return nil
}
