package kafka

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

func TestWhatIsCommittedIsReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := source(t)
		want := map[format.TopicPartition]Committed{orders[0]: {7, 0, "meta"}, orders[1]: {0, -1, ""}}
		if err := c.Commit(t.Context(), "g", want); err != nil {
			t.Fatal(err)
		}
		got, err := c.Committed(t.Context(), []string{"g", "other"}, orders)
		if err != nil || got["g"].Err != nil || !maps.Equal(got["g"].Offsets, want) {
			t.Errorf("got %+v, %v, want %+v", got["g"], err, want)
		}
		if other := got["other"]; other.Err != nil || len(other.Offsets) != 0 {
			t.Errorf("a group that committed nothing: got %+v, want nothing", other)
		}
	})
}

func TestAGroupIsBusyWhileItHasMembers(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	seeds := kgo.SeedBrokers(fake.ListenAddrs()...)
	c, err := Connect(t.Context(), []kgo.Opt{seeds}, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Commit(t.Context(), "idle", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	consumer, err := kgo.NewClient(seeds, kgo.ConsumerGroup("live"), kgo.ConsumeTopics("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	if err := consumer.ProduceSync(t.Context(), &kgo.Record{Topic: "orders"}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	consumer.PollFetches(t.Context())
	busy, err := c.Busy(t.Context(), []string{"live", "idle", "absent"})
	if err != nil || len(busy) != 1 || busy["live"] == "" {
		t.Errorf("got %v, %v, want live alone", busy, err)
	}
	err = c.Commit(t.Context(), "live", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}})
	if err == nil || !strings.Contains(err.Error(), "commit offsets of group live") {
		t.Errorf("got %v, want the coordinator's refusal", err)
	}
}

func TestOnePartitionThatPassesDoesNotHideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		if err := c.Commit(t.Context(), "g", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}, orders[1]: {Offset: 2}}); err != nil {
			t.Fatal(err)
		}
		asked := 0
		fake.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			if asked++; asked > 2 {
				return nil, nil, false
			}
			resp := refusal(req, kerr.NotLeaderForPartition.Code).(*kmsg.OffsetFetchResponse)
			if p := &resp.Groups[0].Topics[0].Partitions[0]; p.Partition == 0 {
				p.Offset, p.ErrorCode = 1, 0
			}
			return resp, nil, true
		})
		got, err := c.Committed(t.Context(), []string{"g"}, orders)
		want := map[format.TopicPartition]Committed{orders[0]: {Offset: 1}, orders[1]: {2, 0, ""}}
		if err != nil || got["g"].Err != nil || got["g"].Offsets[orders[0]].Offset != 1 || got["g"].Offsets[orders[1]].Offset != 2 {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestAGroupThatMustNotBeReadSaysSoItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		fake.ControlKey(int16(kmsg.OffsetFetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
			for _, g := range req.(*kmsg.OffsetFetchRequest).Groups {
				if g.Group != "secret" {
					return nil, nil, false
				}
				resp.Groups = append(resp.Groups, kmsg.OffsetFetchResponseGroup{Group: g.Group, ErrorCode: kerr.GroupAuthorizationFailed.Code})
			}
			return resp, nil, true
		})
		got, err := c.Committed(t.Context(), []string{"secret", "open"}, orders)
		if err != nil || !errors.Is(got["secret"].Err, kerr.GroupAuthorizationFailed) || got["open"].Err != nil {
			t.Errorf("got %+v, %v, want an error of secret alone", got, err)
		}
	})
}
