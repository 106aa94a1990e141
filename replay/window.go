package replay

import (
	"context"
	"sync"
)

// window bounds the bytes, before compression, that are under way to a destination.
//
// A record may be larger than the target's limit before compression and smaller after. The client then has to be allowed batches of that
// size, for it cannot be told the size that a batch will have; and it would fill them with other records until they are too large also when they
// are compressed. So what is under way at once is no more than the limit, which keeps every batch within it, and a larger record travels
// alone. Who waits is woken when half of the limit is free again, and not for each record that is acknowledged: a batch comes back
// record by record, and each of them would wake a goroutine that fills its place with one other. It is safe for concurrent use.
type window struct {
	limit int64

	mu    sync.Mutex
	used  int64
	freed chan struct{} // closed when there is room for who waits; nil: nobody does
}

func newWindow(limit int64) *window { return &window{limit: limit} }

// windowBytes is the limit of the windows of a topic's partitions; 0: the client keeps to the limit by itself.
func (p *Plan) windowBytes(topic string, t targetTopic) int64 {
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

// take waits until n bytes fit. The receiver may be nil.
func (w *window) take(ctx context.Context, n int64) error {
	if w == nil {
		return nil
	}
	for {
		w.mu.Lock()
		if w.used == 0 || w.used+n <= w.limit {
			w.used += n
			w.mu.Unlock()
			return nil
		}
		if w.freed == nil {
			w.freed = make(chan struct{})
		}
		freed := w.freed
		w.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// give takes n bytes back. The receiver may be nil.
func (w *window) give(n int64) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used -= n
	if w.freed != nil && w.used <= w.limit/2 {
		close(w.freed)
		w.freed = nil
	}
}
