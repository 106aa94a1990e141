package replay

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// ledger keeps account of one partition of the archive: what was sent and what became of it. Chunks enter it in offset order before
// they are sent; answers come in any order. It is safe for concurrent use.
type ledger struct {
	source format.TopicPartition

	bounds bounds // where groups are

	sent     atomic.Int64 // records given to the producer
	filtered atomic.Int64 // records that the rules left out, of what was decoded
	stopped  atomic.Bool  // failure is set: nothing more is sent

	mu                sync.Mutex
	front, back       *chunk               // those that are not passed, in order
	state             checkpoint.Partition // as far as nothing is left to do; without Beyond
	before            []checkpoint.Range   // acknowledged in earlier runs and not in a chunk yet
	acknowledged      int64
	acknowledgedBytes int64
	leftOut           map[string]int64 // by reason
	refused           map[string]int64 // by reason
	failure           *Failure
}

// Failure is where a partition of the archive stopped.
type Failure struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // of the first record that was not acknowledged, or from which on nothing could be read
	Reason    string `json:"reason"`

	err error
}

func (f Failure) source() format.TopicPartition {
	return format.TopicPartition{Topic: f.Topic, Partition: f.Partition}
}

func newLedger(tp format.TopicPartition, state checkpoint.Partition) *ledger {
	l := &ledger{source: tp, state: state, leftOut: make(map[string]int64), refused: make(map[string]int64)}
	l.before = slices.Clone(state.Beyond)
	l.state.Topic, l.state.Partition, l.state.Beyond = tp.Topic, tp.Partition, nil
	return l
}

// enter appends a chunk. Entries that an earlier run had acknowledged are decided.
func (l *ledger) enter(c *chunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back == nil {
		l.front, l.back = c, c
	} else {
		l.back.next, l.back = c, c
	}
	for i := 0; i < len(c.entries) && len(l.before) > 0; i++ {
		if e := &c.entries[i]; l.wasBefore(e) {
			l.decide(e, earlier)
		}
	}
	l.pass()
}

// wasBefore takes an entry out of the ranges of earlier runs, if it is in one.
func (l *ledger) wasBefore(e *entry) bool {
	for len(l.before) > 0 && l.before[0].Until <= e.offset {
		l.before = l.before[1:]
	}
	if len(l.before) == 0 || l.before[0].From > e.offset {
		return false
	}
	r := &l.before[0]
	r.From, r.Records, r.Bytes = e.offset+1, r.Records-1, r.Bytes-int64(e.bytes)
	return true
}

// settled says that nothing is in flight, and that nothing went wrong.
func (l *ledger) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.front == nil && l.failure == nil
}

// leave notes that the player is done with a chunk.
func (l *ledger) leave(c *chunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.played = true; c.passed == len(c.entries) {
		c.memory.recycle(c)
	}
}

// acknowledge notes that the target has an entry.
func (l *ledger) acknowledge(e *entry) {
	l.mu.Lock()
	l.acknowledged++
	l.acknowledgedBytes += int64(e.bytes)
	l.decide(e, acknowledged)
	l.pass()
	l.mu.Unlock()
}

// leaveOut notes that an entry will not be sent.
func (l *ledger) leaveOut(e *entry, why error) {
	l.mu.Lock()
	l.leftOut[reason(why)]++
	l.decide(e, leftOut)
	l.pass()
	l.mu.Unlock()
}

// refuse notes that an entry which was sent is not acknowledged, and stops the partition.
func (l *ledger) refuse(e *entry, why error) {
	l.mu.Lock()
	l.refused[reason(why)]++
	l.decide(e, refused)
	l.stop(e.offset, why)
	l.mu.Unlock()
}

// fail stops the partition at offset, from which on nothing was sent.
func (l *ledger) fail(offset int64, why error) {
	l.mu.Lock()
	l.stop(offset, why)
	l.mu.Unlock()
}

// abandon gives up the entries of c from number i on, none of which was sent.
func (l *ledger) abandon(c *chunk, i int) {
	l.mu.Lock()
	for ; i < len(c.entries); i++ {
		if c.entries[i].fate == undecided {
			l.decide(&c.entries[i], undecided)
		}
	}
	l.mu.Unlock()
}

// giveUp gives up an entry that was not sent.
func (l *ledger) giveUp(e *entry) {
	l.mu.Lock()
	l.decide(e, undecided)
	l.mu.Unlock()
}

// decide sets an entry's fate and gives the chunk's memory back after its last one.
func (l *ledger) decide(e *entry, f fate) {
	e.fate = f
	e.chunk.undecided--
	if e.chunk.undecided == 0 && e.chunk.release != nil {
		e.chunk.release()
	}
}

func (l *ledger) stop(offset int64, why error) {
	if l.failure == nil || offset < l.failure.Offset {
		l.failure = &Failure{Topic: l.source.Topic, Partition: l.source.Partition, Offset: offset, Reason: reason(why), err: why}
		l.stopped.Store(true)
	}
}

// pass moves the front over everything that needs no sending again.
func (l *ledger) pass() {
	for c := l.front; c != nil; c = l.front {
		for c.passed < len(c.entries) && l.passEntry(&c.entries[c.passed]) {
			c.passed++
		}
		if c.passed < len(c.entries) {
			return
		}
		// A record that someone still points to keeps its chunk in memory, and must not keep all that follow.
		if l.front, c.next = c.next, nil; l.front == nil {
			l.back = nil
		}
		if c.played {
			c.memory.recycle(c)
		}
	}
}

func (l *ledger) passEntry(e *entry) bool {
	if e.fate == undecided || e.fate == refused {
		return false
	}
	pass(&l.state, e)
	l.bounds.mark(&l.state, e)
	return true
}

// snapshot is the state for a checkpoint. While records are under way, what this run had acknowledged beyond Next is not in it, for it
// may be in many pieces; after a crash it is sent again. With final everything that is acknowledged is in it.
func (l *ledger) snapshot(final bool) checkpoint.Partition {
	return l.stateIf(func(e *entry) bool { return e.fate == earlier || e.fate == acknowledged && final })
}

// stateIf is the state if the entries that count are acknowledged, of those that are not passed.
func (l *ledger) stateIf(counts func(*entry) bool) checkpoint.Partition {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	s.Marks = slices.Clone(s.Marks)
	passing := true            // nothing is left to do before the entry
	var open *checkpoint.Range // the range that may still grow
	for c := l.front; c != nil; c = c.next {
		for i := c.passed; i < len(c.entries); i++ {
			e := &c.entries[i]
			counted := counts(e)
			passing = passing && (counted || e.fate == leftOut)
			if counted {
				l.bounds.mark(&s, e)
			}
			switch {
			case passing:
				pass(&s, e)
			case !counted:
				open = nil
			default:
				if open == nil {
					s.Beyond = append(s.Beyond, checkpoint.Range{From: e.offset})
					open = &s.Beyond[len(s.Beyond)-1]
				}
				open.Until, open.Records, open.Bytes = e.offset+1, open.Records+1, open.Bytes+int64(e.bytes)
			}
		}
	}
	for _, r := range l.before {
		if r.Records > 0 {
			s.Beyond = append(s.Beyond, r)
		}
	}
	return s
}

// pass counts an entry that needs no sending again, the next one.
func pass(s *checkpoint.Partition, e *entry) {
	if e.fate == leftOut {
		s.LeftOut++
	} else {
		s.Records++
		s.Bytes += int64(e.bytes)
	}
	if e.inTurn {
		s.Turns++
	}
	s.Next = e.offset + 1
}
