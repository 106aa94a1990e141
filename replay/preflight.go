package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
)

// The severities of findings.
const (
	warn   = "warn"
	refuse = "refuse"
)

// Finding is something that the preflight found about the target.
type Finding struct {
	Code        string `json:"code"`            // stable, for programs
	Severity    string `json:"severity"`        // warn: something may be lost, or not be as expected; refuse: that is certain, or the target is the wrong one
	Topic       string `json:"topic,omitempty"` // of the target; empty: the cluster
	What        string `json:"what"`
	Consequence string `json:"consequence"`
	Fix         string `json:"fix"`
	// Final findings refuse even with Options.Force.
	Final bool `json:"final,omitempty"`
}

// Refusing are the findings that stop the replay, with or without force.
func (p *Plan) Refusing(force bool) []Finding {
	var out []Finding
	for _, f := range p.Findings {
		if f.Severity == refuse && (f.Final || !force) {
			out = append(out, f)
		}
	}
	return out
}

// preflight looks for what would be lost. It is a function of what is known, so each check can be tried without a cluster.
type preflight struct {
	options  *Options
	plan     *Plan
	target   *cluster
	held     map[string]holding // by topic of the target
	now      time.Time
	newest   func(topic string) int64 // latest timestamp of a topic of the archive in all shards together
	findings []Finding
}

func (p *preflight) look() []Finding {
	p.sourceCluster()
	p.mergedTopics()
	p.checkpointTopic()
	p.leftOutConfigs()
	for i := range p.plan.Topics {
		if t := &p.plan.Topics[i]; t.Total.Records > 0 {
			p.topic(t, p.target.topics[t.Target])
		}
	}
	return p.findings
}

func (p *preflight) add(f Finding) { p.findings = append(p.findings, f) }

func (p *preflight) topic(t *PlannedTopic, target targetTopic) {
	p.partitions(t, target)
	p.occupied(t)
	p.timestampRange(t)
	if target.configs == nil || target.configsErr != nil {
		p.unknownConfigs(t, target)
		return
	}
	p.largestRecord(t, target)
	p.compaction(t, target)
	p.retentionBytes(t, target)
	if p.options.Timestamps == NowTimestamps {
		return
	}
	if p.options.Timestamps == ShiftTimestamps {
		p.shifted(t, target)
		return
	}
	if target.configs["message.timestamp.type"] == "LogAppendTime" {
		p.logAppendTime(t)
		return
	}
	p.retentionTime(t, target)
	p.timestampWindow(t, target)
}

func (p *preflight) sourceCluster() {
	switch {
	case p.options.AllowSourceCluster:
	case slices.Contains(p.plan.sources, p.target.id):
		f := Finding{
			Code: "source-cluster", Severity: refuse, Final: true,
			What:        fmt.Sprintf("the target is cluster %s, from which the archive was captured", p.target.id),
			Consequence: "its topics would get their own records a second time",
			Fix:         "check the broker addresses; give the topics other names, and allow the source cluster if it is meant",
		}
		if !slices.ContainsFunc(p.plan.Topics, func(t PlannedTopic) bool { return t.Topic == t.Target }) {
			f.Consequence = "it would get its own records a second time, in topics of other names"
			f.Fix = "allow the source cluster if it is meant"
		}
		p.add(f)
	case p.target.id == "" && len(p.plan.sources) > 0:
		p.add(Finding{
			Code: "cluster-unknown", Severity: warn,
			What:        "the target does not tell its cluster id",
			Consequence: "that it is not the cluster that was captured cannot be checked",
			Fix:         "check the broker addresses",
		})
	}
}

func (p *preflight) mergedTopics() {
	sources := make(map[string][]string)
	for _, t := range p.plan.Topics {
		sources[t.Target] = append(sources[t.Target], t.Topic)
	}
	for i, t := range p.plan.Topics {
		if from := sources[t.Target]; len(from) > 1 && from[0] == p.plan.Topics[i].Topic {
			p.add(Finding{
				Code: "merged-topics", Severity: warn, Topic: t.Target,
				What:        fmt.Sprintf("topics %s all go to %s", strings.Join(from, ", "), t.Target),
				Consequence: "their records are mixed; order holds only among those of one partition of the archive",
				Fix:         "map them to different names if that is not meant",
			})
		}
	}
}

