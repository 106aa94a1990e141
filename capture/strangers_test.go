package capture

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/test/membucket"
)

// lend has the group have an offset of another program while lent is true.
func (b *broker) lend(lent *atomic.Bool) {
	b.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		if !lent.Load() {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		for _, g := range req.(*kmsg.OffsetFetchRequest).Groups {
			of := []kmsg.OffsetFetchResponseGroupTopicPartition{{Partition: 0, Offset: -1, LeaderEpoch: -1}, {Partition: 1, Offset: 5, LeaderEpoch: -1}}
			asked := g.Topics[0]
			topic := kmsg.OffsetFetchResponseGroupTopic{Topic: asked.Topic, TopicID: asked.TopicID, Partitions: of}
			resp.Groups = append(resp.Groups, kmsg.OffsetFetchResponseGroup{Group: g.Group, Topics: []kmsg.OffsetFetchResponseGroupTopic{topic}})
		}
		return resp, nil, true
	})
}

func (p *process) trouble() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told.Trouble
}

func TestAnotherProgramInTheGroupOfACaptureIsTrouble(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		b.fill("orders", 0, 10)
		var lent atomic.Bool
		b.lend(&lent)
		p := b.started(membucket.New(), Options{Member: group.Member{Protocol: group.Consumer}})
		for _, now := range []bool{false, true, false} {
			lent.Store(now)
			time.Sleep(30 * time.Second)
			want := ""
			if now {
				want = "group audit: the group is in use: it has an offset of orders-1 that no capture committed"
			}
			if got := p.trouble(); !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("another program in the group: %t: got trouble %q, want %q", now, got, want)
			}
		}
		p.end()
	})
}
