package capture

import (
	"sync"
	"sync/atomic"

	"github.com/karchive/karchive/format"
)

// tenure is the time for which a group gives a partition to this member. A nil one lasts as long as the run. Its methods are safe for concurrent use.
type tenure struct {
	tp     format.TopicPartition
	before *tenure       // of the same partition; nil: none, or it has ended
	over   chan struct{} // closed when the partition is given up
	gone   chan struct{} // closed when nothing more is done with it
	ending sync.Once
	lost   atomic.Bool // what is not sealed is to be dropped
}

func newTenure(tp format.TopicPartition, before *tenure) *tenure {
	return &tenure{tp: tp, before: before, over: make(chan struct{}), gone: make(chan struct{})}
}

// giveUp ends it. What is there may be sealed, unless it is lost.
func (t *tenure) giveUp(lost bool) {
	if lost {
		t.lost.Store(true)
	}
	t.ending.Do(func() { close(t.over) })
}

// end is closed when it has ended.
func (t *tenure) end() <-chan struct{} {
	if t == nil {
		return nil
	}
	return t.over
}

func (t *tenure) isOver() bool {
	select {
	case <-t.end():
		return true
	default:
		return false
	}
}

func (t *tenure) isLost() bool { return t.lost.Load() }
