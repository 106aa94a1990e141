package replay

import (
	"sync"
)

// retirement has the client forget topics that nothing is sent to any more. For each topic that is new to it, the client copies the list of
// all that it knows, and its metadata requests name them all, so that the cost of many topics would grow with their square.
type retirement struct {
	forget func(topics ...string)

	mu     sync.Mutex
	topics map[string]*sentTopic
	sent   []*sentTopic // all of which was given to the client
	next   int          // the length of sent from which on it is looked through
}

// sentTopic is a topic of the target.
type sentTopic struct {
	name    string
	ledgers []*ledger
	left    int // parts of which not all was given to the client
}

// retireTopics is how many topics are forgotten at once: the client has to stop for it.
const retireTopics = 256

// newRetirement is nil when a topic may be sent to again later.
func (p *player) newRetirement() *retirement {
	if p.transactions != nil || p.recorder != nil || p.settings.Schedule.Rounds() != 1 {
		return nil
	}
	r := &retirement{forget: p.forget, topics: make(map[string]*sentTopic), next: retireTopics}
	for _, part := range p.parts {
		if part.Total.Records > 0 {
			r.add(part.destinations[0].topic, part.ledger)
		}
	}
	return r
}

func (r *retirement) add(topic string, l *ledger) {
	t := r.topics[topic]
	if t == nil {
		t = &sentTopic{name: topic}
		r.topics[topic] = t
	}
	t.ledgers = append(t.ledgers, l)
	t.left++
}

// finished notes that all of a part was given to the client. The receiver may be nil.
func (r *retirement) finished(topic string) {
	if r == nil {
		return
	}
	if done := r.done(topic); len(done) > 0 {
		r.forget(done...)
	}
}

// done notes a finished part, and now and then returns the topics of which everything is answered.
func (r *retirement) done(topic string) (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.topics[topic]
	if t.left--; t.left > 0 {
		return nil
	}
	if r.sent = append(r.sent, t); len(r.sent) < r.next {
		return nil
	}
	waiting := r.sent[:0]
	for _, t := range r.sent {
		if t.settled() {
			names = append(names, t.name)
		} else {
			waiting = append(waiting, t)
		}
	}
	r.sent, r.next = waiting, len(waiting)+retireTopics
	return names
}

func (t *sentTopic) settled() bool {
	for _, l := range t.ledgers {
		if !l.settled() {
			return false
		}
	}
	return true
}
