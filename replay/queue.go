package replay

import (
	"context"
	"sync"
	"time"

	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/replay/timeline"
)

// queue holds records in playing order, between the goroutine that puts them in order and the one that sends them when their time has
// come. It has no bound of its own: the memory of what is in it is.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	items   []item
	pushed  int64
	held    bool // what comes next waits for records that are not acknowledged
	ended   bool
	err     error // why it ended

	heldUntil time.Time // when what came next last waited for acknowledgements
}

// item is a record in a queue, or the end of a partition that cannot go on.
type item struct {
	from  *part
	entry *entry // nil: the partition cannot go on, because of fault
	fault *fault

	due         time.Duration     // after the start
	timestampMs int64             // as of which it is played; may be moment.Untimed
	shiftMs     int64             // by which timestamps are later in this round
	round       int64             // from 0
	outOfOrder  bool              // its own timestamp is before timestampMs
	squeezed    timeline.Squeezed // all of it so far
}

// fault is why and where nothing more can be read of a partition.
type fault struct {
	offset int64
	err    error
}

// newQueue makes a queue whose waits end with ctx.
func newQueue(ctx context.Context) (q *queue, stop func() bool) {
	q = &queue{}
	q.changed = sync.NewCond(&q.mu)
	return q, context.AfterFunc(ctx, func() { q.end(ctx.Err()) })
}

func (q *queue) push(it item) {
	q.mu.Lock()
	q.items = append(q.items, it)
	q.pushed++
	q.mu.Unlock()
	q.changed.Signal()
}

// end says that nothing more comes, and with an error that nothing more is to be taken. The first call counts.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.ended || q.err == nil && err != nil {
		q.ended, q.err = true, err
	}
	q.changed.Broadcast()
}

// hold says that what comes next waits for acknowledgements.
func (q *queue) hold() {
	q.mu.Lock()
	q.held = true
	q.mu.Unlock()
	q.changed.Signal()
}

// letGo says that what comes next waits no longer for acknowledgements.
func (q *queue) letGo(now time.Time) {
	q.mu.Lock()
	q.held, q.heldUntil = false, now
	q.mu.Unlock()
}

// prime waits until a number of records are there, or as many as there can be, and returns the time as of which the first is played that
// has one.
func (q *queue) prime(n int64) (firstMs int64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.pushed < n && !q.held && !q.ended {
		q.changed.Wait()
	}
	for i := range q.items {
		if ms := q.items[i].timestampMs; ms != moment.Untimed {
			return ms, q.err
		}
	}
	return moment.Untimed, q.err
}

// wait is what taking from a queue had to wait for.
type wait struct {
	empty     bool      // for a record
	heldUntil time.Time // and records before this time for acknowledgements
}

// take exchanges the items that it returned last for those of the queue, waiting for one. It returns none at the end, with the reason.
func (q *queue) take(done []item) (items []item, w wait, err error) {
	clear(done) // they point to records
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.ended {
		w.empty = true
		q.changed.Wait()
	}
	w.heldUntil = q.heldUntil
	if q.err != nil {
		return nil, w, q.err
	}
	items, q.items = q.items, done[:0]
	return items, w, nil
}
