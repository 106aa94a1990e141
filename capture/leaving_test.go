package capture

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/test/membucket"
)

// ended is how long a process takes to end.
func (p *process) ended() (Report, time.Duration) {
	began := time.Now()
	r := p.end()
	return r, time.Since(began)
}

// members are how many the group has.
func (b *broker) members(group string) int {
	b.t.Helper()
	described, err := b.admin().DescribeGroups(b.t.Context(), group)
	if err != nil {
		b.t.Fatal(err)
	}
	return len(described[group].Members)
}

// TestAMemberEndsInSecondsWhileItsGroupRebalances has a new member wait for one that is silent.
func TestAMemberEndsInSecondsWhileItsGroupRebalances(t *testing.T) {
	for _, o := range []group.Member{{Protocol: group.Cooperative}, {Protocol: group.Eager}, {InstanceID: "two"}} {
		t.Run(string(o.Protocol)+o.InstanceID, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
				bkt := membucket.New()
				silent := b.started(bkt, Options{Member: group.Member{Protocol: o.Protocol}})
				time.Sleep(10 * time.Second)
				b.fill("orders", 0, 10)
				time.Sleep(10 * time.Second)
				restore := silent.pause()
				waiting := b.as("waiting").started(bkt, Options{Member: o})
				time.Sleep(10 * time.Second)
				if _, took := waiting.ended(); took > 10*time.Second {
					t.Errorf("it took %s to end while it waited to join", took)
				}
				if got := b.members("audit"); o.InstanceID == "" && got != 1 {
					t.Errorf("the group has %d members, want the silent one", got)
				}
				group := newCoordinator(b, "audit")
				group.died["waiting"] = time.Now()
				restore()
				group.rest(5 * time.Minute)
				b.fill("orders", 1, 10)
				group.rest(10 * time.Second)
				silent.end()
				sameAsOne(t, b, inBucket(t, bkt), 2)
			})
		})
	}
}

func TestAMemberEndsInSecondsWhenItsCoordinatorIsSilent(t *testing.T) {
	for _, protocol := range []group.Protocol{group.Cooperative, group.Eager, group.Consumer} {
		t.Run(string(protocol), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
				bkt := membucket.New()
				p := b.started(bkt, Options{RotateInterval: time.Hour, Member: group.Member{Protocol: protocol}})
				time.Sleep(10 * time.Second)
				b.fill("orders", 0, 10)
				time.Sleep(10 * time.Second)
				restore := p.cutOff(false)
				r, took := p.ended()
				restore()
				if took > 20*time.Second {
					t.Errorf("it took %s to end", took)
				}
				if r.Records != 10 || len(r.Warnings) != 1 {
					t.Errorf("got %d records and warnings %q, want 10 that are sealed, and told that their offsets are not committed", r.Records, r.Warnings)
				}
				sameAsOne(t, b, inBucket(t, bkt), 2)
			})
		})
	}
}

func TestATopicThatComesWhenJoiningFailedIsNothingToShareOut(t *testing.T) {
	r := &run{settings: &settings{Options: Options{Topics: []string{"orders*"}}}}
	m := &membership{run: r, member: new(group.Member), topics: []string{"orders"}}
	m.look(&kafka.Metadata{Topics: map[string]kafka.Topic{"orders": {}, "orders-2": {Partitions: map[int32]kafka.Leader{0: {}}}}})
	m.end()
}
