package serve

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// patch fills in what the embedded broker does not know of archived topics: the leader epochs, without which no client asks for their ends. It
// also says where configs of a new topic are from, without which Java makes none.
func (c *conn) patch(r *request, frame []byte) ([]byte, error) {
	response := r.message.ResponseKind()
	if err := readAnswer(frame, response); err != nil {
		return nil, err
	}
	switch m := response.(type) {
	case *kmsg.MetadataResponse:
		for _, t := range m.Topics {
			for i := range t.Partitions {
				c.epochOf(t.Topic, t.Partitions[i].Partition, &t.Partitions[i].LeaderEpoch)
			}
		}
	case *kmsg.DescribeTopicPartitionsResponse:
		for _, t := range m.Topics {
			for i := range t.Partitions {
				c.epochOf(t.Topic, t.Partitions[i].Partition, &t.Partitions[i].LeaderEpoch)
			}
		}
	case *kmsg.CreateTopicsResponse:
		for i := range m.Topics {
			t := &m.Topics[i]
			for j := range t.Configs {
				t.Configs[j].Source = sourceOf(r.message.(*kmsg.CreateTopicsRequest), t.Topic, t.Configs[j].Name)
			}
		}
	}
	return answer(nil, r.correlation, response), nil
}

func (c *conn) epochOf(topic *string, partition int32, to *int32) {
	if topic == nil {
		return
	}
	if p := c.topics.byName[*topic].partition(partition); p != nil {
		*to = p.epoch
	}
}

// sourceOf says whether a config of a new topic was asked for.
func sourceOf(m *kmsg.CreateTopicsRequest, topic, config string) int8 {
	for _, t := range m.Topics {
		if t.Topic == topic && slices.ContainsFunc(t.Configs, func(c kmsg.CreateTopicsRequestTopicConfig) bool { return c.Name == config }) {
			return int8(kmsg.ConfigSourceDynamicTopicConfig)
		}
	}
	return int8(kmsg.ConfigSourceDefaultConfig)
}
