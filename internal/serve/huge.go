package serve

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// mostPartitions is how many partitions clients may ask for in a request: the embedded broker makes all of them in memory.
const mostPartitions = 10_000

// refuseHuge answers a request for more partitions than that; nil: it asks for none, or for fewer.
func refuseHuge(message kmsg.Request) kmsg.Response {
	switch m := message.(type) {
	case *kmsg.CreateTopicsRequest:
		return refuseTopics(m)
	case *kmsg.CreatePartitionsRequest:
		return refusePartitions(m)
	}
	return nil
}

func refuseTopics(m *kmsg.CreateTopicsRequest) kmsg.Response {
	all := int64(0)
	for _, t := range m.Topics {
		all += max(int64(t.NumPartitions), int64(len(t.ReplicaAssignment)), 1)
	}
	if all <= mostPartitions {
		return nil
	}
	response := m.ResponseKind().(*kmsg.CreateTopicsResponse)
	for _, t := range m.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic, rt.ErrorCode = t.Topic, kerr.InvalidPartitions.Code
		response.Topics = append(response.Topics, rt)
	}
	return response
}

func refusePartitions(m *kmsg.CreatePartitionsRequest) kmsg.Response {
	all := int64(0)
	for _, t := range m.Topics {
		all += int64(t.Count)
	}
	if all <= mostPartitions {
		return nil
	}
	response := m.ResponseKind().(*kmsg.CreatePartitionsResponse)
	for _, t := range m.Topics {
		rt := kmsg.NewCreatePartitionsResponseTopic()
		rt.Topic, rt.ErrorCode = t.Topic, kerr.InvalidPartitions.Code
		response.Topics = append(response.Topics, rt)
	}
	return response
}
