package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

const patience = 10 * time.Second

var orders = []format.TopicPartition{{Topic: "orders"}, {Topic: "orders", Partition: 1}}

// source is a cluster of three brokers in a bubble of virtual time, and a connection to it.
func source(t *testing.T) (*kfake.Cluster, *Cluster) {
	t.Helper()
	var network kfake.VirtualNetwork
	fake, err := kfake.NewCluster(kfake.ListenFn(network.Listen), kfake.Ports(9092, 9093, 9094), kfake.SeedTopics(2, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c, err := Connect(t.Context(), []kgo.Opt{kgo.SeedBrokers(fake.ListenAddrs()...), kgo.Dialer(network.DialContext)}, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return fake, c
}

// answers makes the cluster answer n requests of a kind with an error; -1: all.
func answers(fake *kfake.Cluster, key kmsg.Key, n int, err *kerr.Error) (asked *int) {
	asked = new(int)
	fake.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		*asked++
		if n >= 0 && *asked > n {
			return nil, nil, false
		}
		return refusal(req, err.Code), nil, true
	})
	return asked
}

// refusal is an answer in which everything that was asked for has an error.
func refusal(req kmsg.Request, code int16) kmsg.Response {
	resp := req.ResponseKind()
	switch req := req.(type) {
	case *kmsg.MetadataRequest:
		return refusedTopics(req, resp.(*kmsg.MetadataResponse), code)
	case *kmsg.ListOffsetsRequest:
		for _, t := range req.Topics {
			topic := kmsg.ListOffsetsResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.ListOffsetsResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			resp.(*kmsg.ListOffsetsResponse).Topics = append(resp.(*kmsg.ListOffsetsResponse).Topics, topic)
		}
	case *kmsg.OffsetForLeaderEpochRequest:
		for _, t := range req.Topics {
			topic := kmsg.OffsetForLeaderEpochResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.OffsetForLeaderEpochResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			resp.(*kmsg.OffsetForLeaderEpochResponse).Topics = append(resp.(*kmsg.OffsetForLeaderEpochResponse).Topics, topic)
		}
	case *kmsg.DescribeConfigsRequest:
		for _, r := range req.Resources {
			resp.(*kmsg.DescribeConfigsResponse).Resources = append(resp.(*kmsg.DescribeConfigsResponse).Resources,
				kmsg.DescribeConfigsResponseResource{ResourceType: r.ResourceType, ResourceName: r.ResourceName, ErrorCode: code})
		}
	case *kmsg.CreateTopicsRequest:
		for _, t := range req.Topics {
			resp.(*kmsg.CreateTopicsResponse).Topics = append(resp.(*kmsg.CreateTopicsResponse).Topics, kmsg.CreateTopicsResponseTopic{Topic: t.Topic, ErrorCode: code})
		}
	case *kmsg.ListGroupsRequest:
		resp.(*kmsg.ListGroupsResponse).ErrorCode = code
	case *kmsg.OffsetFetchRequest:
		return refusedOffsets(req, resp.(*kmsg.OffsetFetchResponse), code)
	case *kmsg.OffsetCommitRequest:
		for _, t := range req.Topics {
			topic := kmsg.OffsetCommitResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			resp.(*kmsg.OffsetCommitResponse).Topics = append(resp.(*kmsg.OffsetCommitResponse).Topics, topic)
		}
	case *kmsg.FetchRequest:
		for _, t := range req.Topics {
			topic := kmsg.FetchResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.FetchResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			resp.(*kmsg.FetchResponse).Topics = append(resp.(*kmsg.FetchResponse).Topics, topic)
		}
	}
	return resp
}

// refusedOffsets refuses every partition, and not the group.
func refusedOffsets(req *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse, code int16) kmsg.Response {
	for _, g := range req.Groups {
		group := kmsg.OffsetFetchResponseGroup{Group: g.Group}
		for _, t := range g.Topics {
			topic := kmsg.OffsetFetchResponseGroupTopic{Topic: t.Topic, TopicID: t.TopicID}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.OffsetFetchResponseGroupTopicPartition{Partition: p, Offset: -1, ErrorCode: code})
			}
			group.Topics = append(group.Topics, topic)
		}
		resp.Groups = append(resp.Groups, group)
	}
	return resp
}

func refusedTopics(req *kmsg.MetadataRequest, resp *kmsg.MetadataResponse, code int16) kmsg.Response {
	resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 0, Host: "127.0.0.1", Port: 9092}}
	for _, t := range req.Topics {
		resp.Topics = append(resp.Topics, kmsg.MetadataResponseTopic{Topic: t.Topic, ErrorCode: code})
	}
	return resp
}

