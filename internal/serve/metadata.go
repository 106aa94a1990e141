package serve

import "github.com/twmb/franz-go/pkg/kmsg"

// patch fills in what the embedded broker does not know of archived topics: the leader epochs, without which no client asks for their ends.
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
