package serve

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestConfigsOfANewTopicSayWhereTheyAreFrom(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 1))
	m := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = "changelog", 1, 1
	policy := "compact"
	rt.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "cleanup.policy", Value: &policy}}
	m.Topics = append(m.Topics, rt)
	response, err := m.RequestWith(within(t), client(t, serving(t, a)))
	if err != nil {
		t.Fatal(err)
	}
	topic := response.Topics[0]
	if topic.ErrorCode != 0 || len(topic.Configs) == 0 {
		t.Fatalf("got error %d and %d configs", topic.ErrorCode, len(topic.Configs))
	}
	for _, c := range topic.Configs {
		want := kmsg.ConfigSourceDefaultConfig
		if c.Name == "cleanup.policy" {
			want = kmsg.ConfigSourceDynamicTopicConfig
		}
		if c.Source != int8(want) {
			t.Errorf("%s: got source %d, want %d", c.Name, c.Source, want)
		}
	}
	if got := sourceOf(m, "changelog", "retention.ms"); got != int8(kmsg.ConfigSourceDefaultConfig) {
		t.Errorf("a config that nobody asked for: got source %d, want %d", got, kmsg.ConfigSourceDefaultConfig)
	}
}

// TestWebInterfacesFindWhatTheyAskFor sends what the web interfaces for Kafka ask: what there is, how it is set up, and a page of records.
func TestWebInterfacesFindWhatTheyAskFor(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 100, 200), plain(orders1, 0, 50))
	s := serving(t, a)
	c := client(t, s, kgo.ConsumerGroup("viewers"), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	take(t, c, 150)
	if err := c.CommitUncommittedOffsets(within(t)); err != nil {
		t.Fatal(err)
	}
	ui := kadm.NewClient(client(t, s))
	asked := func(what string, ok bool, err error) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: got error %v, as it should be %t", what, err, ok)
		}
	}
	m, err := ui.Metadata(within(t))
	asked("metadata of all topics", len(m.Topics["orders"].Partitions) == 2 && m.Cluster == cluster && len(m.Brokers) == 1, err)
	brokersOf, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(within(t), client(t, s))
	asked("DescribeCluster", err == nil && brokersOf.ClusterID == cluster && brokersOf.ErrorCode == 0, err)
	configs, err := ui.DescribeTopicConfigs(within(t), "orders")
	asked("DescribeConfigs of a topic", len(configs) == 1 && configs[0].Err == nil && len(configs[0].Configs) > 0, err)
	brokers, err := ui.DescribeBrokerConfigs(within(t), m.Brokers[0].NodeID)
	asked("DescribeConfigs of a broker", len(brokers) == 1 && brokers[0].Err == nil, err)
	dirs, err := ui.DescribeAllLogDirs(within(t), nil)
	asked("DescribeLogDirs", len(dirs) == 1, err)
	groups, err := ui.ListGroups(within(t))
	asked("ListGroups", len(groups) == 1 && groups["viewers"].Group == "viewers", err)
	members, err := ui.DescribeGroups(within(t), "viewers")
	asked("DescribeGroups", members["viewers"].State == "Stable" && len(members["viewers"].Members) == 1, err)
	lag, err := ui.Lag(within(t), "viewers")
	asked("lag", lag["viewers"].Lag.Total() == 0, err)
	producers, err := ui.DescribeProducers(within(t), kadm.TopicsSet{"orders": {0: {}, 1: {}}})
	asked("DescribeProducers", len(producers["orders"].Partitions) == 2, err)
	for name, from := range map[string]int64{"the middle": 150, "the end": 190} {
		page := client(t, s, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"orders": {0: kgo.NewOffset().At(from)}}))
		records := page.PollRecords(within(t), 10).Records()
		if len(records) != 10 || records[0].Offset != from || described(records[9]) != describe(orders0, &plain(orders0, 100, 200).records[from-100+9]) {
			t.Errorf("a page from %s: got %d records", name, len(records))
		}
	}
}
