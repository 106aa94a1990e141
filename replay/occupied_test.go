package replay_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/replay"
)

// found are the codes of the findings about a topic.
func found(p *replay.Plan, topic string) (codes []string, text string) {
	for _, f := range p.Findings {
		if f.Topic == topic {
			codes, text = append(codes, f.Code), text+f.What+": "+f.Consequence+"\n"
		}
	}
	return codes, text
}

func TestATopicThatHoldsRecordsIsAWarningWithTheirNumberAndAge(t *testing.T) {
	a, c := ordersAndEvents(50).archive(t), newTarget(t, withTopics())
	report := c.run(t, a, replay.Options{Topics: []string{"orders"}, Limit: 7})
	codes, text := found(report.Plan, "orders")
	equal(t, "findings of an empty target: "+text, len(codes), 0)
	for _, dry := range []bool{true, false} {
		report = c.run(t, a, replay.Options{DryRun: dry})
		codes, text = found(report.Plan, "orders")
		if !slices.Contains(codes, "holds-records") || !strings.Contains(text, "already holds 7 records, the newest of them ") || !strings.Contains(text, " old") {
			t.Errorf("findings %v, %s, want the seven records and their age", codes, text)
		}
		codes, text = found(report.Plan, "events")
		equal(t, "an empty topic holds something: "+text, slices.Contains(codes, "holds-records"), false)
	}
}

func TestASecondRunWithoutProgressSaysThatItWouldDouble(t *testing.T) {
	a, c := ordersAndEvents(50).archive(t), newTarget(t, withTopics())
	progress := &memory{}
	c.run(t, a, replay.Options{Checkpoint: progress})
	report := c.run(t, a, replay.Options{DryRun: true})
	for _, topic := range []string{"orders", "events"} {
		if codes, text := found(report.Plan, topic); !slices.Contains(codes, "sent-before") || !strings.Contains(text, "it would double them") {
			t.Errorf("%s: findings %v, %s, want that it would double them", topic, codes, text)
		}
	}
	report = c.run(t, a, replay.Options{Checkpoint: progress})
	codes, text := found(report.Plan, "orders")
	equal(t, "findings of a replay that goes on: "+text, len(codes), 0)
}

// unknowing makes the target refuse topics with a config that is not in known, and answer with those that are.
func unknowing(c target, known ...string) {
	c.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		create := req.(*kmsg.CreateTopicsRequest)
		resp := create.ResponseKind().(*kmsg.CreateTopicsResponse)
		refused := false
		for _, topic := range create.Topics {
			answer := kmsg.NewCreateTopicsResponseTopic()
			answer.Topic = topic.Topic
			for _, config := range topic.Configs {
				if !slices.Contains(known, config.Name) {
					answer.ErrorCode, refused = kerr.InvalidConfig.Code, true
				}
			}
			for _, name := range known {
				answer.Configs = append(answer.Configs, kmsg.CreateTopicsResponseTopicConfig{Name: name, Value: kmsg.StringPtr("1")})
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, refused || create.ValidateOnly
	})
}

func TestAConfigThatTheTargetDoesNotHaveIsLeftOutWithAWarning(t *testing.T) {
	r := ordersAndEvents(5)
	r.identity.Topics = []origin.Topic{{Name: "events", Partitions: 2}, {Name: "orders", Partitions: 2, Configs: map[string]string{
		"message.format.version": "3.0", "redpanda.remote.write": "true", "segment.ms": "60000", "retention.ms": "1000",
	}}}
	c := newTarget(t)
	unknowing(c, "segment.ms", "retention.ms")
	report := c.run(t, r.archive(t), replay.Options{CreateTopics: true, Force: true, TopicConfigs: map[string]string{"retention.ms": "-1"}})
	var warned []string
	for _, f := range report.Plan.Findings {
		if f.Code == "unknown-config" {
			warned = append(warned, f.What)
		}
	}
	equal(t, "warnings", warned, []string{
		"the target does not have the config message.format.version, which orders has in the archive",
		"the target does not have the config redpanda.remote.write, which orders has in the archive",
	})
	equal(t, "configs", c.overridden(t, "orders"), map[string]string{"segment.ms": "60000", "retention.ms": "-1"})
	equal(t, "acknowledged", report.Acknowledged, int64(15))
}

// overridden are the configs that a topic has of its own.
func (c target) overridden(t *testing.T, topic string) map[string]string {
	t.Helper()
	configs, err := c.admin(t).DescribeTopicConfigs(t.Context(), topic)
	must(t, err)
	got := make(map[string]string)
	for _, config := range configs[0].Configs {
		if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
			got[config.Key] = *config.Value
		}
	}
	return got
}

func TestAConfigThatIsAskedForAndUnknownIsAnError(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t)
	unknowing(c, "segment.ms")
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{CreateTopics: true, TopicConfigs: map[string]string{"segment.mss": "1"}})
	if err == nil || !strings.HasPrefix(err.Error(), "create topic orders: ") && !strings.HasPrefix(err.Error(), "create topic events: ") || !errors.Is(err, kerr.InvalidConfig) {
		t.Errorf("error %v, want one that names a topic, for %v", err, kerr.InvalidConfig)
	}
}

func TestTopicsAreMadeWithoutTheConfigsOfTheArchiveWhenAsked(t *testing.T) {
	r := ordersAndEvents(5)
	r.identity.Topics = []origin.Topic{{Name: "orders", Partitions: 2, Configs: map[string]string{"segment.ms": "60000"}}}
	c := newTarget(t)
	c.run(t, r.archive(t), replay.Options{CreateTopics: true, NoTopicConfigs: true})
	equal(t, "configs", c.overridden(t, "orders"), map[string]string{})
}

func TestADeniedProducerIDSaysWhatToGrant(t *testing.T) {
	a, c := ordersAndEvents(5).archive(t), newTarget(t, withTopics())
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	_, err := replay.Run(t.Context(), c.connect, a, replay.Options{})
	denied, ok := errors.AsType[*replay.DeniedError](err)
	if !ok || denied.Operation != "IdempotentWrite" {
		t.Fatalf("error %v, want a DeniedError for IdempotentWrite", err)
	}
	report := c.run(t, a, replay.Options{Acks: replay.AcksLeader})
	equal(t, "acknowledged with fewer acks", report.Acknowledged, int64(15))
}