// questions are all that is asked, each with the request whose answer is its matter.
var questions = []struct {
	name string
	key  kmsg.Key
	ask  func(context.Context, *Cluster) error
}{
	{"start offsets", kmsg.ListOffsets, func(ctx context.Context, c *Cluster) error { _, err := c.Offsets(ctx, orders, Start); return err }},
	{"last stable offsets", kmsg.ListOffsets, func(ctx context.Context, c *Cluster) error { _, err := c.Offsets(ctx, orders, LastStable); return err }},
	{"offsets by time", kmsg.ListOffsets, func(ctx context.Context, c *Cluster) error {
		_, err := c.Offsets(ctx, orders, 1700000000000)
		return err
	}},
	{"epochs", kmsg.OffsetForLeaderEpoch, func(ctx context.Context, c *Cluster) error {
		_, err := c.EpochEnds(ctx, map[format.TopicPartition]int32{orders[0]: 0, orders[1]: 0})
		return err
	}},
	{"configs", kmsg.DescribeConfigs, func(ctx context.Context, c *Cluster) error {
		found, err := c.Configs(ctx, []string{"orders"}, nil)
		return errors.Join(err, found["orders"].Err)
	}},
	{"topics", kmsg.Metadata, func(ctx context.Context, c *Cluster) error {
		m, err := c.Settled(ctx, []string{"orders"})
		if err != nil {
			return err
		}
		return m.Topics["orders"].Err
	}},
	{"leaders of offsets", kmsg.Metadata, func(ctx context.Context, c *Cluster) error { _, err := c.Offsets(ctx, orders, Start); return err }},
	{"leaders of new topics", kmsg.Metadata, func(ctx context.Context, c *Cluster) error {
		_, err := c.AwaitLeaders(ctx, []string{"orders"})
		return err
	}},
	{"create topics", kmsg.CreateTopics, func(ctx context.Context, c *Cluster) error { return create(ctx, c, false) }},
	{"validate topics", kmsg.CreateTopics, func(ctx context.Context, c *Cluster) error { return create(ctx, c, true) }},
	{"list groups", kmsg.ListGroups, func(ctx context.Context, c *Cluster) error { _, err := c.ListGroups(ctx); return err }},
	{"committed offsets", kmsg.OffsetFetch, func(ctx context.Context, c *Cluster) error {
		_, err := c.Committed(ctx, "g", orders)
		return err
	}},
	{"commit", kmsg.OffsetCommit, func(ctx context.Context, c *Cluster) error {
		return c.Commit(ctx, nil, "g", map[format.TopicPartition]Committed{orders[0]: {Offset: 1}, orders[1]: {Offset: 2}})
	}},
	{"read", kmsg.Fetch, func(ctx context.Context, c *Cluster) error {
		_, err := c.Reader(orders[0]).Read(ctx, 0, func(*kgo.Record) {})
		return err
	}},
}

func create(ctx context.Context, c *Cluster, onlyValidate bool) error {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "fresh", 1, 1
	_, err := c.CreateTopics(ctx, []kmsg.CreateTopicsRequestTopic{topic}, onlyValidate)
	return err
}

// passing are errors that may pass: one of each kind that brokers give while partitions and coordinators move.
var passing = []*kerr.Error{
	kerr.LeaderNotAvailable, kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.CoordinatorLoadInProgress,
	kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.RequestTimedOut, kerr.OffsetNotAvailable,
	kerr.NotController, kerr.ReplicaNotAvailable, kerr.KafkaStorageError, kerr.BrokerNotAvailable, kerr.ThrottlingQuotaExceeded, kerr.NetworkException,
}

func TestAnErrorThatPassesIsAskedAgain(t *testing.T) {
	for _, q := range questions {
		for _, e := range passing {
			synctest.Test(t, func(t *testing.T) {
				fake, c := source(t)
				asked := answers(fake, q.key, 3, e)
				if err := q.ask(t.Context(), c); err != nil {
					t.Errorf("%s, %s three times: got error %v, want none", q.name, e.Message, err)
				}
				if *asked < 4 {
					t.Errorf("%s, %s: %d requests, want 4 or more", q.name, e.Message, *asked)
				}
			})
		}
	}
}

func TestAnErrorThatStaysIsNamedWhenThePatienceEnds(t *testing.T) {
	for _, q := range questions {
		for _, e := range passing {
			if q.name == "topics" && IsUnknownTopic(e) {
				continue // it does not exist
			}
			if q.name == "commit" && strings.Contains(e.Message, "COORDINATOR") {
				continue // the client asks again by itself, and does not tell why
			}
			synctest.Test(t, func(t *testing.T) {
				fake, c := source(t)
				asked := answers(fake, q.key, -1, e)
				began := time.Now()
				err := q.ask(t.Context(), c)
				if took := time.Since(began); !errors.Is(err, e) || took != patience {
					t.Errorf("%s, always %s: got %v after %s, want that error after %s", q.name, e.Message, err, took, patience)
				}
				if *asked > 40 {
					t.Errorf("%s, always %s: %d requests in %s, want pauses that grow", q.name, e.Message, *asked, patience)
				}
			})
		}
	}
}

