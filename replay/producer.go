package replay

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// usualBatchBytes is the most bytes of a batch of more than one record, where the target allows it: Kafka's default limit.
	usualBatchBytes = 1_000_012
	// leastBatchBytes and mostBatchBytes are what the client accepts as a limit.
	leastBatchBytes, mostBatchBytes = 512, 1 << 30
)

// leaderPause is the least time between two looks for the leaders of partitions. With the client's five seconds every leader that moves, or
// is not ready when a topic was just made, is a silence of that length and a burst behind it.
const leaderPause = 250 * time.Millisecond

// newProducer makes a client that sends, also records that are oversized: larger than the target's limit before compression. Its own buffers are
// unbounded: what may be in memory is the budget's business, and a producer that blocks could not be stopped.
func newProducer(o *Options, connect []kgo.Opt, plan *Plan, target *cluster, refusals *refusalLogger, oversized bool) (*kgo.Client, error) {
	limits := batchLimits(plan, target, oversized)
	options := append(slices.Clone(connect),
		kgo.WithLogger(refusals),
		kgo.WithHooks(target.Dials()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[plan.Compression]),
		kgo.WithCompressor(newCompressor(plan.Compression)),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 {
			if n, ok := limits[topic]; ok {
				return n
			}
			return usualBatchBytes
		}),
		kgo.MaxBufferedRecords(math.MaxInt),
		kgo.MaxBufferedBytes(0),
		// Its timeouts count from a record's timestamp, which may lie years back.
		kgo.RecordDeliveryTimeout(0),
		kgo.MetadataMinAge(leaderPause),
	)
	// What waits for room in a window would wait for the linger of what is before it, too.
	if o.Schedule.Pace.Timed() || oversized && plan.Compression != "none" {
		options = append(options, kgo.ProducerLinger(0))
	}
	options = append(append(options, kgo.WithHooks(o.Hooks...)), o.Acks.options()...)
	if o.ExactlyOnce {
		options = append(options, kgo.TransactionalID(TransactionPrefix+o.ReplayID), kgo.TransactionTimeout(o.TransactionTimeout))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("producer options: %w", err)
	}
	return client, nil
}

func (a Acks) options() []kgo.Opt {
	acks := kgo.AllISRAcks()
	switch a {
	case AcksAll:
		// When the target lost what it had acknowledged, going on would hide it.
		return []kgo.Opt{kgo.RequiredAcks(acks), kgo.StopProducerOnDataLossDetected()}
	case AcksLeader:
		acks = kgo.LeaderAck()
	case AcksNone:
		acks = kgo.NoAck()
	}
	return []kgo.Opt{kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1)}
}

// batchLimits are the largest batches by topic, before compression: the usual size, more when the archive may hold a larger record and the
// target takes it, or when records may be oversized.
func batchLimits(plan *Plan, target *cluster, oversized bool) map[string]int32 {
	largest := make(map[string]int64)
	for i := range plan.Topics {
		t := &plan.Topics[i]
		largest[t.Target] = max(largest[t.Target], t.largestRecord())
	}
	if plan.ReplayID != "" {
		largest[CheckpointTopic] = 0
	}
	limits := make(map[string]int32)
	for topic, bytes := range largest {
		limit, ok := target.topics[topic].number("max.message.bytes")
		largest := max(usualBatchBytes, bytes+batchHeaderBytes)
		switch {
		case oversized && plan.Compression != "none" && topic != CheckpointTopic:
			limit = largest // see window
		case !ok:
			continue
		default:
			limit = min(limit, largest)
		}
		// The client counts one byte more than the broker does (three more before the broker's first answer).
		limits[topic] = int32(min(max(limit+1, leastBatchBytes), mostBatchBytes))
	}
	return limits
}
