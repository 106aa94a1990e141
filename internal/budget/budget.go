// Package budget shares out memory: whoever needs some waits until others have given theirs back.
package budget

import (
	"context"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sync/semaphore"

	"github.com/karchive/karchive/format"
)

// Budget is memory that several may take of. Whoever takes of it gives back without taking more first, so that nobody waits for ever. It
// is safe for concurrent use.
type Budget struct {
	tokens *semaphore.Weighted
	size   int64
}

// New makes a budget of size bytes, and of one at least.
func New(size int64) *Budget {
	size = max(size, 1)
	return &Budget{semaphore.NewWeighted(size), size}
}

// Size is the whole of it, in bytes.
func (b *Budget) Size() int64 { return b.size }

// Take waits for cost, or for everything there is when cost is more, and returns how to give it back, once.
func (b *Budget) Take(ctx context.Context, cost int64) (release func(), err error) {
	cost = min(cost, b.size)
	if err := b.tokens.Acquire(ctx, cost); err != nil {
		return nil, err
	}
	return func() { b.tokens.Release(cost) }, nil
}

// TryTake is Take without waiting; nil: there is not enough.
func (b *Budget) TryTake(cost int64) (release func()) {
	if !b.tokens.TryAcquire(cost) {
		return nil
	}
	return func() { b.tokens.Release(cost) }
}

// Share is memory that many records lie in, such as those of a row group. It is given back when all of them are done with. It is safe for
// concurrent use.
type Share struct {
	undecided atomic.Int64
	release   func()
}

// NewShare is the memory of n records.
func NewShare(n int, release func()) *Share {
	s := &Share{release: release}
	s.undecided.Store(int64(n))
	return s
}

// Done notes that n records are done with, and gives the memory back with the last.
func (s *Share) Done(n int) {
	if s.undecided.Add(-int64(n)) == 0 {
		s.release()
	}
}

// DecodedRecord is what a decoded record costs in memory beyond its bytes.
const DecodedRecord = int64(unsafe.Sizeof(format.Record{}))