func (p *preflight) partitions(t *PlannedTopic, target targetTopic) {
	if !target.exists {
		return
	}
	needed := t.partitionsNeeded()
	switch {
	case needed > target.partitions:
		p.add(Finding{
			Code: "partitions", Severity: refuse, Topic: t.Target, Final: true,
			What:        fmt.Sprintf("topic %s has %d partitions in the target, the records need %d", t.Target, target.partitions, needed),
			Consequence: fmt.Sprintf("those for partition %d and up have nowhere to go", target.partitions),
			Fix:         "partition by key, in turn or by a table, or add partitions to the topic",
		})
	case p.options.Partitioner.Keeps() && t.source.Partitions > 0 && target.partitions > t.source.Partitions:
		p.add(Finding{
			Code: "more-partitions", Severity: warn, Topic: t.Target,
			What:        fmt.Sprintf("topic %s has %d partitions in the target, %d in the archive", t.Target, target.partitions, t.source.Partitions),
			Consequence: "the records stay in the partitions they had, where a producer that hashes keys would not look for all of them",
			Fix:         "partitioning by key places records over all partitions",
		})
	}
}

// ifExact refuses for the sake of a single record. When the selection cuts through row groups, the record may not be in it.
func ifExact(t *PlannedTopic) string {
	if t.Total.Exact {
		return refuse
	}
	return warn
}

func (p *preflight) timestampRange(t *PlannedTopic) {
	if p.options.Timestamps != KeepTimestamps || moment.Sendable(t.Total.MinTimestampMs) && moment.Sendable(t.Total.MaxTimestampMs) {
		return
	}
	p.add(Finding{
		Code: "timestamp-range", Severity: ifExact(t), Topic: t.Target,
		What:        fmt.Sprintf("topic %s has timestamps beyond the years 1678 to 2262 (%d to %d ms)", t.Topic, t.Total.MinTimestampMs, t.Total.MaxTimestampMs),
		Consequence: "those records cannot be sent",
		Fix:         "leave them out by their time, send them with the timestamps of now, or force it to leave out just them",
	})
}

func (p *preflight) unknownConfigs(t *PlannedTopic, target targetTopic) {
	why := "the target did not say"
	if target.configsErr != nil {
		why = target.configsErr.Error()
	}
	p.add(Finding{
		Code: "configs-unknown", Severity: warn, Topic: t.Target,
		What:        fmt.Sprintf("the configs of topic %s cannot be read: %s", t.Target, why),
		Consequence: "that its retention, size limits and timestamps fit the records was not checked",
		Fix:         "grant DescribeConfigs on the topic",
	})
}

// largestRecord is certain only about means: the archive does not say how large its largest record is. What is found on the way
// stops its partition.
func (p *preflight) largestRecord(t *PlannedTopic, target targetTopic) {
	limit, ok := target.number("max.message.bytes")
	if !ok {
		return
	}
	for _, part := range t.Partitions {
		// The canonical encoding is longer than Kafka's by its fixed-width integers, much so only with many tiny headers.
		if part.groups.mean/4*3 <= limit {
			continue
		}
		f := Finding{
			Code: "max-message-bytes", Severity: refuse, Topic: t.Target,
			What:        fmt.Sprintf("topic %s takes records of at most %d bytes, partition %d has some of %d", t.Target, limit, part.Partition, part.groups.mean),
			Consequence: "the larger ones cannot be sent",
			Fix:         "compress with zstd if that makes them small enough, raise max.message.bytes of the topic, or force it to leave them out",
		}
		if p.plan.Compression != "none" {
			f.Severity, f.What = warn, f.What+" before compression"
			f.Consequence = "those that stay larger with " + p.plan.Compression + " cannot be sent"
			f.Fix = "raise max.message.bytes of the topic, or force it to leave them out"
		}
		p.add(f)
		return
	}
}

func (p *preflight) compaction(t *PlannedTopic, target targetTopic) {
	if !isCompacted(target.configs) || isCompacted(t.source.Configs) {
		return
	}
	p.add(Finding{
		Code: "compaction", Severity: warn, Topic: t.Target,
		What:        fmt.Sprintf("topic %s is compacted (cleanup.policy), in the archive it was not", t.Target),
		Consequence: "only the last record of each key stays, and the target refuses records without a key",
		Fix:         "set cleanup.policy=delete on the topic",
	})
}

func isCompacted(configs map[string]string) bool {
	return strings.Contains(configs["cleanup.policy"], "compact")
}

func deletes(configs map[string]string) bool {
	policy, ok := configs["cleanup.policy"]
	return !ok || strings.Contains(policy, "delete")
}

