package replay

import (
	"context"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// window bounds what is under way to a destination, where a record may be larger than the target's limit before compression and smaller
// after. Such a record travels alone.
//
// The client knows one limit of a topic's batches, before compression. One that such a record fits into would have the client fill batches with
// other records until they are too large also when they are compressed. So these records go a detour, through a client of their own, and
// the window is all that keeps them in order. Where there is only one client, the window has room for one batch.
//
// Who waits goes in turn, and is let in when half of the window is free, not for each record that is acknowledged: a batch comes back record by
// record, and each of them would wake a goroutine that fills its place with one other. It is safe for concurrent use.
type window struct {
	batch  int64 // the bytes of the largest batch that the target takes
	size   int64 // how much has room in it: bytes before compression or, with a detour, records
	detour bool

	mu      sync.Mutex
	used    int64
	waiting []waiting // in the order that they came
}

// waiting is who waits for n to have room. It is told by ready.
type waiting struct {
	n     int64
	ready chan struct{}
}

// detourWindow is the size of a window with a detour: more records than memory holds.
const detourWindow = 1 << 40

// clientMargin is more than what the client counts in a batch beyond what the target does.
const clientMargin = 8

func newWindow(batch int64, detour bool) *window {
	if detour {
		return &window{batch: batch, size: detourWindow, detour: true}
	}
	return &window{batch: batch, size: batch}
}

// windowBatch is the largest batch of a topic whose partitions need a window; 0: they need none, for no record is larger.
func (p *Plan) windowBatch(topic string, t targetTopic) int64 {
	limit, ok := t.number("max.message.bytes")
	if p.Compression == "none" {
		return 0
	}
	if !ok {
		limit = usualBatchBytes // which is what clusters have
	}
	for i := range p.Topics {
		if t := &p.Topics[i]; t.Target == topic && t.largestRecord()+batchHeaderBytes > limit {
			return limit
		}
	}
	return 0
}

// weigh is what a record takes of the window.
func (w *window) weigh(r *kgo.Record) int64 {
	switch {
	case w == nil:
		return 0
	case !w.detour:
		return batchHeaderBytes + recordOverheadLimit + recordSize(r)
	case tooLarge(r, w.batch-clientMargin):
		return w.size
	}
	return 1
}

// detours says whether what weighs n goes through the other client.
func (w *window) detours(n int64) bool { return w != nil && w.detour && n == w.size }

// take waits until n has room. The receiver may be nil.
func (w *window) take(ctx context.Context, n int64) error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	if len(w.waiting) == 0 && w.hasRoom(n) {
		w.used += n
		w.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	w.waiting = append(w.waiting, waiting{n, ready})
	w.mu.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		w.leave(n, ready)
		return context.Cause(ctx)
	}
}

func (w *window) hasRoom(n int64) bool { return w.used == 0 || w.used+n <= w.size }

// leave is for who waits no longer, and may have been let in meanwhile.
func (w *window) leave(n int64, ready chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.IndexFunc(w.waiting, func(other waiting) bool { return other.ready == ready }); i >= 0 {
		w.waiting = slices.Delete(w.waiting, i, i+1)
	} else {
		w.used -= n
	}
	w.letIn()
}

// give takes n back. The receiver may be nil.
func (w *window) give(n int64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used -= n
	w.letIn()
}

// letIn is for who holds the lock.
func (w *window) letIn() {
	if w.used > w.size/2 {
		return
	}
	for len(w.waiting) > 0 && w.hasRoom(w.waiting[0].n) {
		w.used += w.waiting[0].n
		close(w.waiting[0].ready)
		w.waiting = slices.Delete(w.waiting, 0, 1)
	}
}
