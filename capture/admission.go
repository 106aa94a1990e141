package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/options"
)

// admission asks a group whether this run may be its member, before anything is stored: a refusal leaves no archive behind.
type admission struct {
	cluster *cluster
	archive *format.Archive
	member  *group.Member
}

// check refuses what the group would refuse. What is refused because an archive is new is not, when others began that archive in the meantime.
func (a *admission) check(ctx context.Context, tps []format.TopicPartition) error {
	begun := a.archive.Identity().Capture != nil
	err := a.refusal(ctx, tps, begun)
	if err == nil || begun {
		return err
	}
	if a.archive.RefreshIdentity() == nil && a.archive.Identity().Capture != nil {
		return format.ErrChanged
	}
	return err
}

func (a *admission) refusal(ctx context.Context, tps []format.TopicPartition, begun bool) error {
	id := a.archive.Identity().ArchiveID
	if err := newGroupOffsets(a.cluster, a.member, id).check(ctx, a.cluster, tps); err != nil {
		return err
	}
	err := a.ask(ctx, id, begun)
	if err == nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// ask asks all that the group tells without a member more. A group that has some, of another archive than this one, is asked nothing: whom it takes in
// depends on who they are.
func (a *admission) ask(ctx context.Context, archiveID string, begun bool) error {
	id := a.member.Group
	if a.member.Protocol == group.Consumer {
		if err := a.checkConsumerProtocol(ctx); err != nil {
			return err
		}
	}
	if begun {
		return nil
	}
	busy, err := a.cluster.Busy(ctx, []string{id})
	if err != nil {
		return err
	}
	if state, ok := busy[id]; ok {
		return &group.Error{Group: id, Err: fmt.Errorf("%w: it has members (%s), and the archive is new", group.ErrTaken, state)}
	}
	if a.member.Protocol == group.Consumer {
		return nil
	}
	err = a.cluster.Admits(ctx, kafka.Admission{Group: id, Balancer: balancerName(a.member, archiveID), SessionTimeout: a.member.SessionTimeout})
	return a.named(err)
}

// checkConsumerProtocol refuses a cluster without the group protocol of KIP-848, or that does not use it. The client would use another one and not tell.
func (a *admission) checkConsumerProtocol(ctx context.Context) error {
	known, err := a.cluster.knowsConsumerProtocol(ctx)
	if err != nil {
		return err
	}
	if known {
		err = a.cluster.AdmitsByHeartbeat(ctx, a.member.Group)
	}
	if !known || errors.Is(err, kerr.UnsupportedVersion) {
		return options.New("use the one of clients", "the cluster does not have the consumer protocol of groups, of Kafka 4.0")
	}
	return a.named(err)
}

// named is err of the group, if the group gave it.
func (a *admission) named(err error) error {
	if _, answered := errors.AsType[*kerr.Error](err); answered {
		return &group.Error{Group: a.member.Group, Err: err}
	}
	return err
}

// finalAnswers of a group do not change when it is asked again.
var finalAnswers = []error{
	kerr.FencedInstanceID, kerr.UnreleasedInstanceID, kerr.InconsistentGroupProtocol, kerr.InvalidGroupID, kerr.InvalidSessionTimeout, kerr.GroupMaxSizeReached,
	kerr.UnsupportedAssignor, kerr.UnsupportedVersion, kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed,
}

func isFinalAnswer(err error) bool {
	return slices.ContainsFunc(finalAnswers, func(final error) bool { return errors.Is(err, final) })
}