func (p *preflight) retentionBytes(t *PlannedTopic, target targetTopic) {
	limit, ok := target.number("retention.bytes")
	if !ok || limit < 0 || !deletes(target.configs) {
		return
	}
	for _, part := range t.Partitions {
		if part.Total.Bytes <= limit {
			continue
		}
		p.add(Finding{
			Code: "retention-bytes", Severity: warn, Topic: t.Target,
			What: fmt.Sprintf("topic %s keeps %d bytes a partition (retention.bytes), partition %d has %d before compression",
				t.Target, limit, part.Partition, part.Total.Bytes),
			Consequence: "the target may delete the first records soon after they arrive",
			Fix:         "raise retention.bytes of the topic",
		})
		return
	}
}

func (p *preflight) logAppendTime(t *PlannedTopic) {
	p.add(Finding{
		Code: "log-append-time", Severity: refuse, Topic: t.Target,
		What:        fmt.Sprintf("topic %s stamps records itself (message.timestamp.type=LogAppendTime)", t.Target),
		Consequence: "the timestamps of the archive are lost",
		Fix:         "set message.timestamp.type=CreateTime on the topic, or send with the timestamps of now",
	})
}

// retentionTime is certain when all of a topic is too old, in all shards: the segment that is written to is rolled and deleted as well. Records without
// a timestamp, and before 1970, count from when they arrive.
func (p *preflight) retentionTime(t *PlannedTopic, target targetTopic) {
	limit, ok := target.number("retention.ms")
	if !ok || limit < 0 || !deletes(target.configs) {
		return
	}
	oldest := p.now.UnixMilli() - limit
	f := Finding{
		Code: "retention-ms", Severity: warn, Topic: t.Target,
		What: fmt.Sprintf("topic %s keeps records for %s (retention.ms), those of the archive begin at %s",
			t.Target, time.Duration(limit)*time.Millisecond, timeText(t.Total.MinTimestampMs)),
		Fix: "raise retention.ms of the topic (-1 keeps all), or send with the timestamps of now",
	}
	switch {
	case 0 <= t.Total.MaxTimestampMs && t.Total.MaxTimestampMs < oldest && p.newest(t.Topic) < oldest:
		f.Severity, f.Consequence = refuse, "the target deletes all of them soon after they arrive"
	case 0 <= t.Total.MinTimestampMs && t.Total.MinTimestampMs < oldest:
		f.Consequence = "the target may delete the older ones soon after they arrive"
	default:
		return
	}
	p.add(f)
}

func (p *preflight) timestampWindow(t *PlannedTopic, target targetTopic) {
	accepted := target.accepts()
	if accepted.holds(t.Total.MinTimestampMs, p.now) && accepted.holds(t.Total.MaxTimestampMs, p.now) {
		return
	}
	p.add(Finding{
		Code: "timestamp-window", Severity: ifExact(t), Topic: t.Target,
		What: fmt.Sprintf("topic %s accepts timestamps up to %s old and %s ahead (message.timestamp.before.max.ms and after.max.ms), those of the archive go from %s to %s",
			t.Target, accepted.before(), accepted.after(), timeText(t.Total.MinTimestampMs), timeText(t.Total.MaxTimestampMs)),
		Consequence: "it refuses the others",
		Fix:         "raise the two configs of the topic, send with the timestamps of now, or force it to leave those records out",
	})
}

// shifted looks at the timestamps that ShiftTimestamps gives: the first is the present, and the last may be ahead of the moment when it is
// sent, or behind it.
func (p *preflight) shifted(t *PlannedTopic, target targetTopic) {
	if target.configs["message.timestamp.type"] == "LogAppendTime" {
		p.logAppendTime(t)
		return
	}
	span := saturating.Distance(p.plan.Total.MinTimestampMs, t.Total.MaxTimestampMs)
	accepted := target.accepts()
	if last := saturating.Add(p.now.UnixMilli(), span); accepted.holds(last, p.now.Add(p.plan.Duration)) {
		return
	}
	p.add(Finding{
		Code: "timestamp-window", Severity: warn, Topic: t.Target,
		What: fmt.Sprintf("topic %s accepts timestamps up to %s old and %s ahead (message.timestamp.before.max.ms and after.max.ms); shifted to the present, those of the archive go %s on, in a replay of %s",
			t.Target, accepted.before(), accepted.after(), millisText(span), p.plan.Duration),
		Consequence: "it refuses the others",
		Fix:         "raise the two configs of the topic, replay at the original timing, or with the timestamps of now",
	})
}

// timeText spells a record's timestamp for people.
func timeText(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return fmt.Sprintf("@%d", ms)
	}
	return t.Format(time.RFC3339)
}
