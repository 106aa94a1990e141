package replay

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// connect makes the client ready for the destinations, so that the first records do not wait for it: it loads the producer id and the
// topics, and opens the connections to their leaders. What does not work out is left for the first records to find.
func (p *player) connect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.settings.ConnectTimeout)
	defer cancel()
	if p.settings.Acks == AcksAll {
		p.client.ProducerID(ctx)
	}
	p.loadTopics(ctx)
	asked := make(map[int32]bool)
	var all sync.WaitGroup
	for _, d := range p.destinations {
		leader, _, err := p.client.PartitionLeader(d.topic, d.partition)
		if err != nil || leader < 0 || asked[leader] {
			continue
		}
		asked[leader] = true
		all.Go(func() {
			nothing := kmsg.NewPtrProduceRequest()
			nothing.Acks, nothing.TimeoutMillis = -1, int32(p.settings.ConnectTimeout.Milliseconds())
			p.client.Broker(int(leader)).Request(ctx, nothing) // produce requests have a connection of their own
		})
	}
	all.Wait()
}

// loadTopics makes the client look up the topics. It does so for a record; this one is for a partition that cannot be, so that it goes
// nowhere.
func (p *player) loadTopics(ctx context.Context) {
	known := make(map[string]bool)
	for _, d := range p.destinations {
		known[d.topic] = true
	}
	loaded := make(chan struct{}, len(known))
	for topic := range known {
		p.client.Produce(ctx, &kgo.Record{Topic: topic, Partition: -1}, func(*kgo.Record, error) { loaded <- struct{}{} })
	}
	for range known {
		select {
		case <-loaded:
		case <-ctx.Done():
			return
		}
	}
}
