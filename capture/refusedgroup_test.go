package capture

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/test/membucket"
)

// answer has the broker answer requests of a kind with an error.
func (b *broker) answer(kind kmsg.Request, code int16) {
	b.ControlKey(kind.Key(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		resp := req.ResponseKind()
		switch r := resp.(type) {
		case *kmsg.JoinGroupResponse:
			r.ErrorCode = code
		case *kmsg.ConsumerGroupHeartbeatResponse:
			r.ErrorCode = code
		case *kmsg.OffsetFetchResponse:
			for _, g := range req.(*kmsg.OffsetFetchRequest).Groups {
				r.Groups = append(r.Groups, kmsg.OffsetFetchResponseGroup{Group: g.Group, ErrorCode: code})
			}
		}
		return resp, nil, true
	})
}

// member has another program be a member of a group, without any offset.
func (b *broker) member(group string, opts ...kgo.Opt) {
	b.t.Helper()
	joined := make(chan struct{})
	b.client(append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { close(joined) }))...)
	<-joined
}

func TestACaptureThatAGroupRefusesLeavesNothingBehind(t *testing.T) {
	serverSide := []kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer())}
	for name, c := range map[string]struct {
		member group.Member
		given  func(b *broker)
		want   error
	}{
		"no access": {
			given: func(b *broker) { b.answer(kmsg.NewPtrJoinGroupRequest(), kerr.GroupAuthorizationFailed.Code) }, want: kerr.GroupAuthorizationFailed,
		},
		"no access to its offsets": {
			given: func(b *broker) { b.answer(kmsg.NewPtrOffsetFetchRequest(), kerr.GroupAuthorizationFailed.Code) }, want: kerr.GroupAuthorizationFailed,
		},
		"no access in the consumer protocol": {
			member: group.Member{Protocol: group.Consumer},
			given: func(b *broker) {
				b.answer(kmsg.NewPtrConsumerGroupHeartbeatRequest(), kerr.GroupAuthorizationFailed.Code)
			}, want: kerr.GroupAuthorizationFailed,
		},
		"full": {
			given: func(b *broker) { b.answer(kmsg.NewPtrJoinGroupRequest(), kerr.GroupMaxSizeReached.Code) }, want: kerr.GroupMaxSizeReached,
		},
		"other members":                          {given: func(b *broker) { b.member("audit") }, want: group.ErrTaken},
		"other members, eager":                   {member: group.Member{Protocol: group.Eager}, given: func(b *broker) { b.member("audit") }, want: group.ErrTaken},
		"other members in the consumer protocol": {member: group.Member{Protocol: group.Consumer}, given: func(b *broker) { b.member("audit", serverSide...) }, want: group.ErrTaken},
		"short session":                          {member: group.Member{SessionTimeout: time.Second}, want: kerr.InvalidSessionTimeout},
		"consumer protocol that is switched off": {
			member: group.Member{Protocol: group.Consumer},
			given:  func(b *broker) { b.answer(kmsg.NewPtrConsumerGroupHeartbeatRequest(), kerr.UnsupportedVersion.Code) }, want: ErrOptions,
		},
		"a static member": {
			member: group.Member{InstanceID: "one"},
			given:  func(b *broker) { b.answer(kmsg.NewPtrJoinGroupRequest(), kerr.GroupAuthorizationFailed.Code) }, want: kerr.GroupAuthorizationFailed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
				b.fill("orders", 0, 3)
				if c.given != nil {
					c.given(b)
				}
				bkt := membucket.New()
				p := b.started(bkt, Options{Member: c.member})
				<-p.done
				if !errors.Is(p.err, c.want) {
					t.Errorf("got %v, want %v", p.err, c.want)
				}
				err := bucket.New(t.Context(), bkt.Other().Open(), bucket.Options{}).List(".", func(name string, _ int64) error {
					if name != "run1/.karchive-fence" { // what a place is tried with stays
						t.Errorf("%s is left", name)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What a group is asked makes nobody a member of it.
func TestACaptureThatAsksWhetherItMayJoinDisturbsNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		bkt := membucket.New()
		joins := 0
		b.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.KeepControl()
			joins++
			return nil, nil, false
		})
		first, second := b.started(bkt, Options{}), b.started(bkt, Options{}) // at once: one of them finds the other's archive
		time.Sleep(30 * time.Second)
		before := joins
		third := b.started(bkt, Options{})
		time.Sleep(30 * time.Second)
		b.fill("orders", 0, 10)
		time.Sleep(10 * time.Second)
		if got := joins - before; got > 8 { // the new one gets its id and joins, and all three once more
			t.Errorf("one more member made %d joins", got)
		}
		for _, p := range []*process{first, second, third} {
			p.end()
		}
		sameAsOne(t, b, inBucket(t, bkt), 2)
	})
}

func TestTimeoutsThatNoClientTakesAreRefused(t *testing.T) {
	for _, m := range []group.Member{{SessionTimeout: time.Millisecond}, {SessionTimeout: 1e6 * time.Hour}, {RebalanceTimeout: time.Millisecond}} {
		m.Group = "audit"
		if err := (Options{Topics: []string{"orders"}, Follow: true, Member: m}).Check(); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: got %v, want %v", m, err, ErrOptions)
		}
	}
}
