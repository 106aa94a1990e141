package replay

import (
	"slices"

	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// settled is what a transaction made certain of a partition.
type settled struct {
	state               checkpoint.Partition
	acknowledged, bytes int64
}

// settle is called when everything that was sent is committed.
func (l *ledger) settle() settled {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := settled{l.state, l.acknowledged, l.acknowledgedBytes}
	s.state.Marks = slices.Clone(s.state.Marks)
	return s
}

// unsettle goes back to what was certain. What was acknowledged after that is refused, and the partition stops there.
func (l *ledger) unsettle(s settled) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lost := l.acknowledged - s.acknowledged; lost > 0 {
		l.refused[reason(errNotCommitted)] += lost
		if l.failure == nil {
			l.stop(s.state.Next, errNotCommitted)
		}
		l.failure.Offset = min(l.failure.Offset, s.state.Next)
	}
	l.state, l.acknowledged, l.acknowledgedBytes = s.state, s.acknowledged, s.bytes
}

// promised is the state if everything that the client has got is acknowledged. Nothing is given to it meanwhile.
func (l *ledger) promised() checkpoint.Partition {
	return l.stateIf(func(e *entry) bool {
		return e.fate == acknowledged || e.fate == earlier || e.fate == undecided && e.record.Topic != ""
	})
}
