package replay_test

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/selection"
)

func TestAMissingTopicIsAnErrorWithAHint(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t, kfake.SeedTopics(2, "events"))
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{})
	missing, ok := errors.AsType[*replay.MissingTopicsError](err)
	if !ok {
		t.Fatalf("error %v, want a MissingTopicsError", err)
	}
	equal(t, "topics", missing.Topics, []string{"orders"})
	equal(t, "records in the topic that is there", len(c.values(t, events0)), 0)
}

func TestTopicsAreMadeAsTheArchiveDescribesThem(t *testing.T) {
	r := ordersAndEvents(5)
	r.identity.Topics = []origin.Topic{
		{Name: "empty", Partitions: 3},
		{Name: "events", Partitions: 4, Configs: map[string]string{"cleanup.policy": "compact", "segment.ms": "60000"}},
	}
	c := newTarget(t, kfake.NumBrokers(3))
	report := c.run(t, r.archive(t), replay.Options{CreateTopics: true, ReplicationFactor: 2})
	equal(t, "acknowledged", report.Acknowledged, int64(15))
	admin := c.admin(t)
	topics, err := admin.ListTopics(t.Context())
	must(t, err)
	for name, partitions := range map[string]int{"empty": 3, "events": 4, "orders": 2} { // orders is not described: as many as have records
		equal(t, name, len(topics[name].Partitions), partitions)
		equal(t, name+" replicas", len(topics[name].Partitions[0].Replicas), 2)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), "events")
	must(t, err)
	got := make(map[string]string)
	for _, config := range configs[0].Configs {
		if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
			got[config.Key] = *config.Value
		}
	}
	equal(t, "overridden configs", got, r.identity.Topics[1].Configs)
}

// Kafka's brokers hear of a new topic a moment after it was made.
func TestABrokerThatDoesNotKnowANewTopicYetDoesNotUnsetItsLimits(t *testing.T) {
	r := ordersAndEvents(5)
	r.identity.Topics[1].Configs = map[string]string{"max.message.bytes": "4000000"}
	r.records[orders0][3].Value = bytes.Repeat([]byte("x"), 2_000_000) // over the default limit
	c := newTarget(t)
	var made, unknown atomic.Bool
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Observe: true, Count: -1, When: func(req kmsg.Request) bool {
		made.Store(!req.(*kmsg.CreateTopicsRequest).ValidateOnly)
		return true
	}})
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "orders", Err: kerr.UnknownTopicOrPartition, Count: 1, When: func(kmsg.Request) bool {
		unknown.Store(made.Load())
		return made.Load()
	}})
	report := c.run(t, r.archive(t), replay.Options{CreateTopics: true})
	equal(t, "the broker did not know it", unknown.Load(), true)
	equal(t, "acknowledged", report.Acknowledged, int64(15))
}

func TestATopicThatCannotBeMadeIsAnErrorBeforeAnythingIsSent(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t, kfake.SeedTopics(2, "events"))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "orders", Err: kerr.PolicyViolation})
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{CreateTopics: true})
	if err == nil || !strings.HasPrefix(err.Error(), "create topic orders: ") || !errors.Is(err, kerr.PolicyViolation) {
		t.Fatalf("error %v, want one that names the topic", err)
	}
	equal(t, "records in the topic that is there", len(c.values(t, events0)), 0)
}

func TestADryRunMakesAndSendsNothing(t *testing.T) {
	a, c := ordersAndEvents(50).archive(t), newTarget(t, kfake.SeedTopics(2, "events"))
	var announced *replay.Plan
	report := c.run(t, a, replay.Options{DryRun: true, CreateTopics: true, OnPlan: func(p *replay.Plan) { announced = p }})
	if announced != report.Plan {
		t.Error("OnPlan did not get the plan")
	}
	topics, err := c.admin(t).ListTopics(t.Context())
	must(t, err)
	equal(t, "topics", topics.Names(), []string{"events"})
	equal(t, "records", len(c.values(t, events0)), 0)
	plan := report.Plan
	equal(t, "total", [2]any{plan.Total.Records, plan.Total.Exact}, [2]any{int64(150), true})
	equal(t, "times", [2]int64{plan.Total.MinTimestampMs, plan.Total.MaxTimestampMs}, [2]int64{base, base + 49})
	equal(t, "clusters", [2]string{plan.SourceCluster, plan.TargetCluster}, [2]string{"source", "target"})
	equal(t, "topics", [2]any{plan.Topics[0].Create, plan.Topics[1].Create}, [2]any{false, true})
	equal(t, "target partitions", [2]int32{plan.Topics[0].TargetPartitions, plan.Topics[1].TargetPartitions}, [2]int32{2, 2})
	equal(t, "dry run", [2]any{report.DryRun, report.Sent}, [2]any{true, int64(0)})
}

func TestAPlanCountsWholeRowGroupsWhereAWindowCutsThem(t *testing.T) {
	a, c := ordersAndEvents(50).archive(t), newTarget(t, withTopics())
	report := c.run(t, a, replay.Options{Topics: []string{"events"}, From: selection.AtOffset(5), Until: selection.AtOffset(30), DryRun: true})
	equal(t, "total", [2]any{report.Plan.Total.Records, report.Plan.Total.Exact}, [2]any{int64(30), false})
	report = c.run(t, a, replay.Options{Topics: []string{"events"}, From: selection.AtOffset(5), Until: selection.AtOffset(30)})
	equal(t, "report", [2]int64{report.Acknowledged, report.Missing}, [2]int64{25, 0})
}
