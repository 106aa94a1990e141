package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/units"
)

// holding is what a topic of the target holds before the replay.
type holding struct {
	offsets  int64 // at least as many records as this were there, but for compaction and transactions
	newestMs int64 // -1: not known
}

// lookInto asks how much the topics of the plan hold already, those that records go to and that no earlier run of this replay wrote to.
func (c *cluster) lookInto(ctx context.Context, p *Plan) (map[string]holding, error) {
	var tps []format.TopicPartition
	for _, t := range p.Topics {
		if t.Total.Records == 0 || t.earlier() || !c.topics[t.Target].exists {
			continue
		}
		for i := range c.topics[t.Target].partitions {
			if p.alone(t.Target, i) { // what other shards send is no surprise
				tps = append(tps, format.TopicPartition{Topic: t.Target, Partition: i})
			}
		}
	}
	ends, err := c.Offsets(ctx, tps, kafka.HighWatermark)
	if err != nil {
		return nil, err
	}
	starts, err := c.Offsets(ctx, tps, kafka.Start)
	if err != nil {
		return nil, err
	}
	newest, err := c.Newest(ctx, tps)
	if err != nil {
		newest = nil // older than Kafka 3.0
	}
	all := make(map[string]holding)
	for _, tp := range tps {
		h, ok := all[tp.Topic]
		if !ok {
			h.newestMs = -1
		}
		h.offsets += ends[tp] - starts[tp]
		if ms, ok := newest[tp]; ok {
			h.newestMs = max(h.newestMs, ms)
		}
		all[tp.Topic] = h
	}
	return all, nil
}

func (t *PlannedTopic) earlier() bool {
	for _, p := range t.Partitions {
		if p.Earlier > 0 {
			return true
		}
	}
	return false
}

// occupied warns of topics that hold records already.
func (p *preflight) occupied(t *PlannedTopic) {
	h := p.held[t.Target]
	if h.offsets == 0 {
		return
	}
	age := ""
	if h.newestMs >= 0 {
		age = fmt.Sprintf(", the newest of them of %s", timeText(h.newestMs))
		if old := p.now.Sub(time.UnixMilli(h.newestMs)).Round(time.Second); old > 0 {
			age = fmt.Sprintf(", the newest of them %s old", units.Duration(old))
		}
	}
	f := Finding{
		Code: "holds-records", Severity: warn, Topic: t.Target,
		What:        fmt.Sprintf("topic %s already holds %s%s", t.Target, units.Of(h.offsets, "record"), age),
		Consequence: "those of the archive come after them",
		Fix:         "send to another topic if that is not meant",
	}
	if p.options.Timestamps == KeepTimestamps && h.offsets == t.Total.Records && h.newestMs == t.Total.MaxTimestampMs {
		f.Code = "sent-before"
		f.What += ", as many as are sent now and up to the same time: this replay seems to have run before"
		f.Consequence = "it would double them"
		f.Fix = "with a checkpoint, or exactly once, the same replay goes on and doubles nothing"
	}
	p.add(f)
}
