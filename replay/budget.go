package replay

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// budget is memory that a replay may take. Whoever takes of it gives back without taking more first, so that nobody waits for ever.
type budget struct {
	tokens *semaphore.Weighted
	size   int64
}

func newBudget(size int64) *budget {
	size = max(size, 1)
	return &budget{semaphore.NewWeighted(size), size}
}

// take waits for cost, or for everything there is when cost is more, and returns how to give it back, once.
func (b *budget) take(ctx context.Context, cost int64) (release func(), err error) {
	cost = min(cost, b.size)
	if err := b.tokens.Acquire(ctx, cost); err != nil {
		return nil, err
	}
	return func() { b.tokens.Release(cost) }, nil
}

// tryTake is take without waiting; nil: there is not enough.
func (b *budget) tryTake(cost int64) (release func()) {
	if !b.tokens.TryAcquire(cost) {
		return nil
	}
	return func() { b.tokens.Release(cost) }
}
