package replay

import (
	"maps"
	"slices"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/timeline"
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
	NotSent      int64            `json:"not_sent"`     // of the missing ones, those that were never given to the producer
	Filtered     int64            `json:"filtered"`     // read, and left out by Options.Reshape
	LeftOutFor   map[string]int64 `json:"left_out_for,omitempty"`
	RefusedFor   map[string]int64 `json:"refused_for,omitempty"`
	Failures     []Failure        `json:"failures,omitempty"`      // by topic and partition
	Stopped      bool             `json:"stopped,omitempty"`       // the context ended before everything was sent
	Groups       []GroupPosition  `json:"groups,omitempty"`        // of a dry run without their offsets
	GroupFailure string           `json:"group_failure,omitempty"` // why not all groups are where they belong, although the records are
	Topics       []TopicReport    `json:"topics"`

	Planned      int64         `json:"planned"`                // records, all rounds; 0 when the replay loops for ever, and an upper bound when the plan is
	Transactions int64         `json:"transactions,omitempty"` // that were committed, of a replay that is exactly once
	Elapsed      time.Duration `json:"elapsed_ns"`             // of sending
	Rate         float64       `json:"records_per_second"`
	Timing       *Timing       `json:"timing,omitempty"` // nil: at top speed
	Series       Series        `json:"series,omitzero"`
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
	Refused      int64 // sent and not acknowledged
	LeftOut      int64 // by Options.Reshape, of what is decoded, and with Options.Force
	Failed       int   // partitions that stopped
	Elapsed      time.Duration
	Rate         float64 // records acknowledged per second, in the last seconds
	Paused       bool
	Done         bool // this is the last call

	// Of a timed replay:
	PositionMs int64         // the timestamp in the recording that was sent last; format.NoTimestamp: none
	Lag        time.Duration // how far sending is behind the schedule now
	Dispatch   Lateness      // so far
	Answer     Lateness      // of acknowledgements
}

// progress adds up the ledgers.
func (p *player) progress() Progress {
	out := Progress{Elapsed: p.elapsed(), Paused: p.settings.Control.Paused(), PositionMs: format.NoTimestamp}
	if p.recorder != nil {
		p.recorder.progress(&out)
	}
	for _, part := range p.parts {
		out.Planned += p.settings.Schedule.All(part.Total.Records)
		out.PlannedBytes += p.settings.Schedule.All(part.Total.Bytes)
		out.Sent += part.ledger.sent.Load()
		part.ledger.addTo(&out)
	}
	return out
}

// elapsed is the time of sending.
func (p *player) elapsed() time.Duration {
	begun := p.begun.Load()
	if begun == nil {
		return 0
	}
	return max(0, p.settings.Clock.Now().Sub(*begun))
}

func (l *ledger) addTo(out *Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Acknowledged += l.acknowledged
	out.Bytes += l.acknowledgedBytes
	out.Refused += sum(l.refused)
	out.LeftOut += sum(l.leftOut) + l.filtered.Load()
	if l.failure != nil {
		out.Failed++
	}
}

// report fills in everything when nothing is under way any more.
func (p *player) report(r *Report) {
	r.Elapsed = p.elapsed()
	if p.transactions != nil {
		r.Transactions = p.transactions.commits
	}
	all := p.settings.Schedule.All
	places := make(map[string]int, len(r.Plan.Topics))
	for i, t := range r.Plan.Topics {
		places[t.Topic] = i
		r.Topics = append(r.Topics, TopicReport{Topic: t.Topic, Target: t.Target, Planned: all(t.Total.Records)})
	}
	r.Planned = all(r.Plan.Total.Records)
	for _, part := range p.parts {
		missing, notSent := p.missing(part)
		r.Missing, r.NotSent = r.Missing+missing, r.NotSent+notSent
		part.ledger.addToReport(r, &r.Topics[places[part.ledger.source.Topic]])
	}
	slices.SortFunc(r.Failures, func(a, b Failure) int { return a.source().Compare(b.source()) })
	if r.Elapsed > 0 {
		r.Rate = float64(r.Acknowledged) / r.Elapsed.Seconds()
	}
	if p.recorder == nil {
		r.Series = p.speed.finish(r)
		return
	}
	r.Timing, r.Series = p.recorder.report()
	r.Timing.Pace, r.Timing.Precision, r.Timing.PrecisionNote = p.settings.Schedule.Pace.String(), NormalPrecision, p.settings.note
	if p.settings.precise {
		r.Timing.Precision = HighPrecision
	}
	if begun := p.begun.Load(); begun != nil {
		r.Timing.Start = begun.Round(0)
	}
}

// missing is how many records of a partition are neither acknowledged nor left out, and how many of those were not sent. Once all of it was
// read that is known exactly.
func (p *player) missing(of *part) (missing, notSent int64) {
	l := of.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	unanswered := l.sent.Load() - l.acknowledged
	if of.read.Load() || p.settings.Schedule.Loop == timeline.Forever {
		return unanswered, 0
	}
	missing = max(unanswered, p.settings.Schedule.All(of.Total.Records)-l.acknowledged-sum(l.leftOut)-l.filtered.Load())
	return missing, missing - unanswered
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
	r.Filtered += l.filtered.Load()
	addCounts(&r.LeftOutFor, l.leftOut)
	addCounts(&r.RefusedFor, l.refused)
	if l.failure != nil {
		r.Failures = append(r.Failures, *l.failure)
	}
}

func addCounts(to *map[string]int64, counts map[string]int64) {
	if *to == nil && len(counts) > 0 {
		*to = make(map[string]int64)
	}
	for why, n := range counts {
		(*to)[why] += n
	}
}

func sum(counts map[string]int64) int64 {
	var n int64
	for v := range maps.Values(counts) {
		n += v
	}
	return n
}
