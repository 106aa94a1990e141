package replay

import "math"

// What shards refuse they refuse alike, whoever of them comes first, though each knows of its own partitions alone.

// defaultRetention is what a topic keeps on a cluster that was not told otherwise, in milliseconds: a week.
const defaultRetention = "604800000"

// assumeRetention gives topics that are to be made a retention where the target does not tell it beforehand. The shards that find the topic are told,
// and the one that makes it must not be the only one that sends.
func (p *Plan) assumeRetention(target *cluster) {
	for i := range p.Topics {
		t := &p.Topics[i]
		made := target.topics[t.Target]
		if _, told := made.configs["retention.ms"]; t.Create && !told && made.configs != nil {
			made.configs["retention.ms"] = defaultRetention
		}
	}
}

// newestOf is the latest timestamp that any shard sends of a topic of the archive. It reads the footers of the others' segments. What cannot be read is as
// new as can be: who has it says so.
func (j *job) newestOf(topic string) int64 {
	newest := int64(math.MinInt64)
	if !j.Shard.Divides() {
		return newest
	}
	whole := &Plan{Topics: []PlannedTopic{{Topic: topic}}}
	all := &planner{settings: j.settings, archive: j.archive}
	for _, tp := range j.selected.all {
		if tp.Topic == topic && all.partition(whole, tp) != nil {
			return math.MaxInt64
		}
	}
	for _, part := range whole.Topics[0].Partitions {
		if part.Total.Records > 0 {
			newest = max(newest, part.Total.MaxTimestampMs)
		}
	}
	return newest
}
