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
		response := m.ResponseKind().(*kmsg.CreateTopicsResponse)
		response.Topics = refuseMany(m.Topics, func(t *kmsg.CreateTopicsRequestTopic) (kmsg.CreateTopicsResponseTopic, int64) {
			rt := kmsg.NewCreateTopicsResponseTopic()
			rt.Topic, rt.ErrorCode = t.Topic, kerr.InvalidPartitions.Code
			return rt, max(int64(t.NumPartitions), int64(len(t.ReplicaAssignment)), 1)
		})
		if response.Topics != nil {
			return response
		}
	case *kmsg.CreatePartitionsRequest:
		response := m.ResponseKind().(*kmsg.CreatePartitionsResponse)
		response.Topics = refuseMany(m.Topics, func(t *kmsg.CreatePartitionsRequestTopic) (kmsg.CreatePartitionsResponseTopic, int64) {
			rt := kmsg.NewCreatePartitionsResponseTopic()
			rt.Topic, rt.ErrorCode = t.Topic, kerr.InvalidPartitions.Code
			return rt, int64(t.Count)
		})
		if response.Topics != nil {
			return response
		}
	}
	return nil
}

// refuseMany returns the answers to all topics; nil: they have no more than mostPartitions together.
func refuseMany[Asked, Answered any](topics []Asked, answer func(*Asked) (_ Answered, partitions int64)) (answers []Answered) {
	all := int64(0)
	for i := range topics {
		a, partitions := answer(&topics[i])
		answers, all = append(answers, a), all+partitions
	}
	if all <= mostPartitions {
		return nil
	}
	return answers
}
