package replay

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Report is what became of a replay. Counts are of this run; Earlier adds those before it.
type Report struct {
	Plan   *Plan `json:"plan"`
	DryRun bool  `json:"dry_run,omitempty"`

	Sent         int64            `json:"sent"`         // records given to the producer
	Acknowledged int64            `json:"acknowledged"` // of those
	Bytes        int64            `json:"bytes"`        // canonical bytes of the acknowledged ones
	LeftOut      int64            `json:"left_out"`     // with Options.Force
	Refused      int64            `json:"refused"`      // sent and not acknowledged
	Missing      int64            `json:"missing"`      // selected, and neither acknowledged nor left out; an upper bound when the plan is
	Reasons      map[string]int64 `json:"reasons,omitempty"`
	Failures     []Failure        `json:"failures,omitempty"` // by topic and partition
	Stopped      bool             `json:"stopped,omitempty"`  // the context ended before everything was sent
	Topics       []TopicReport    `json:"topics"`

	Elapsed time.Duration `json:"elapsed_ns"` // of sending
	Rate    float64       `json:"records_per_second"`
}

// TopicReport is the part of one topic of the archive.
type TopicReport struct {
	Topic        string `json:"topic"`
	Target       string `json:"target"`
	Planned      int64  `json:"planned"`
	Sent         int64  `json:"sent"`
	Acknowledged int64  `json:"acknowledged"`
	Bytes        int64  `json:"bytes"`
}

// Progress is how far a replay is.
type Progress struct {
	Planned      int64 // records; an upper bound when the plan is
	PlannedBytes int64
	Sent         int64
	Acknowledged int64
	Bytes        int64 // canonical, of the acknowledged records
	Failed       int   // partitions that stopped
	Elapsed      time.Duration
	Done         bool // this is the last call
}

// progress adds up the ledgers.
func (p *player) progress() Progress {
	out := Progress{Elapsed: p.settings.Clock.Now().Sub(p.started)}
	for _, part := range p.parts {
		out.Planned += part.Total.Records
		out.PlannedBytes += part.Total.Bytes
		out.Sent += part.ledger.sent.Load()
		part.ledger.addTo(&out)
	}
	return out
}

func (l *ledger) addTo(out *Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Acknowledged += l.acknowledged
	out.Bytes += l.acknowledgedBytes
	if l.failure != nil {
		out.Failed++
	}
}

// report fills in everything when nothing is under way any more.
func (p *player) report(r *Report) {
	r.Elapsed = p.settings.Clock.Now().Sub(p.started)
	for _, t := range r.Plan.Topics {
		r.Topics = append(r.Topics, TopicReport{Topic: t.Topic, Target: t.Target, Planned: t.Total.Records})
	}
	for _, part := range p.parts {
		r.Missing += part.missing()
		i := slices.IndexFunc(r.Topics, func(t TopicReport) bool { return t.Topic == part.ledger.source.Topic })
		part.ledger.addToReport(r, &r.Topics[i])
	}
	slices.SortFunc(r.Failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	if r.Elapsed > 0 {
		r.Rate = float64(r.Acknowledged) / r.Elapsed.Seconds()
	}
}

// missing is how many records of the partition are neither acknowledged nor left out. Once all of it was read that is known exactly.
func (p *part) missing() int64 {
	p.ledger.mu.Lock()
	defer p.ledger.mu.Unlock()
	if p.read {
		return p.ledger.sent.Load() - p.ledger.acknowledged
	}
	return max(0, p.Total.Records-p.ledger.acknowledged-sum(p.ledger.leftOut))
}

func (l *ledger) addToReport(r *Report, t *TopicReport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent.Load()
	t.Sent += sent
	t.Acknowledged += l.acknowledged
	t.Bytes += l.acknowledgedBytes
	r.Sent += sent
	r.Acknowledged += l.acknowledged
	r.Bytes += l.acknowledgedBytes
	r.LeftOut += sum(l.leftOut)
	r.Refused += sum(l.refused)
	for _, counts := range []map[string]int64{l.leftOut, l.refused} {
		for why, n := range counts {
			if r.Reasons == nil {
				r.Reasons = make(map[string]int64)
			}
			r.Reasons[why] += n
		}
	}
	if l.failure != nil {
		r.Failures = append(r.Failures, *l.failure)
	}
}

func sum(counts map[string]int64) int64 {
	var n int64
	for v := range maps.Values(counts) {
		n += v
	}
	return n
}
