package reshape

import (
	"errors"
	"hash"
	"slices"
	"time"

	"github.com/karchive/karchive/format"
)

// Worker runs a pipeline for one goroutine. Close gives it back.
type Worker struct {
	arena
	pipeline  *Pipeline
	topics    map[string]*topicWork
	last      *topicWork // that of the record before
	filter    *evaluation
	strings   walker // for documents that no pattern is about
	mac       hash.Hash
	formats   *formatter // nil: not yet needed
	sampleMAC hash.Hash  // nil: not yet needed

	counts Report // without rules and suspects
	record uint64 // number of records read
	hits   []ruleCount

	opened                  [2]opened // value and key
	buf, scratch, sum, made []byte
	headers                 []format.Header
	editor                  editor
	tick                    time.Duration // what numbers count by where the rule at work shifts them: see noteTick
	ticks                   map[ruleAt]time.Duration

	// Of the record that is at work. Nothing of it counts before it goes on.
	why          string        // it does not go on; empty where the verdict says all
	pending      []int         // numbers of rules, by change
	excused      bool          // it has a payload that a rule could not be applied to
	restored     bool          // it has a payload that goes on as it was, for its schema cannot hold what rules made of it
	tracks       bool          // what goes out is looked at
	marks        [2]marks      // of value and key
	again        [2]bool       // a look at what the rules have made is needed, of value and key
	states       []headerState // of the headers, if tracks is set
	headersAgain bool
	nextStates   []headerState
}

type ruleCount struct {
	records, fields, looked int64
	last                    uint64 // record
}

// topicWork is what a worker has for one topic.
type topicWork struct {
	topic   string
	by      []*entity
	stages  []*stage // the mask step, and the groups of the map step
	looks   *detector
	last    [2]*walker // look at what the rules have made of value and key
	filters *captured
}

func newWorker(p *Pipeline, keep bool) *Worker {
	w := &Worker{pipeline: p, topics: map[string]*topicWork{}, hits: make([]ruleCount, len(p.masks)+len(p.maps))}
	w.keep = keep
	w.strings.root = newRoot(nil, false)
	return w
}

func (w *Worker) setKeep(keep bool) {
	if w.keep != keep {
		w.arena = arena{keep: keep}
	}
}

// hit notes that a rule did its work at a place.
func (w *Worker) hit(r *rule) {
	if r.number >= 0 {
		w.pending = append(w.pending, r.number)
	}
}

// met says that a rule did something to the record.
func (w *Worker) met(r *rule) bool { return slices.Contains(w.pending, r.number) }

// count counts what was done to a record that goes on.
func (w *Worker) count() {
	for _, number := range w.pending {
		c := &w.hits[number]
		c.fields++
		if c.last != w.record {
			c.last = w.record
			c.records++
		}
	}
	if w.excused {
		w.counts.Unmaskable++
	}
}

// look counts that a rule found a place that it may leave as it is.
func (w *Worker) look(r *rule) {
	if r.leaves && r.number >= 0 {
		w.hits[r.number].looked++
	}
}

// Apply runs the rules on a record and changes it in place. The error is a *RecordError, and comes only with Rules.Strict and
// when the context of Pipeline.EndWith has ended.
func (w *Worker) Apply(r *Record) (Verdict, error) {
	w.record++
	w.counts.Read++
	w.why = ""
	w.reset()
	w.opened[ValueRoot].asked, w.opened[KeyRoot].asked = false, false
	verdict, err := w.apply(w.topic(r.Topic), r)
	if err != nil {
		return FilteredOut, &RecordError{r.Topic, r.Partition, r.Offset, err}
	}
	switch verdict {
	case Pass:
		w.counts.Passed++
	case FilteredOut:
		w.counts.Filtered++
	case SampledOut:
		w.counts.Sampled++
	case Withheld:
		w.counts.Withheld++
	}
	return verdict, nil
}

// Why says of the record before why it was withheld, or could not be decided about. It is empty for every other one. There is nothing of the
// record's contents in it.
func (w *Worker) Why() string { return w.why }

func (w *Worker) apply(t *topicWork, r *Record) (Verdict, error) {
	p := w.pipeline
	if p.filter != nil {
		if pass, err := w.decide(t, r); err != nil || !pass {
			return FilteredOut, err
		}
	}
	if p.sample != nil && !w.inSample(t, r) {
		return SampledOut, nil
	}
	if len(t.stages) == 0 {
		return Pass, nil
	}
	return w.reshape(t, r), nil
}

// reshape masks and maps, and looks at what comes out.
func (w *Worker) reshape(t *topicWork, r *Record) Verdict {
	w.begin(t)
	key := r.Key
	for _, s := range t.stages {
		if err := s.apply(w, r); err != nil {
			return w.withhold(err)
		}
	}
	if w.tracks {
		if err := w.judge(t, r); err != nil {
			return w.withhold(err)
		}
	}
	if err := w.close(r); err != nil {
		return w.withhold(err)
	}
	if w.restored && w.pipeline.rules.RequireCoverage {
		return w.withhold(errUncovered)
	}
	w.count()
	if string(key) != string(r.Key) || (key == nil) != (r.Key == nil) {
		w.counts.KeysChanged++
	}
	return Pass
}

func (w *Worker) begin(t *topicWork) {
	w.excused, w.restored, w.pending = false, false, w.pending[:0]
	w.marks[ValueRoot], w.marks[KeyRoot] = w.marks[ValueRoot][:0], w.marks[KeyRoot][:0]
	w.again, w.headersAgain = [2]bool{}, false
	w.tracks, t.looks.record = w.pipeline.detects, w.record
}

