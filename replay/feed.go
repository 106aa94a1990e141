package replay

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/semaphore"

	"github.com/karchive/karchive/format"
)

// feed decodes a partition of the archive, one row group ahead of what is played. It is for one goroutine.
type feed struct {
	ledger *ledger
	chunks chan *chunk
	cancel context.CancelFunc
	// Valid when chunks is closed.
	err error // why it ended; nil: with the last record
	end int64 // the first offset that was not read
}

// budget is the memory that decoded records may take.
type budget struct {
	tokens *semaphore.Weighted
	size   int64
}

func newBudget(size int64) *budget { return &budget{semaphore.NewWeighted(size), size} }

// acquire waits for cost, or for everything there is when cost is more, and returns what was taken.
func (b *budget) acquire(ctx context.Context, cost int64) (int64, error) {
	cost = min(cost, b.size)
	return cost, b.tokens.Acquire(ctx, cost)
}

// startFeed begins to decode part. Memory for a row group is taken before it is decoded and given back when its last record is decided.
func startFeed(ctx context.Context, archive *format.Archive, l *ledger, part *PlannedPartition, timestamps Timestamps, b *budget) *feed {
	ctx, cancel := context.WithCancel(ctx)
	f := &feed{ledger: l, chunks: make(chan *chunk), cancel: cancel, end: part.window.FromOffset}
	go func() {
		defer close(f.chunks)
		cursor := archive.Cursor(l.source, part.window)
		defer cursor.Close()
		for f.err == nil {
			f.err = f.decode(ctx, cursor, part.groups.cost, timestamps, b)
		}
		if f.err == io.EOF {
			f.err = nil
		}
	}()
	return f
}

// decode hands over the next chunk.
func (f *feed) decode(ctx context.Context, cursor *format.Cursor, cost int64, timestamps Timestamps, b *budget) error {
	taken, err := b.acquire(ctx, cost)
	if err != nil {
		return err
	}
	records, err := cursor.Next()
	if err == io.EOF {
		b.tokens.Release(taken)
		return err
	}
	if err != nil {
		b.tokens.Release(taken)
		return fmt.Errorf("read the archive: %w", err)
	}
	c := newChunk(f.ledger, records, timestamps)
	c.release = func() { b.tokens.Release(taken) }
	select {
	case f.chunks <- c:
		f.end = records[len(records)-1].Offset + 1
		return nil
	case <-ctx.Done():
		c.release()
		return ctx.Err()
	}
}

// next returns the next chunk; io.EOF after the last, or why there is none.
func (f *feed) next() (*chunk, error) {
	c, ok := <-f.chunks
	switch {
	case ok:
		return c, nil
	case f.err != nil:
		return nil, f.err
	}
	return nil, io.EOF
}

// close stops decoding and gives back what was decoded and not taken.
func (f *feed) close() {
	f.cancel()
	for c := range f.chunks {
		c.release()
	}
}
