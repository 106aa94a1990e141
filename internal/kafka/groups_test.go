package kafka

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
		if err := c.Commit(t.Context(), nil, "g", want); err != nil {
			t.Fatal(err)
		}
		got, err := c.Committed(t.Context(), "g", orders)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		if other, err := c.Committed(t.Context(), "other", orders); err != nil || len(other) != 0 {
			t.Errorf("a group that committed nothing: got %+v, %v, want nothing", other, err)
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
	if err := c.Commit(t.Context(), nil, "idle", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}}); err != nil {
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
	err = c.Commit(t.Context(), nil, "live", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}})
	if err == nil || !strings.Contains(err.Error(), "commit offsets of group live") {
		t.Errorf("got %v, want the coordinator's refusal", err)
	}
}

func TestOnePartitionThatPassesDoesNotHideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		if err := c.Commit(t.Context(), nil, "g", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}, orders[1]: {Offset: 2}}); err != nil {
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
		got, err := c.Committed(t.Context(), "g", orders)
		want := map[format.TopicPartition]Committed{orders[0]: {Offset: 1}, orders[1]: {2, 0, ""}}
		if err != nil || got[orders[0]].Offset != 1 || got[orders[1]].Offset != 2 {
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
		var errs [2]error
		err := EachGroup(t.Context(), 2, func(i int) { _, errs[i] = c.Committed(t.Context(), []string{"secret", "open"}[i], orders) })
		if err != nil || !errors.Is(errs[0], kerr.GroupAuthorizationFailed) || errs[1] != nil {
			t.Errorf("got %v, %v, want an error of secret alone", errs, err)
		}
	})
}

func TestTopicsAreAskedForOnlyWhenACommitMayHavePassedThemBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		m, err := c.Describe(t.Context(), []string{"orders"})
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			asked++
			return nil, nil, false
		})
		offsets := map[format.TopicPartition]Committed{orders[0]: {Offset: 1}}
		for _, id := range []string{"a", "b", "c"} {
			if err := c.Commit(t.Context(), m, id, offsets); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 0 {
			t.Errorf("three commits: asked for topics %d times, want 0", asked)
		}
		answers(fake, kmsg.OffsetCommit, 1, kerr.UnknownTopicOrPartition)
		if err := c.Commit(t.Context(), m, "d", offsets); err != nil || asked != 1 {
			t.Errorf("after a topic that was unknown: got %v, asked for topics %d times, want 1", err, asked)
		}
	})
}

func TestNoMoreThanAFewGroupsAreAskedAboutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most, all := 0, 0, 0
		err := EachGroup(t.Context(), 100, func(int) {
			mu.Lock()
			now, all = now+1, all+1
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second) // of virtual time
			mu.Lock()
			now--
			mu.Unlock()
		})
		if err != nil || most != groupsAtOnce || all != 100 {
			t.Errorf("got %v, %d at once of %d, want %d of 100", err, most, all, groupsAtOnce)
		}
		ctx, cancel := context.WithCancel(t.Context())
		all = 0
		if err := EachGroup(ctx, 100, func(int) { cancel(); mu.Lock(); all++; mu.Unlock() }); !errors.Is(err, context.Canceled) || all > groupsAtOnce+1 {
			t.Errorf("cancelled: got %v after %d groups, want no more to begin", err, all)
		}
	})
}
