package reshape

import (
	"errors"
	"hash"

	"github.com/karchive/karchive/format"
)

// Worker runs a pipeline for one goroutine. Close gives it back.
type Worker struct {
	arena
	pipeline *Pipeline
	topics   map[string]*topicWork
	last     *topicWork // that of the record before
	filter   *evaluation
	strings  walker // for documents that no pattern is about
	mac      hash.Hash

	counts Report // without rules and suspects
	record uint64 // number of records read
	hits   []ruleCount

	buf, scratch, sum []byte
	headers           []format.Header
	excused           bool // the record has a payload that could not be masked, and that was counted
}

type ruleCount struct {
	records, fields int64
	last            uint64 // record
}

// topicWork is what a worker has for one topic.
type topicWork struct {
	topic   string
	by      []*entity
	masks   *stage
	maps    []*stage
	looks   *detector
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

// hit counts that a rule found a place in the record.
func (w *Worker) hit(r *rule) {
	if r.number < 0 {
		return
	}
	c := &w.hits[r.number]
	c.fields++
	if c.last != w.record {
		c.last = w.record
		c.records++
	}
}

// Apply runs the rules on a record and changes it in place. The error is a *RecordError, and comes only with Rules.Strict.
func (w *Worker) Apply(r *Record) (Verdict, error) {
	w.record++
	w.counts.Read++
	w.reset()
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
	if t.masks == nil && len(t.maps) == 0 {
		return Pass, nil
	}
	return w.reshape(t, r), nil
}

// reshape masks and maps.
func (w *Worker) reshape(t *topicWork, r *Record) Verdict {
	w.excused = false
	key := r.Key
	if t.masks != nil {
		t.looks.record, t.looks.found = w.record, false
		if err := t.masks.apply(w, r); err != nil {
			return w.withhold(err)
		}
		if t.looks.found && w.pipeline.rules.RequireCoverage {
			return w.withhold(errUncovered)
		}
	}
	for _, s := range t.maps {
		if err := s.apply(w, r); err != nil {
			return w.withhold(err)
		}
	}
	if string(key) != string(r.Key) || (key == nil) != (r.Key == nil) {
		w.counts.KeysChanged++
	}
	return Pass
}

var errUncovered = errors.New("a field looks personal and has no rule")

func (w *Worker) withhold(err error) Verdict {
	if w.counts.WithheldFor == nil {
		w.counts.WithheldFor = map[string]int64{}
	}
	w.counts.WithheldFor[reason(err)]++
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

// unmaskable decides about a payload that a rule cannot be applied to.
func (w *Worker) unmaskable(root Root, b []byte, err error) ([]byte, error) {
	policy := w.pipeline.rules.Unmaskable.orDefault()
	if policy == Withhold {
		return nil, &payloadError{root, err}
	}
	if !w.excused {
		w.excused = true
		w.counts.Unmaskable++
	}
	if policy == PassOn {
		return b, nil
	}
	return w.own([]byte(redacted)), nil
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
	}
	t.masks = newStage(p.masks, p.maps, topic, looks)
	for _, rules := range p.stages {
		if s := newStage(rules, nil, topic, nil); s != nil {
			t.maps = append(t.maps, s)
		}
	}
	return t
}