// Why a record does not go on with coverage required.
var (
	errUncovered = errors.New("a field looks personal and no rule has changed it")
	errUnseen    = errors.New("a payload cannot be looked at and no rule is about it")
)

// judge counts what looks personal in what goes out. The error is why it must not.
func (w *Worker) judge(t *topicWork, r *Record) error {
	w.lookAgain(t, r)
	required := w.pipeline.rules.RequireCoverage
	found, unseen := false, false
	flag := func(f finding) {
		if f.place != nil && (required || !f.unseen) {
			f.place.add(w.record, f.looks)
			found, unseen = found || !f.unseen, unseen || f.unseen
		}
	}
	for _, known := range w.marks {
		for _, m := range known {
			flag(m.finding)
		}
	}
	for i := range w.states {
		flag(w.states[i].name)
		flag(w.states[i].value)
	}
	switch {
	case found && required:
		return errUncovered
	case unseen && required:
		return errUnseen
	}
	return nil
}

// lookAgain looks at what rules have made, which no one has seen so far.
func (w *Worker) lookAgain(t *topicWork, r *Record) {
	for root, b := range [][]byte{ValueRoot: r.Value, KeyRoot: r.Key} {
		if w.again[root] && b != nil {
			l := t.last[root].looks.(*lookout)
			l.to = &w.marks[root]
			if !looksLikeDocument(b) || t.last[root].walk(b) != nil {
				l.payload(Root(root), b)
			}
		}
	}
	if w.headersAgain {
		for i := range r.Headers {
			t.looks.header(&w.states[i], &r.Headers[i], true)
		}
	}
}

func (w *Worker) withhold(err error) Verdict {
	if w.counts.WithheldFor == nil {
		w.counts.WithheldFor = map[string]int64{}
	}
	w.why = reason(err)
	why := w.why
	if _, known := w.counts.WithheldFor[why]; !known && len(w.counts.WithheldFor) >= maxReasons {
		why = otherReasons // that name ids of schemas, say
	}
	w.counts.WithheldFor[why]++
	return Withheld
}

// reason is an error without what differs from record to record.
func reason(err error) string {
	var at *payloadError
	if errors.As(err, &at) {
		return at.root.String() + ": " + reasonOf(at.err)
	}
	return reasonOf(err)
}

func reasonOf(err error) string {
	if s, ok := errors.AsType[*syntax](err); ok {
		return "not strictly JSON: " + s.what
	}
	return err.Error()
}

// payloadError is a ruleError or a *syntax about one payload.
type payloadError struct {
	root Root
	err  error
}

func (e *payloadError) Error() string { return e.root.String() + ": " + e.err.Error() }

func (e *payloadError) Unwrap() error { return e.err }

// unmaskable decides about a payload that a rule cannot be applied to. What goes on as it is had better be looked at.
func (w *Worker) unmaskable(root Root, b []byte, err error) ([]byte, error) {
	out, withheld := w.instead(root, b, err)
	switch {
	case withheld != nil || !w.tracks || b == nil:
	case w.pipeline.rules.Unmaskable == RedactAll:
		w.marks[root] = append(w.marks[root][:0], mark{from: 0, to: len(out)})
	default:
		if at, ok := errors.AsType[*ruleError](err); ok && at.rule.kind != takeKind {
			w.marks[root] = append(w.marks[root], mark{0, len(b), finding{w.last.looks.place(root.String()), looksUnchanged, false}})
		}
		w.again[root] = true
	}
	return out, withheld
}

// instead is what goes on of a payload or field that a rule cannot be applied to. The error is why nothing does.
func (w *Worker) instead(root Root, b []byte, err error) ([]byte, error) {
	if err := w.excuse(root, err); err != nil {
		return nil, err
	}
	if w.pipeline.rules.Unmaskable == RedactAll {
		return w.own([]byte(redacted)), nil
	}
	return b, nil
}

// excuse notes that a rule cannot be applied. The error is why the record does not go on.
func (w *Worker) excuse(root Root, err error) error {
	if w.pipeline.rules.Unmaskable.orDefault() == Withhold || errors.Is(err, errMissingPath) {
		return &payloadError{root, err}
	}
	w.excused = true
	return nil
}

// topic is what the worker has for a topic.
func (w *Worker) topic(name string) *topicWork {
	if w.last != nil && w.last.topic == name {
		return w.last
	}
	t := w.topics[name]
	if t == nil {
		t = w.pipeline.newTopicWork(name)
		w.topics[name] = t
	}
	w.last = t
	return t
}

func (p *Pipeline) newTopicWork(topic string) *topicWork {
	t := &topicWork{topic: topic, looks: &detector{}}
	if p.sample != nil {
		t.by = p.sample.entities(topic)
	}
	if p.filter != nil {
		t.filters = p.filter.captured()
	}
	var looks *detector
	if p.detects {
		looks = t.looks
		for root := range t.last {
			t.last[root] = &walker{root: newRoot(nil, false), looks: &lookout{detector: looks, last: true}}
		}
	}
	for i, rules := range append([][]*rule{p.masks}, p.stages...) {
		if i > 0 {
			looks = nil
		}
		if s := newStage(rules, topic, looks); s != nil {
			t.stages = append(t.stages, s)
		}
	}
	return t
}
