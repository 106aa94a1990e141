package replay_test

import (
	"runtime/metrics"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/replay"
)

// What is allocated for each record the collector has to find again: a replay at top speed lives of using memory again.
func TestARecordThatIsSentAllocatesNothingOfItsOwn(t *testing.T) {
	sending := func(records int) float64 {
		r := ordersAndEvents(records)
		r.groupSize = 10_000
		a, c := r.archive(t), newTarget(t)
		c.acceptAll()
		before := objects()
		c.run(t, a, replay.Options{CreateTopics: true})
		return objects() - before
	}
	const few, more = 1000, 9000 // in each of three partitions
	least, most := sending(few), sending(more)
	if each := (most - least) / (3 * (more - few)); each > 0.5 {
		t.Errorf("%.2f objects a record, want none", each)
	}
}

// acceptAll makes the target acknowledge whatever is produced without a look at it, which would allocate in this process.
func (c target) acceptAll() {
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		response := kmsg.NewPtrProduceResponse()
		response.SetVersion(request.GetVersion())
		for _, asked := range request.(*kmsg.ProduceRequest).Topics {
			topic := kmsg.ProduceResponseTopic{Topic: asked.Topic, TopicID: asked.TopicID}
			for _, p := range asked.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.ProduceResponseTopicPartition{Partition: p.Partition})
			}
			response.Topics = append(response.Topics, topic)
		}
		return response, nil, true
	})
}

// objects is how many were allocated in this process.
func objects() float64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}