func TestAnErrorThatDoesNotPassEndsAtOnce(t *testing.T) {
	for _, q := range questions {
		for _, e := range []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.InvalidTopicException, kerr.UnsupportedForMessageFormat} {
			synctest.Test(t, func(t *testing.T) {
				fake, c := source(t)
				asked := answers(fake, q.key, -1, e)
				began := time.Now()
				err := q.ask(t.Context(), c)
				if took := time.Since(began); !errors.Is(err, e) || took >= firstPause {
					t.Errorf("%s, %s: got %v after %s, want that error at once", q.name, e.Message, err, took)
				}
				if *asked > len(orders) { // one for each leader
					t.Errorf("%s, %s: asked %d times", q.name, e.Message, *asked)
				}
			})
		}
	}
}

func TestOnlyPartitionsWithoutAnAnswerAreAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		times := map[int32]int{}
		fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			for _, p := range req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions {
				if times[p.Partition]++; p.Partition == 1 && times[1] < 3 {
					return refusal(req, kerr.NotLeaderForPartition.Code), nil, true
				}
			}
			return nil, nil, false
		})
		if err := fake.MoveTopicPartition("orders", 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := fake.MoveTopicPartition("orders", 1, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Offsets(t.Context(), orders, Start); err != nil {
			t.Fatal(err)
		}
		if times[0] != 1 || times[1] != 3 {
			t.Errorf("partitions were asked %v times, want 0 once and 1 three times", times)
		}
	})
}

func TestABrokerThatCannotBeReachedIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		drops := 0
		fake.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			if drops++; drops < 5 {
				return nil, errors.New("the connection breaks"), true
			}
			return nil, nil, false
		})
		if _, err := c.Offsets(t.Context(), orders, Start); err != nil {
			t.Errorf("got error %v, want none", err)
		}
	})
}

func TestALeaderThatIsGoneIsNone(t *testing.T) {
	resp := kmsg.NewPtrMetadataResponse()
	resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1}}
	resp.Topics = []kmsg.MetadataResponseTopic{{Topic: kmsg.StringPtr("orders"), Partitions: []kmsg.MetadataResponseTopicPartition{{Leader: 1}, {Partition: 1, Leader: 2}}}}
	m := newMetadata(resp)
	_, errs := m.byLeader(orders)
	if len(errs) != 1 || errs[orders[1]] != kerr.LeaderNotAvailable {
		t.Errorf("got %v, want no leader for %s", errs, orders[1])
	}
}

func TestACallerThatGivesUpIsHeardAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, c := source(t)
		answers(fake, kmsg.ListOffsets, -1, kerr.NotLeaderForPartition)
		stop := errors.New("the caller stops")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(stop) })
		began := time.Now()
		if _, err := c.Offsets(ctx, orders, Start); !errors.Is(err, stop) || time.Since(began) != 3*time.Second {
			t.Errorf("got %v after %s, want %v after 3s", err, time.Since(began), stop)
		}
	})
}

func TestAnAddressWhereNobodyListensIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		dial := func(context.Context, string, string) (net.Conn, error) { return nil, refused }
		began := time.Now()
		_, err := Connect(t.Context(), []kgo.Opt{kgo.SeedBrokers("nobody:9092"), kgo.Dialer(dial)}, patience)
		failed, ok := errors.AsType[*ConnectError](err)
		if !ok || !errors.Is(err, refused) || !strings.Contains(failed.Error(), "nobody:9092") || time.Since(began) > patience/2 {
			t.Errorf("got %v after %s, want a ConnectError at once", err, time.Since(began))
		}
	})
}

func TestOneBrokerThatAnswersIsEnoughToBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network kfake.VirtualNetwork
		fake, err := kfake.NewCluster(kfake.ListenFn(network.Listen), kfake.Ports(9092), kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		defer fake.Close()
		dial := func(ctx context.Context, network1, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "dead") {
				return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
			}
			return network.DialContext(ctx, network1, address)
		}
		for range 10 { // the client begins with any of them
			c, err := Connect(t.Context(), []kgo.Opt{kgo.SeedBrokers("dead1:9092", "dead2:9092", fake.ListenAddrs()[0]), kgo.Dialer(dial)}, patience)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
	})
}

func TestRetriableKnowsWhatMayPass(t *testing.T) {
	for err, want := range map[error]bool{
		kerr.NotLeaderForPartition: true, kerr.TopicAuthorizationFailed: false, io.EOF: true, context.Canceled: false,
		kgo.ErrClientClosed: false, errors.New("odd"): false,
		&net.OpError{Op: "dial", Err: errors.New("connection refused")}: true,
	} {
		if got := Retriable(err); got != want {
			t.Errorf("Retriable(%v) = %v, want %v", err, got, want)
		}
	}
}
