package replay

import (
	"context"
	"fmt"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/budget"
	"github.com/karchive/karchive/internal/scan"
)

// feed decodes a partition of the archive, one row group ahead of what is played. It is for one goroutine.
type feed struct {
	rules  rules
	memory *memory
	ledger *ledger
	groups chan *group
	cancel context.CancelFunc
	// Valid when groups is closed.
	err error // why it ended; nil: with the last record
	end int64 // the first offset that was not read
}

// group is a decoded row group: the records of it that are in the window.
type group struct {
	records []format.Record // those that are not in a chunk yet
	memory  *budget.Share   // of all of them
}

// drop gives up the records that are not in a chunk.
func (g *group) drop() {
	n := len(g.records)
	g.records = nil
	if n > 0 {
		g.memory.Done(n)
	}
}

// startFeed begins to decode a partition. Memory for a row group is taken from p.decoded before it is decoded.
func (p *player) startFeed(ctx context.Context, part *part) *feed {
	ctx, cancel := context.WithCancel(ctx)
	f := &feed{rules: p.settings.rules, memory: p.memory, ledger: part.ledger, groups: make(chan *group), cancel: cancel, end: part.window.FromOffset}
	cost := part.groups.cost
	if p.settings.Reshape != nil {
		cost += part.groups.bytes
	}
	go func() {
		defer close(f.groups)
		cursor := scan.NewCursor(p.archive, part.ledger.source, part.window)
		defer cursor.Close()
		for f.err == nil {
			f.err = f.decode(ctx, cursor, cost, p.decoded)
		}
		if f.err == io.EOF {
			f.err = nil
		}
	}()
	return f
}

// decode hands over the next row group.
func (f *feed) decode(ctx context.Context, cursor *scan.Cursor, cost int64, b *budget.Budget) error {
	release, err := b.Take(ctx, cost)
	if err != nil {
		return err
	}
	memory := f.memory.group()
	records, err := cursor.NextInto(memory)
	if err == io.EOF {
		release()
		return err
	}
	if err != nil {
		release()
		return fmt.Errorf("read the archive: %w", err)
	}
	end := records[len(records)-1].Offset + 1
	records, err = f.rules.apply(f.ledger.source, records, &f.ledger.filtered)
	if err != nil || len(records) == 0 {
		release()
		if err == nil {
			f.end = end
		}
		return err
	}
	g := &group{records: records, memory: budget.NewShare(len(records), func() {
		f.memory.recycleGroup(memory)
		release()
	})}
	select {
	case f.groups <- g:
		f.end = end
		return nil
	case <-ctx.Done():
		release()
		return ctx.Err()
	}
}

// next returns the next group; io.EOF after the last, or why there is none.
func (f *feed) next() (*group, error) {
	g, ok := <-f.groups
	switch {
	case ok:
		return g, nil
	case f.err != nil:
		return nil, f.err
	}
	return nil, io.EOF
}

// close stops decoding and gives back what was decoded and not taken.
func (f *feed) close() {
	f.cancel()
	for g := range f.groups {
		g.drop()
	}
}
